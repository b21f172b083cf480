from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.artifacts import Sources
from likeness.errors import ArtifactUnavailable
from likeness.terms import Image, Pose
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.models.model_store import ModelStore
from likeness.vision.networks.centerface import CenterFace
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.quality import pose_of
from likeness.vision.upright import find_upright

# A face in millimetres, measured on nobody: x to the picture's right, y down, z to the camera.
HEAD_XYZ = np.array(
    [[-32, -30, -3], [32, -30, -3], [0, 3, 20], [-26, 30, -8], [26, 30, -8]], np.float64
)
MIRRORED = [1, 0, 2, 4, 3]


def seen(yaw: float, pitch: float, roll: float, pixels_per_mm: float = 2.0) -> np.ndarray:
    """Landmarks of a head that turns aside, then looks up, then tilts, as a camera sees them."""
    y, p, r = np.deg2rad([yaw, pitch, roll])
    x_of_head, y_of_head, z_of_head = HEAD_XYZ.T
    x, z = x_of_head * np.cos(y) + z_of_head * np.sin(y), z_of_head * np.cos(y)
    z = z - x_of_head * np.sin(y)
    h = y_of_head * np.cos(p) - z * np.sin(p)
    turned = np.stack([x * np.cos(r) - h * np.sin(r), x * np.sin(r) + h * np.cos(r)], axis=1)
    return (turned * pixels_per_mm + (320, 240)).astype(np.float32)


def angles(pose: Pose) -> list[float]:
    return [pose.yaw, pose.pitch, pose.roll]


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [
        (0, 0, 0),
        (30, 0, 0),
        (-30, 0, 0),
        (60, 0, 0),
        (0, 20, 0),
        (0, -20, 0),
        (0, 0, 45),
        (0, 0, -45),
        (0, 0, 150),
        (25, -15, 20),
        (-45, 10, -60),
    ],
)
def test_angles_are_those_of_the_head(yaw: float, pitch: float, roll: float) -> None:
    (pose,) = pose_of(seen(yaw, pitch, roll)[None])
    np.testing.assert_allclose(angles(pose), [yaw, pitch, roll], atol=4)


def test_nose_towards_the_right_of_the_picture_is_positive_yaw_and_up_positive_pitch() -> None:
    right, up = seen(0, 0, 0), seen(0, 0, 0)
    right[2, 0] += 15
    up[2, 1] -= 15
    facing_right, looking_up = pose_of(np.stack([right, up]))
    assert facing_right.yaw > 10
    assert looking_up.pitch > 10


@given(
    turn=st.floats(-180, 180),
    zoom=st.floats(0.05, 20),
    noise=st.lists(st.floats(-6, 6), min_size=10, max_size=10),
)
def test_turning_the_picture_changes_roll_by_as_much_and_nothing_else(
    turn: float, zoom: float, noise: list[float]
) -> None:
    points = seen(15, 5, 0) + np.reshape(noise, (5, 2))
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = pose_of(np.stack([points, zoom * points @ rotation.T]))
    difference = np.array(angles(after)) - angles(before) - [0, 0, turn]
    np.testing.assert_allclose((difference + 180) % 360 - 180, 0, atol=1e-3)


@given(noise=st.lists(st.floats(-6, 6), min_size=10, max_size=10))
def test_a_mirror_flips_yaw_and_roll_and_keeps_pitch(noise: list[float]) -> None:
    points = seen(20, 5, 10) + np.reshape(noise, (5, 2))
    pose, mirrored = pose_of(np.stack([points, points[MIRRORED] * [-1, 1]]))
    np.testing.assert_allclose(angles(mirrored), np.multiply(angles(pose), [-1, 1, -1]), atol=1e-6)


@pytest.mark.parametrize("value", [7, np.nan, np.inf, -np.inf])
def test_points_that_say_nothing_look_straight_at_the_camera(value: float) -> None:
    (pose,) = pose_of(np.full((1, 5, 2), value, np.float32))
    assert angles(pose) == [0, 0, 0]


