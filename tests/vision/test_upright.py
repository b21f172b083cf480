from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detections import Detections, FaceNetwork
from likeness.vision.embed import DLIB_LAYOUT
from likeness.vision.upright import find_upright, find_upright_again, find_upright_once

_BOX_SIDE = 200  # of a face as `turned` makes it
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


class Spots(FaceNetwork):
    """A network that finds a face where there is a spot of each of five colours.

    It places all points `too_far_right` pixels.
    """

    def __init__(self, too_far_right: float = 0.0) -> None:
        self._shift = np.array([too_far_right, 0.0])

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        points = []
        for colour in COLOURS:
            away = np.abs(canvas.astype(int) - colour).sum(axis=2)
            rows, columns = np.nonzero(away < 150)
            if not len(rows):
                return detections(np.empty((0, 5, 2)), [])
            points.append((columns.mean() + 0.5, rows.mean() + 0.5))
        if points[0][0] > points[1][0]:  # in a mirror, left is what is on the left
            points = [points[i] for i in (1, 0, 2, 4, 3)]
        return detections(np.array([points]) + self._shift, [0.9])


class Nobody(FaceNetwork):
    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        return detections(np.empty((0, 5, 2)), [])


class Neighbour(FaceNetwork):
    """A network that sees a face in the corner, more confident than any."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        return detections(np.full((1, 5, 2), 3.0), [1.0])


def detections(points: np.ndarray, confidences: list[float]) -> Detections:
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    return Detections(
        boxes.astype(np.float32), points.astype(np.float32), np.array(confidences, np.float32)
    )


def faces(*points: np.ndarray) -> Detections:
    """Findings whose boxes are as large as faces with these landmarks have."""
    found = detections(np.stack(points), [0.8] * len(points))
    middles = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
    sides = np.full((len(points), 2), _BOX_SIDE) / 2
    boxes = np.concatenate([middles - sides, middles + sides], axis=1).astype(np.float32)
    return replace(found, boxes_xyxy=boxes)


def turned(degrees: float, zoom: float = 1.5) -> np.ndarray:
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array(DLIB_LAYOUT.points_xy) - DLIB_LAYOUT.side / 2
    return (points @ rotation.T * zoom + (300, 200)).astype(np.float32)


def spotted(points: np.ndarray) -> Image:
    pixels = np.full((400, 600, 3), 128, np.uint8)
    for point, colour in zip(points, COLOURS, strict=True):
        cv2.circle(pixels, tuple(round(v) for v in point.tolist()), 9, colour, cv2.FILLED)
    return Image.of(pixels)


@pytest.mark.parametrize("degrees", [0, 25, -50, 120])
@pytest.mark.parametrize("reduced", [False, True])
def test_landmarks_come_to_where_the_network_finds_them_upright(
    degrees: float, reduced: bool
) -> None:
    truth = turned(degrees)
    image = spotted(truth)
    if reduced:
        image = Image(np.ascontiguousarray(image.pixels[::2, ::2]), 600, 400)
    guess = turned(degrees - 15) + 4
    again, certainties = find_upright(Spots(), image, faces(guess, guess))
    found = again.landmarks_xy
    np.testing.assert_allclose(certainties, 0.9)
    assert found.shape == (2, 5, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], truth, atol=2.5)


def test_what_a_network_places_too_far_to_one_side_comes_to_the_middle() -> None:
    truth = turned(0)
    found, _ = find_upright(Spots(too_far_right=2), spotted(truth), faces(truth))
    assert abs(float((found.landmarks_xy[0] - truth)[:, 0].mean())) < 0.7


@pytest.mark.parametrize("network", [Nobody(), Neighbour()], ids=["nobody", "neighbour"])
def test_landmarks_of_a_face_that_is_not_found_again_stay(network: Nobody | Neighbour) -> None:
    guess = turned(10)
    found, certainties = find_upright(network, spotted(turned(0)), faces(guess))
    np.testing.assert_array_equal(found.landmarks_xy[0], guess)
    assert certainties.tolist() == [0]


def test_landmarks_given_are_not_changed() -> None:
    guess = faces(turned(10))
    before = guess.landmarks_xy.copy()
    find_upright(Spots(), spotted(turned(0)), guess)
    np.testing.assert_array_equal(guess.landmarks_xy, before)


def test_points_that_coincide_stay_finite() -> None:
    guess = faces(np.full((5, 2), 50, np.float32))
    assert np.isfinite(find_upright(Spots(), spotted(turned(0)), guess)[0].landmarks_xy).all()


class Upright(Spots):
    """A network that is sure of upright faces, and takes others for some that are upright."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        found = super().find(canvas, threshold)
        if not len(found):
            return found
        eyes, mouth = found.landmarks_xy[0, :2].mean(axis=0), found.landmarks_xy[0, 3:].mean(axis=0)
        down = (mouth - eyes) / np.hypot(*(mouth - eyes))
        points = found.landmarks_xy if down[1] > 0.7 else found.landmarks_xy[:, [3, 4, 2, 0, 1]]
        return detections(points, [0.9 if down[1] > 0.7 else 0.5])


