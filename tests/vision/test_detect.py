from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detect import Detector, DetectorSettings, Letterbox
from likeness.vision.detections import (
    Detections,
    FaceNetwork,
    areas,
    distinct_by_landmarks,
    drop_inner,
    join,
    merge_with_afar,
    suppress_overlaps,
)


def detections(boxes: list[list[float]], confidences: list[float]) -> Detections:
    boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    return Detections(
        boxes_xyxy, np.repeat(centres[:, None], 5, axis=1), np.array(confidences, np.float32)
    )


class BrightSpots(FaceNetwork):
    """A network that finds a face where the canvas is white."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        self.shown.append(canvas.shape)
        rows, columns = np.nonzero(canvas[:, :, 0] > 200)
        if not len(rows):
            return detections([], [])
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return detections([box, box], [threshold, 0.9])


def spotted(width: int, height: int, box: tuple[int, int, int, int]) -> Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = box
    pixels[top:bottom, left:right] = 255
    return Image.of(pixels)


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (1920, 1080, (600, 300, 900, 700)),
        (1080, 1920, (100, 1000, 400, 1400)),
        (4000, 3000, (2000, 200, 2600, 900)),
        (416, 416, (100, 50, 180, 150)),
        (90, 33, (30, 4, 60, 30)),
    ],
)
def test_boxes_and_points_are_in_the_full_frame_whatever_the_picture_size(
    width: int, height: int, box: tuple[int, int, int, int]
) -> None:
    image = spotted(width, height, box)
    found = Detector(BrightSpots(), DetectorSettings()).detect(image)
    a_canvas_pixel = max(1.0, max(width, height) / DetectorSettings().longer_side)
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes_xyxy[0], box, atol=1.5 * a_canvas_pixel)
    middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    np.testing.assert_allclose(found.landmarks_xy[0, 2], middle, atol=1.5 * a_canvas_pixel)


def test_boxes_are_in_the_full_frame_though_fewer_pixels_are_held() -> None:
    whole = spotted(4000, 3000, (2000, 200, 2600, 900))
    reduced = Image(np.ascontiguousarray(whole.pixels[::2, ::2]), 4000, 3000)
    found = Detector(BrightSpots(), DetectorSettings()).detect(reduced)
    np.testing.assert_allclose(found.boxes_xyxy[0], (2000, 200, 2600, 900), atol=6)


class Spots(FaceNetwork):
    """A network that finds every white rectangle that is as tall as `least` pixels shown."""

    def __init__(self, least: int = 8, confidence: float = 0.9) -> None:
        self.shown: list[tuple[int, ...]] = []
        self._least = least
        self._confidence = confidence

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        self.shown.append(canvas.shape)
        white = (canvas[:, :, 0] > 200).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(white)
        boxes = [[x, y, x + w, y + h] for x, y, w, h, _ in found[1:] if h >= self._least]
        return detections(boxes, [self._confidence] * len(boxes))


_LARGE, _NEARLY_AS_LARGE = (100, 80, 300, 330), (400, 80, 600, 320)
_MIDDLING, _SMALL = (100, 80, 180, 200), (300, 400, 320, 430)


@pytest.mark.parametrize(
    ("boxes", "network", "largest", "looks"),
    [
        pytest.param([_LARGE], Spots(), _LARGE, 1, id="seen at a glance"),
        pytest.param([_SMALL, _LARGE], Spots(), _LARGE, 1, id="beside a small one"),
        pytest.param([_MIDDLING], Spots(), _MIDDLING, 2, id="seen at a closer glance"),
        pytest.param([_SMALL], Spots(), _SMALL, 3, id="too small to be sure"),
        pytest.param([_SMALL], Spots(least=16), _SMALL, 3, id="too small for a glance"),
        pytest.param(
            [_NEARLY_AS_LARGE, _LARGE], Spots(), _LARGE, 3, id="beside one that is as large"
        ),
        pytest.param([_LARGE], Spots(confidence=0.6), _LARGE, 3, id="doubtful"),
    ],
)
def test_largest_face_is_looked_for_at_a_glance_and_closely_where_that_leaves_a_doubt(
    boxes: list[tuple[int, int, int, int]],
    network: Spots,
    largest: tuple[int, int, int, int],
    looks: int,
) -> None:
    image = Image.of(sum(spotted(640, 480, box).pixels for box in boxes))
    network.shown.clear()
    found = Detector(network, DetectorSettings()).detect_largest(image)
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes_xyxy[0], largest, atol=3)
    assert [shape[:2] for shape in network.shown] == [(160, 192), (256, 320), (640, 832)][:looks]


def test_no_face_is_no_largest_one() -> None:
    image = Image.of(np.zeros((480, 640, 3), np.uint8))
    assert len(Detector(Spots(), DetectorSettings()).detect_largest(image)) == 0


def test_there_is_no_glance_where_the_whole_is_shown_as_small() -> None:
    network = Spots(confidence=0.6)
    settings = DetectorSettings(longer_side=128)
    found = Detector(network, settings).detect_largest(spotted(640, 480, _LARGE))
    assert len(found) == 1
    assert [shape[:2] for shape in network.shown] == [(160, 192), (96, 128)]


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_canvas_has_sides_of_multiples_of_32_and_never_more_than_the_side_asked(
    width: int, height: int
) -> None:
    settings = DetectorSettings(longer_side=640)
    side = settings.shown_side(width, height)
    pixels = np.zeros((min(height, 64), min(width, 64), 3), np.uint8)
    canvas = Letterbox.fit(Image(pixels, width, height), side).canvas
    assert canvas.shape[0] % 32 == 0 and canvas.shape[1] % 32 == 0
    assert side <= 640
    assert max(canvas.shape[:2]) < side + 32


@pytest.mark.parametrize(
    ("longer", "shown"),
    [(100, 200), (416, 832), (640, 832), (1000, 1000), (1152, 1152), (9000, 1152)],
)
def test_small_pictures_are_enlarged_twice_at_most_and_large_ones_shrunk(
    longer: int, shown: int
) -> None:
    assert DetectorSettings().shown_side(longer, 10) == shown


def test_of_overlapping_boxes_the_most_confident_is_kept_and_comes_first() -> None:
    found = detections(
        [[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [100, 0, 110, 10]], [0.5, 0.9, 0.7, 0.95]
    )
    kept = suppress_overlaps(found, overlap=0.3)
    np.testing.assert_allclose(kept.confidences, [0.95, 0.9, 0.7])
    np.testing.assert_allclose(kept.boxes_xyxy[1], [1, 0, 11, 10])


def test_boxes_that_overlap_less_than_allowed_are_both_kept() -> None:
    assert (
        len(suppress_overlaps(detections([[0, 0, 10, 10], [6, 0, 16, 10]], [0.5, 0.6]), 0.3)) == 2
    )


def test_nothing_found_stays_nothing() -> None:
    assert len(suppress_overlaps(detections([], []), 0.3)) == 0
    image = Image.of(np.zeros((50, 50, 3), np.uint8))
    assert len(Detector(BrightSpots(), DetectorSettings()).detect(image)) == 0


class NoLargeFaces(Spots):
    """A network that finds parts of faces that are too large for it, and nothing larger."""

    def __init__(self, largest: int = 300, parts: int = 0) -> None:
        super().__init__(confidence=0.7)
        self._largest = largest
        self._parts = parts

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        found = super().find(canvas, threshold)
        fit = areas(found.boxes_xyxy) < self._largest**2
        inside = [
            [left + 20 + 120 * n, top + 20, left + 120 + 120 * n, top + 120]
            for left, top, *_ in found.boxes_xyxy[~fit].tolist()
            for n in range(self._parts)
        ]
        return join([found.select(fit), detections(inside, [0.6] * len(inside))])


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_face_too_large_for_the_network_is_found_once_in_a_small_copy(parts: int) -> None:
    face = (100, 0, 900, 800)
    network = NoLargeFaces(parts=parts)
    found = Detector(network, DetectorSettings()).detect(spotted(1000, 800, face))
    assert [shape[:2] for shape in network.shown] == [(160, 192), (800, 1024)]
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes_xyxy[0], face, atol=12)


def test_small_faces_beside_one_that_is_too_large_are_found_too() -> None:
    large, small = (100, 0, 700, 800), (850, 300, 900, 360)
    image = Image.of(spotted(1000, 800, large).pixels + spotted(1000, 800, small).pixels)
    found = Detector(NoLargeFaces(parts=2), DetectorSettings()).detect(image)
    np.testing.assert_allclose(sorted(found.boxes_xyxy.tolist()), [large, small], atol=12)


def test_picture_is_searched_at_half_its_size_where_nothing_is_found() -> None:
    network = NoLargeFaces(largest=0)
    assert not len(Detector(network, DetectorSettings()).detect(spotted(1000, 800, _LARGE)))
    assert [shape[:2] for shape in network.shown] == [
        *[(160, 192), (800, 1024), (416, 512)],
        *[(448, 384), (384, 448), (448, 384)],
    ]


class Pointing(Spots):
    """A network that finds a white rectangle whose red end points to where a chin is."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        found = super().find(canvas, threshold)
        rows, columns = np.nonzero((canvas[:, :, 0] > 200) & (canvas[:, :, 1] < 60))
        if not len(found) or not len(rows):
            return detections([], [])
        chin = np.array([columns.mean(), rows.mean()], np.float32)
        middle = (found.boxes_xyxy[0, :2] + found.boxes_xyxy[0, 2:]) / 2
        return replace(found, landmarks_xy=np.stack([[chin] * 5])).select(
            np.array([chin[1] - middle[1] > abs(chin[0] - middle[0])])
        )


