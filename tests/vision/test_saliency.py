"""Saliency: what is hidden costs score where the network looked, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.app import Installation, Workload
from likeness.artifacts import PinnedFile
from likeness.artifacts.catalogue import CENTERFACE, DLIB_RESNET, SAMPLES
from likeness.config import Settings
from likeness.terms import Image
from likeness.vision.decode import read_sample
from likeness.vision.embed import ARCFACE_LAYOUT, Chips, Recogniser, cut_chips
from likeness.vision.saliency import GRID, Embed, Saliency, compute_saliency, hide, parts_of
from likeness.vision.side_by_side import HEIGHT, WIDTH, chip_to_level, level_eyes

SIDE = 110
STEP = SIDE // GRID
Pixels = NDArray[np.uint8]


def chip(seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)


def look_at(rows: slice, columns: slice) -> Embed:
    """A network that sees the pixels of one region alone."""

    def embed(chips: Pixels) -> NDArray[np.float32]:
        seen = chips[:, rows, columns].reshape(len(chips), -1).astype(np.float32) - 128
        return seen / np.linalg.norm(seen, axis=1, keepdims=True)

    return embed


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return (a * b).sum(axis=1)


def saliency_at(row: int, column: int, other: Pixels | None = None) -> Saliency:
    region = (
        slice(row * STEP, (row + 1) * STEP),
        slice(column * STEP, (column + 1) * STEP),
    )
    one = chip()
    return compute_saliency(one, one if other is None else other, look_at(*region), cosines)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 6), (9, 9)])
def test_the_patch_that_is_looked_at_counts_most(row: int, column: int) -> None:
    found = saliency_at(row, column)
    for values in (found.probe, found.candidate):
        assert values.shape == (GRID, GRID)
        assert np.unravel_index(values.argmax(), values.shape) == (row, column)
        away = np.abs(np.indices(values.shape) - np.array([row, column])[:, None, None]).max(axis=0)
        assert np.abs(values[away > 1]).max() == pytest.approx(0, abs=1e-6)
    assert found.score == pytest.approx(1)
    assert found.strongest == values[row, column]


def test_what_makes_two_different_is_below_zero() -> None:
    other = chip()
    other[3 * STEP : 4 * STEP, 4 * STEP : 5 * STEP] = (
        255 - other[3 * STEP : 4 * STEP, 4 * STEP : 5 * STEP]
    )
    everything = slice(0, SIDE)
    found = compute_saliency(chip(), other, look_at(everything, everything), cosines)
    for values in (found.probe, found.candidate):
        assert np.unravel_index(values.argmin(), values.shape) == (3, 4)
        assert values.min() < 0 < values.max()


def test_what_is_hidden_is_of_one_colour_and_the_rest_stays() -> None:
    patches = np.zeros((GRID, GRID), np.bool_)
    patches[5, 5] = True
    one = chip()
    hidden = hide(one, patches)
    middle = hidden[5 * STEP + 3 : 6 * STEP - 3, 5 * STEP + 3 : 6 * STEP - 3].reshape(-1, 3)
    assert np.ptp(middle, axis=0).max() == 0
    assert (hidden[: 4 * STEP] == one[: 4 * STEP]).all()


def test_parts_are_named_where_a_map_is_high() -> None:
    values = np.zeros((GRID, GRID), np.float32)
    step = ARCFACE_LAYOUT.side / GRID
    for strength, (x, y) in zip((3, 2), ARCFACE_LAYOUT.points_xy[1:3], strict=True):
        values[int(y / step), int(x / step)] = strength
    assert parts_of(values, ARCFACE_LAYOUT) == ["eye_right", "nose"]
    assert parts_of(-values, ARCFACE_LAYOUT) == []


def test_eyes_are_level_and_at_one_place_whatever_the_picture() -> None:
    pixels = np.full((300, 400, 3), 90, np.uint8)
    landmarks = np.array([(150, 120), (230, 160), (180, 180), (140, 200), (200, 230)], np.float32)
    for centre, colour in zip(landmarks[:2], ((255, 0, 0), (0, 0, 255)), strict=True):
        x, y = centre.astype(int)
        pixels[y - 6 : y + 6, x - 6 : x + 6] = colour
    level = level_eyes(Image.of(pixels), landmarks)
    assert level.pixels.shape == (HEIGHT, WIDTH, 3)
    eyes = landmarks[:2] @ level.transform[:, :2].T + level.transform[:, 2]
    assert eyes[0, 1] == pytest.approx(eyes[1, 1])
    for (x, y), channel in zip(eyes, (0, 2), strict=True):
        assert level.pixels[round(y), round(x)].argmax() == channel
    half = Image(pixels[::2, ::2], 400, 300)
    np.testing.assert_allclose(level_eyes(half, landmarks).transform, level.transform)


def test_a_chip_lies_on_the_level_picture_where_its_face_does() -> None:
    landmarks = np.array([(150, 120), (230, 160), (180, 180), (140, 200), (200, 230)], np.float32)
    image = Image.of(np.zeros((300, 400, 3), np.uint8))
    level = level_eyes(image, landmarks)
    onto = chip_to_level(image, landmarks, ARCFACE_LAYOUT, level)
    points = np.array(ARCFACE_LAYOUT.points_xy) + 0.5
    laid = points @ onto[:, :2].T + onto[:, 2]
    eyes = landmarks @ level.transform[:, :2].T + level.transform[:, 2]
    assert np.hypot(*(laid - eyes).T).max() < 60  # the five points of a face are fitted, not met
    assert np.hypot(*(laid.mean(axis=0) - eyes.mean(axis=0))) < 1


@pytest.mark.models
def test_hiding_the_top_regions_costs_more_score_than_hiding_random_ones(
    artifact: Callable[[PinnedFile], Path], cache_dir: Path, tmp_path: Path
) -> None:
    photographs = [artifact(one) for one in SAMPLES]
    artifact(CENTERFACE)
    artifact(DLIB_RESNET)
    installation = Installation(
        Settings(home=tmp_path, cache=cache_dir, recogniser="dlib-resnet-v1")
    )
    finder = installation.finder(installation.engine(Workload.MANY))
    draws = np.random.default_rng(4)
    costs = []
    for path in photographs:
        located = finder.locate(read_sample(path))
        landmarks = located.detections.landmarks_xy[located.foremost][None]
        one = cut_chips(located.image, landmarks, finder.layout, Chips.MIRRORED)[0]
        costs.append(_costs(finder._recogniser, one[0], one[1], draws))
    top, random = np.array(costs).T
    assert (top > random).all()
    assert top.mean() > 2 * random.mean()


def _costs(
    recogniser: Recogniser, probe: Pixels, other: Pixels, draws: np.random.Generator
) -> tuple[float, float]:
    """What hiding a tenth of a face costs of a score: the top of it, and one drawn."""
    found = compute_saliency(probe, other, recogniser.vectors_of_chips, recogniser.scores)
    other_vector = recogniser.vectors_of_chips(other[None])

    def cost(patches: NDArray[np.bool_]) -> float:
        hidden = recogniser.vectors_of_chips(hide(probe, patches)[None])
        return float(found.score - recogniser.scores(hidden, other_vector)[0])

    most = GRID * GRID // 10
    top = np.zeros(GRID * GRID, np.bool_)
    top[np.argsort(-found.probe, axis=None)[:most]] = True
    random = []
    for _ in range(10):
        patches = np.zeros(GRID * GRID, np.bool_)
        patches[draws.choice(GRID * GRID, most, replace=False)] = True
        random.append(cost(patches.reshape(GRID, GRID)))
    return cost(top.reshape(GRID, GRID)), float(np.mean(random))
