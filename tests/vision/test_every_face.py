"""What may be a face is found in every view of a picture, and at the place where it is."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detect import Letterbox
from likeness.vision.detections import Detections, FaceNetwork
from likeness.vision.every_face import FRAME, GLANCE, PICTURE, Closeness, EveryFace, View

# Of the box of a find: five points that no turn takes to each other.
_POINTS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75)])


class WhiteSpots(FaceNetwork):
    """Finds a face at each white spot, as sure as it is told."""

    def __init__(self, score: float = 0.9) -> None:
        self.score = score
        self.shown: list[NDArray[np.uint8]] = []

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        self.shown.append(canvas)
        white = (canvas.min(axis=2) > 200).astype(np.uint8)
        _, _, spots, _ = cv2.connectedComponentsWithStats(white)
        boxes = [(x, y, x + w, y + h) for x, y, w, h, _ in spots[1:] if w > 3 and h > 3]
        if self.score < threshold:
            boxes = []
        boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        corner, size = boxes_xyxy[:, None, :2], boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2]
        scores = np.full(len(boxes), self.score, np.float32)
        return Detections(boxes_xyxy, (corner + size * _POINTS).astype(np.float32), scores)


def spotted(*boxes: tuple[int, int, int, int]) -> Image:
    pixels = np.zeros((360, 640, 3), np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    return Image.of(pixels)


@pytest.mark.parametrize(
    "view",
    [
        View(zoom, mirrored, turns)
        for zoom in (1.0, 0.5)
        for mirrored in (False, True)
        for turns in range(4)
    ],
)
def test_a_face_is_where_it_is_in_whatever_view_it_is_found(view: View) -> None:
    (face,) = EveryFace(WhiteSpots(), float, Closeness((view,))).find(spotted((400, 50, 430, 90)))
    sides = (face.box.left, face.box.top, face.box.right, face.box.bottom)
    assert sides == pytest.approx((400, 50, 430, 90), abs=2)
    assert face.confidence == pytest.approx(0.9)
    assert all(400 <= point.x <= 430 and 50 <= point.y <= 90 for point in face.landmarks.points)


def test_landmarks_of_a_face_in_a_mirror_change_sides() -> None:
    look = EveryFace(WhiteSpots(), float, Closeness((View(mirrored=True),)))
    (face,) = look.find(spotted((400, 50, 430, 90)))
    assert face.landmarks.eye_left.x < face.landmarks.eye_right.x
    assert face.landmarks.mouth_left.x < face.landmarks.mouth_right.x


def test_finds_of_one_face_in_several_views_are_one_that_holds_them_all() -> None:
    found = EveryFace(WhiteSpots(), float, PICTURE).find(
        spotted((400, 50, 430, 90), (100, 200, 160, 280))
    )
    assert [round(face.box.width / 10) for face in found] == [6, 3]
    assert found[0].box.left <= 100 <= 160 <= found[0].box.right


def test_a_small_find_need_not_be_as_sure_as_a_large_one() -> None:
    small, large = (400, 50, 415, 70), (100, 100, 220, 250)
    (face,) = EveryFace(WhiteSpots(0.3), float, FRAME).find(spotted(small, large))
    assert face.box.width < 30
    assert len(EveryFace(WhiteSpots(0.55), float, FRAME).find(spotted(small, large))) == 2
    assert EveryFace(WhiteSpots(0.3), float, GLANCE).find(spotted(small, large)) == []


def test_what_a_view_costs_is_bounded_by_the_side_that_is_asked_for() -> None:
    network = WhiteSpots()
    pixels = np.zeros((2160, 3840, 3), np.uint8)
    EveryFace(network, float, replace(GLANCE, longer_side=960)).find(Image.of(pixels))
    assert max(canvas.shape[1] for canvas in network.shown) <= 960 + 2 * 32 + 31


def test_a_picture_without_faces_has_none() -> None:
    assert EveryFace(WhiteSpots(), float, PICTURE).find(spotted()) == []


@pytest.mark.parametrize(("least", "side"), [(0.0, 640), (79.0, 640), (80.0, 320), (300.0, 160)])
def test_where_only_large_faces_are_looked_for_a_smaller_copy_is_enough(
    least: float, side: int
) -> None:
    network = WhiteSpots()
    closeness = Closeness((View(),), longer_side=640)
    (face,) = EveryFace(network, float, closeness).find(spotted((100, 20, 420, 340)), least)
    assert max(network.shown[-1].shape[:2]) == pytest.approx(side, abs=64)
    sides = (face.box.left, face.box.top, face.box.right, face.box.bottom)
    assert sides == pytest.approx((100, 20, 420, 340), abs=6)


@pytest.mark.parametrize(
    ("height", "width"), [(1080, 1920), (1083, 1921), (2161, 3843), (403, 4001)]
)
def test_a_face_is_where_it_is_in_pictures_far_larger_than_what_is_shown(
    height: int, width: int
) -> None:
    network = WhiteSpots()
    pixels = np.zeros((height, width, 3), np.uint8)
    left, right = width - width // 4, width - 2
    top, bottom = height - height // 2, height - 2
    pixels[top:bottom, left:right] = 255
    closeness = Closeness((View(), View(0.75)), sure_large=0.5, longer_side=320)
    (face,) = EveryFace(network, float, closeness).find(Image.of(pixels))
    sides = (face.box.left, face.box.top, face.box.right, face.box.bottom)
    shown = width / (0.75 * 320)
    assert sides == pytest.approx((left, top, right, bottom), abs=2 * shown)


@pytest.mark.parametrize(
    ("width", "shown", "zoom", "searched"),
    [(1280, 320, 1, 640), (1279, 320, 1, 1279), (1280, 160, 1, 320), (1280, 160, 2, 640)],
)
def test_pictures_are_halved_once_for_all_views_while_two_pixels_are_left_for_one(
    monkeypatch: pytest.MonkeyPatch, width: int, shown: int, zoom: float, searched: int
) -> None:
    fitted: list[Image] = []
    fit = Letterbox.fit

    def seen(image: Image, side: int, border: int = 0) -> Letterbox:
        fitted.append(image)
        return fit(image, side, border)

    monkeypatch.setattr(Letterbox, "fit", seen)
    closeness = Closeness((View(), View(zoom)), longer_side=shown)
    EveryFace(WhiteSpots(), float, closeness).find(Image.of(np.zeros((720, width, 3), np.uint8)))
    assert {image.pixels.shape[1] for image in fitted} == {searched}
    assert {(image.width, image.height) for image in fitted} == {(width, 720)}


def test_looks_in_turn_take_one_view_each() -> None:
    network = WhiteSpots()
    look = EveryFace(network, float, FRAME)
    for turn in range(4):
        look.find(spotted((400, 50, 430, 90)), turn=turn)
    widths = [canvas.shape[1] for canvas in network.shown if canvas.shape[1] > 200]
    assert len(widths) == 4
    assert widths[0] == widths[2] > widths[1] == widths[3]