@pytest.mark.parametrize("degrees", [0, 90, 135, 180, -90])
def test_face_that_is_not_seen_upright_is_looked_for_at_other_angles(degrees: float) -> None:
    truth = turned(degrees)
    wrong = faces(truth[[3, 4, 2, 0, 1]])
    found, certainties = find_upright(Upright(), spotted(truth), wrong)
    np.testing.assert_allclose(found.landmarks_xy[0], truth, atol=2.5)
    assert certainties[0] == pytest.approx(0.9)
    if degrees:
        left, top, right, bottom = found.boxes_xyxy[0]
        assert (left < truth[:, 0]).all() and (truth[:, 0] < right).all()
        assert (top < truth[:, 1]).all() and (truth[:, 1] < bottom).all()
        upright = abs(np.cos(np.deg2rad(degrees))) > 0.5
        assert (bottom - top > right - left) == upright


@pytest.mark.slow
def test_a_crowd_of_doubtful_faces_costs_no_more_than_a_few_of_them() -> None:
    class Doubting(Spots):
        shown = 0

        def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
            self.shown += 1
            return replace(super().find(canvas, threshold), confidences=np.array([0.5], np.float32))

    def shown(count: int) -> int:
        network = Doubting()
        find_upright(network, spotted(turned(0)), faces(*[turned(0)] * count))
        return network.shown

    assert (shown(1), shown(16), shown(50)) == (10, 16 * 10, 50 * 3 + 16 * 7)


def test_landmarks_are_found_again_from_one_chip_where_coarse_ones_do() -> None:
    class Counting(Spots):
        shown = 0

        def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
            self.shown += 1
            return super().find(canvas, threshold)

    truth, network = turned(25), Counting()
    image, guess = spotted(truth), faces(turned(10) + 4)
    found, certainties = find_upright_once(network, image, guess)
    assert network.shown == 1
    np.testing.assert_allclose(found.landmarks_xy[0], truth, atol=4)
    np.testing.assert_allclose(certainties, 0.9)
    again_xy = find_upright_again(network, image, found.landmarks_xy)
    np.testing.assert_array_equal(again_xy, find_upright(Spots(), image, guess)[0].landmarks_xy)


class Counting(Nobody):
    """A network that remembers the most chips that it was shown at once."""

    most = 0

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        self.most = max(self.most, len(canvases))
        return super().find_each(canvases, threshold)


def test_of_a_crowd_few_chips_are_looked_at_at_once() -> None:
    network = Counting()
    points = np.random.default_rng(0).uniform(0, 60, (150, 5, 2))
    found, certainties = find_upright(
        network, Image.of(np.zeros((64, 64, 3), np.uint8)), faces(*points)
    )
    assert len(found) == len(certainties) == 150
    assert 16 <= network.most <= 32