@pytest.mark.parametrize(
    ("chin", "box"),
    [
        ("left", (200, 130, 210, 230)),
        ("right", (390, 130, 400, 230)),
        ("up", (200, 130, 400, 140)),
    ],
)
def test_face_that_is_not_upright_is_found_where_no_other_is(
    chin: str, box: tuple[int, int, int, int]
) -> None:
    face = (200, 130, 400, 230)
    image = spotted(640, 480, face)
    left, top, right, bottom = box
    image.pixels[top:bottom, left:right] = (255, 0, 0)
    found = Detector(Pointing(), DetectorSettings()).detect(image)
    np.testing.assert_allclose(found.boxes_xyxy, [face], atol=3)
    middle_of_chin = ((left + right) / 2, (top + bottom) / 2)
    np.testing.assert_allclose(found.landmarks_xy[0, 0], middle_of_chin, atol=5)


_BOX = [10.0, 10.0, 110.0, 110.0]


@pytest.mark.parametrize(
    "other",
    [[20.0, 20.0, 60.0, 60.0], [0.0, 0.0, 300.0, 300.0], [50.0, 10.0, 150.0, 110.0 - 30]],
    ids=["inside", "around", "half outside"],
)
def test_boxes_within_one_another_are_one_face(other: list[float]) -> None:
    shared = drop_inner(detections([_BOX, other], [0.6, 0.9]))
    assert shared.boxes_xyxy.tolist() == [other]