def test_points_on_one_line_give_finite_angles() -> None:
    line = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    assert np.isfinite(angles(pose_of(line)[0])).all()


def test_no_faces_have_no_poses() -> None:
    assert pose_of(np.empty((0, 5, 2), np.float32)) == []


Find = Callable[[Image, np.ndarray | None], np.ndarray | None]


@pytest.fixture(scope="module")
def find(
    sources: Sources, openvino: OpenVinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> Find:
    """Find the landmarks of the largest face, or of that nearest to a place."""
    try:
        path = ModelStore(tmp_path_factory.mktemp("home"), sources).require("centerface")
    except ArtifactUnavailable as error:
        pytest.skip(str(error))
    network = CenterFace(openvino.load(path))
    detector = Detector(network, DetectorSettings(longer_side=320))

    def landmarks(image: Image, near: np.ndarray | None) -> np.ndarray | None:
        found = detector.detect(image)
        if not len(found):
            return None
        if near is None:
            far = -(found.boxes_xyxy[:, 2] - found.boxes_xyxy[:, 0])
        else:
            far = np.hypot(*(found.landmarks_xy.mean(axis=1) - near).T)
        which = found.select(np.array([int(np.argmin(far))]))
        return np.asarray(find_upright(network, image, which)[0].landmarks_xy[0])

    return landmarks


def photographs(folder: Path, count: int) -> list[Image]:
    files = sorted(folder.rglob("*.jpg"))
    chosen = files[:: len(files) // count][:count]
    return [Image.of(np.ascontiguousarray(cv2.imread(str(file))[..., ::-1])) for file in chosen]


@pytest.mark.models
def test_turned_photographs_have_their_roll_turned_within_3_degrees(
    shared_data: Callable[[str], Path], find: Find
) -> None:
    errors = []
    for image in photographs(shared_data("lfw_view1"), 25):
        upright = find(image, None)
        assert upright is not None
        middle = upright.mean(axis=0)
        before = pose_of(upright[None])[0].roll
        for turn in (-45, -20, 20, 45):
            matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), -turn, 1)
            turned = cv2.warpAffine(
                image.pixels, matrix, (250, 250), borderMode=cv2.BORDER_REPLICATE
            )
            landmarks = find(Image.of(turned), middle)
            if landmarks is None or np.hypot(*(landmarks.mean(axis=0) - middle)) > 20:
                errors.append(np.inf)
            else:
                errors.append(abs(pose_of(landmarks[None])[0].roll - before - turn))
    assert np.mean(np.array(errors) <= 3) >= 0.95


@pytest.mark.models
def test_heads_clearly_turned_aside_turn_the_other_way_in_a_mirror(
    shared_data: Callable[[str], Path], find: Find
) -> None:
    flipped = []
    for image in photographs(shared_data("lfw_view1"), 60):
        landmarks = find(image, None)
        assert landmarks is not None
        yaw = pose_of(landmarks[None])[0].yaw
        place = landmarks.mean(axis=0) * [-1, 1] + [image.width - 1, 0]
        other = find(Image.of(np.ascontiguousarray(image.pixels[:, ::-1])), place)
        if abs(yaw) > 12 and other is not None:
            flipped.append(pose_of(other[None])[0].yaw * yaw < 0)
    assert len(flipped) >= 15
    assert all(flipped)


@pytest.mark.models
def test_photographs_look_level_on_average(shared_data: Callable[[str], Path], find: Find) -> None:
    found = [find(image, None) for image in photographs(shared_data("lfw_view1"), 100)]
    poses = pose_of(np.stack([landmarks for landmarks in found if landmarks is not None]))
    assert abs(np.median([pose.pitch for pose in poses])) < 2
    assert abs(np.median([pose.yaw for pose in poses])) < 4
