from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.artifacts import Sources
from likeness.errors import ArtifactUnavailable
from likeness.terms import Image, Pose, Quality, QualityReason
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.detections import Detections
from likeness.vision.embed import (
    ARCFACE_LAYOUT,
    DLIB_LAYOUT,
    ChipLayout,
    Chips,
    cut_chips,
    similarity_transform,
)
from likeness.vision.models.model_store import ModelStore
from likeness.vision.networks.centerface import CenterFace
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.quality import QualityLimits, pose_of, quality_of

FRONTAL = Pose(0, 0, 0)
GAINS, BLURS = (1, 0.7, 0.4, 0.2, 0.1), (0, 1, 2, 3, 5)
Pixels = NDArray[np.uint8]


def chip(side: int = 150, seed: int = 0) -> Pixels:
    """Patches of light on a grey ground, of every size as in a photograph."""
    random = np.random.default_rng(seed)
    picture = np.full((side, side), 120.0)
    for blur in (1, 2, 4, 8, 16):
        patches = cv2.GaussianBlur(random.normal(size=(side, side)), (0, 0), blur * side / 150)
        picture += patches / patches.std() * 12
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma)) if sigma else pixels


def quality(
    pixels: Pixels,
    width: float = 80,
    height: float = 100,
    confidence: float = 0.9,
    pose: Pose = FRONTAL,
    limits: QualityLimits | None = None,
) -> Quality:
    box = np.array([[10, 20, 10 + width, 20 + height]], np.float32)
    certainty = np.array([confidence], np.float32)
    (measured,) = quality_of(pixels[None], box, certainty, [pose], limits or QualityLimits())
    return measured


def test_a_good_face_is_fit_to_enrol() -> None:
    good = quality(chip())
    assert good.fit_to_enrol
    assert good.size == pytest.approx(80)
    assert good.brightness == pytest.approx(120 / 255 * 100, abs=10)
    assert good.sharpness > 80


@pytest.mark.parametrize("side", [112, 150, 224])
def test_blur_lowers_sharpness_at_any_chip_size(side: int) -> None:
    sharpness = [quality(blurred(chip(side), sigma * side / 150)).sharpness for sigma in BLURS]
    assert all(np.diff(sharpness) < 0)
    assert sharpness[0] > 80 and sharpness[4] < 15


def test_brightness_follows_light_and_sharpness_does_not() -> None:
    lit = [quality((chip() * gain).astype(np.uint8)) for gain in GAINS]
    assert [each.brightness for each in lit] == pytest.approx(
        [lit[0].brightness * gain for gain in GAINS], abs=0.3
    )
    assert [each.sharpness for each in lit] == pytest.approx([lit[0].sharpness] * 5, abs=5)


def test_what_surrounds_the_face_does_not_count() -> None:
    framed = chip()
    framed[:18], framed[:, :18], framed[:, -18:] = 255, 0, 255
    assert quality(framed).brightness == pytest.approx(quality(chip()).brightness)
    assert quality(framed).sharpness == pytest.approx(quality(chip()).sharpness, abs=0.5)


@pytest.mark.parametrize(
    ("reason", "measured"),
    [
        (QualityReason.EXTREME_POSE, quality(chip(), pose=Pose(-70, 0, 0))),
        (QualityReason.EXTREME_POSE, quality(chip(), pose=Pose(0, 30, 0))),
        (QualityReason.LOW_SHARPNESS, quality(blurred(chip(), 5))),
        (QualityReason.LOW_CONFIDENCE, quality(chip(), confidence=0.3)),
        (QualityReason.SMALL_BOUNDING_BOX, quality(chip(), width=15)),
        (QualityReason.SMALL_BOUNDING_BOX, quality(chip(), height=15)),
        (QualityReason.LOW_BRIGHTNESS, quality((chip() * 0.03).astype(np.uint8))),
        (QualityReason.LOW_FACE_QUALITY, quality((chip() * 0.05 + 100).astype(np.uint8))),
        (QualityReason.LOW_FACE_QUALITY, quality(np.clip(chip() * 4.0, 0, 255).astype(np.uint8))),
    ],
)
def test_what_is_wrong_is_said(reason: QualityReason, measured: Quality) -> None:
    assert reason in measured.reasons
    assert not measured.fit_to_enrol


def test_a_tilted_head_is_fit_to_enrol() -> None:
    assert quality(chip(), pose=Pose(0, 0, 80)).fit_to_enrol


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_chip_has_no_sharpness_and_is_not_fit(value: int) -> None:
    flat = quality(np.full((150, 150, 3), value, np.uint8))
    assert flat.sharpness == pytest.approx(0, abs=0.01)
    assert QualityReason.LOW_FACE_QUALITY in flat.reasons