def test_boxes_beside_one_another_are_faces_of_their_own() -> None:
    beside = [80.0, 20.0, 180.0, 120.0]
    assert len(drop_inner(detections([_BOX, beside], [0.9, 0.6]))) == 2


def test_findings_with_the_same_landmarks_are_one_face() -> None:
    found = detections(
        [_BOX, [5.0, 20.0, 115.0, 100.0], [200.0, 0.0, 300.0, 100.0]], [0.6, 0.7, 0.5]
    )
    assert distinct_by_landmarks(found).tolist() == [False, True, True]


def test_nothing_near_and_nothing_afar_is_nothing() -> None:
    nothing = detections([], [])
    assert len(merge_with_afar(nothing, nothing)) == len(drop_inner(nothing)) == 0
    assert len(merge_with_afar(nothing, detections([_BOX], [0.55]))) == 0
    assert len(merge_with_afar(detections([_BOX], [0.55]), nothing)) == 1


def test_face_seen_near_and_afar_keeps_the_finer_place_and_the_higher_confidence() -> None:
    near, afar = detections([_BOX], [0.55]), detections([[5.0, 5.0, 110.0, 115.0]], [0.9])
    found = merge_with_afar(near, afar)
    assert found.boxes_xyxy.tolist() == [_BOX]
    np.testing.assert_allclose(found.confidences, [0.9])


def test_faces_are_the_largest_first_once_their_landmarks_are_found_again() -> None:
    small, large = [0.0, 0.0, 40.0, 40.0], [100.0, 0.0, 300.0, 200.0]
    image = Image.of(np.zeros((300, 400, 3), np.uint8))
    again, certainties = Detector(Spots(), DetectorSettings()).upright(
        image, detections([small, large], [0.9, 0.6])
    )
    assert again.boxes_xyxy.tolist() == [large, small]
    assert certainties.tolist() == [0, 0]


def test_a_picture_without_faces_is_shown_once_from_near_where_it_is_searched_once() -> None:
    image, often, once = spotted(640, 480, (0, 0, 0, 0)), Spots(), Spots()
    assert not len(Detector(often, DetectorSettings()).detect(image))
    assert not len(Detector(once, DetectorSettings()).detect_once(image))
    assert len(often.shown) == 6
    assert once.shown == often.shown[:2]


@pytest.mark.parametrize(
    ("least", "shown"),
    [(0, 1152), (53, 1152), (54, 640), (90, 426), (300, 116)],
    ids=["any", "not quite", "half", "a third", "very large"],
)
def test_a_smaller_copy_is_searched_once_where_small_faces_may_be_missed(
    least: float, shown: int
) -> None:
    detector, image = Detector(Spots(), DetectorSettings()), spotted(1280, 720, (0, 0, 400, 500))
    assert len(detector.detect_once(image, least)) == 1
    search = detector.search_of(image, least)
    assert search.width == shown
    assert search.smallest_face <= max(least, 27)