@pytest.mark.parametrize(
    ("stricter", "reason"),
    [
        ({"least_brightness": 90}, QualityReason.LOW_BRIGHTNESS),
        ({"least_sharpness": 99.9}, QualityReason.LOW_SHARPNESS),
        ({"least_contrast": 100}, QualityReason.LOW_FACE_QUALITY),
        ({"most_glare": -0.1}, QualityReason.LOW_FACE_QUALITY),
        ({"least_size": 81}, QualityReason.SMALL_BOUNDING_BOX),
        ({"least_confidence": 0.95}, QualityReason.LOW_CONFIDENCE),
        ({"most_yaw": -1}, QualityReason.EXTREME_POSE),
        ({"most_pitch": -1}, QualityReason.EXTREME_POSE),
    ],
)
def test_each_limit_holds_back_its_own_reason(
    stricter: dict[str, float], reason: QualityReason
) -> None:
    limits = replace(QualityLimits(), **stricter)
    assert quality(chip(), limits=limits).reasons == (reason,)


def test_no_faces_have_no_qualities() -> None:
    chips, boxes = np.empty((0, 150, 150, 3), np.uint8), np.empty((0, 4), np.float32)
    assert quality_of(chips, boxes, np.empty(0, np.float32), []) == []


@pytest.fixture(scope="module")
def detector(
    sources: Sources, openvino: OpenVinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> Detector:
    try:
        path = ModelStore(tmp_path_factory.mktemp("home"), sources).require("centerface")
    except ArtifactUnavailable as error:
        pytest.skip(str(error))
    settings = DetectorSettings(longer_side=448)
    return Detector(CenterFace(openvino.load(path)), settings)


def faces_of(detector: Detector, files: list[Path]) -> list[tuple[Image, Detections]]:
    """Each photograph with its most confident face, where one is found."""
    images = [Image.of(np.ascontiguousarray(cv2.imread(str(file))[..., ::-1])) for file in files]
    found = [(image, detector.detect(image)) for image in images]
    return [(image, each.select(np.array([0]))) for image, each in found if len(each)]


def measured(pixels: NDArray[np.generic], face: Detections, layout: ChipLayout) -> Quality:
    image = Image.of(np.ascontiguousarray(pixels, np.uint8))
    chips = cut_chips(image, face.landmarks_xy, layout, Chips.ONE)[:, 0]
    poses = pose_of(face.landmarks_xy)
    return quality_of(chips, face.boxes_xyxy, face.confidences, poses)[0]


@pytest.mark.models
@pytest.mark.parametrize("layout", [DLIB_LAYOUT, ARCFACE_LAYOUT], ids=lambda layout: layout.name)
def test_blur_and_darkness_of_every_real_face_are_seen(
    shared_data: Callable[[str], Path], detector: Detector, layout: ChipLayout
) -> None:
    faces = faces_of(detector, sorted(shared_data("fairface540").rglob("fairface_*.jpg"))[::12])
    assert len(faces) >= 40
    for image, face in faces:
        transform = similarity_transform(face.landmarks_xy[0], DLIB_LAYOUT.points_xy)
        chip_pixel = 1 / np.hypot(*transform[:, 0])
        sharpness = [
            measured(blurred(image.pixels, sigma * chip_pixel), face, layout).sharpness
            for sigma in BLURS
        ]
        brightness = [measured(image.pixels * gain, face, layout).brightness for gain in GAINS]
        assert all(np.diff(sharpness) < 0)
        assert all(np.diff(brightness) < 0)


@pytest.mark.models
def test_nearly_all_photographs_of_lfw_are_fit_to_enrol(
    shared_data: Callable[[str], Path], detector: Detector
) -> None:
    faces = faces_of(detector, sorted(shared_data("lfw_view1").rglob("*.jpg"))[::50])
    fit = [measured(image.pixels, face, DLIB_LAYOUT).fit_to_enrol for image, face in faces]
    assert len(fit) >= 95
    assert np.mean(fit) > 0.95


@pytest.mark.models
def test_nothing_but_pose_speaks_against_most_faces_of_any_group(
    shared_data: Callable[[str], Path], detector: Detector
) -> None:
    faces = faces_of(detector, sorted(shared_data("fairface540").rglob("fairface_*.jpg"))[::5])
    but_for_pose = [
        set(measured(image.pixels, face, DLIB_LAYOUT).reasons) <= {QualityReason.EXTREME_POSE}
        for image, face in faces
    ]
    assert len(but_for_pose) >= 100
    assert np.mean(but_for_pose) > 0.95
