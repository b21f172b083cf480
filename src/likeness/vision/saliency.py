"""Which regions make two faces alike or different to a network: how much each counts when hidden.

Of both chips one patch after the other is painted over, and the pair is compared again: a score
that falls lost what made the two alike, one that rises lost what made them different. The network
is asked as it is, so that the answer is about it and nothing else (Zeiler and Fergus, Visualizing
and understanding convolutional networks, 2014; for pairs of faces: Castanon and Byrne, Visualizing
and quantifying discriminative features for face recognition, 2018). It says what the network went
by, and not whether that is right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import in_parallel
from likeness.vision.embed import ChipLayout

Floats = NDArray[np.float32]
Vectors = NDArray[np.float32]

GRID = 10
"""Patches along each side of a chip."""
# Few at a time stay in the processor's caches; enough batches that no thread is idle at the end.
_AT_ONCE, _WORKERS = 17, 6
# Patches overlap what they are shown as by so much of its side, so that no feature lies on an edge.
_MARGIN = 0.5

Embed = Callable[[NDArray[np.uint8]], Vectors]
"""Gives (n, d) vectors of length one for (n, side, side, 3) chips."""
Score = Callable[[Vectors, Vectors], NDArray[np.floating]]
"""Gives (n,) scores for (n, d) vectors and (n, d) or (1, d) others; higher is more alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Saliency:
    """What each patch of two chips adds to their score: (GRID, GRID) each, rows from the top.

    Above zero it makes the two alike, below zero it makes them different. `score` is that of both
    chips as they are.
    """

    probe: Floats
    candidate: Floats
    score: float

    @property
    def strongest(self) -> float:
        """The largest share that any patch has, either way."""
        return float(max(np.abs(self.probe).max(), np.abs(self.candidate).max()))


def compute_saliency(
    probe: NDArray[np.uint8], candidate: NDArray[np.uint8], embed: Embed, score: Score
) -> Saliency:
    """Compute what each patch of two (side, side, 3) chips adds to their score.

    `embed` and `score` are called from several threads, which compute as much as they may.
    """
    chips = np.concatenate(
        [probe[None], candidate[None], _each_hidden(probe), _each_hidden(candidate)]
    )
    batches = (chips[start : start + _AT_ONCE] for start in range(0, len(chips), _AT_ONCE))
    vectors = np.concatenate(list(in_parallel(embed, batches, _WORKERS)))
    whole_probe, whole_candidate = vectors[:1], vectors[1:2]
    hidden_probe, hidden_candidate = np.split(vectors[2:], 2)
    pairs = [
        (whole_probe, whole_candidate),
        (hidden_probe, whole_candidate),
        (hidden_candidate, whole_probe),
    ]
    whole, of_probe, of_candidate = in_parallel(lambda pair: score(*pair), pairs, _WORKERS)
    return Saliency(_map(whole - of_probe), _map(whole - of_candidate), float(whole[0]))


def hide(chip: NDArray[np.uint8], patches: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Paint (GRID, GRID) patches of a chip over with its mean colour; edges are soft."""
    return _painted(chip, _soft(patches, len(chip)))


def _each_hidden(chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a chip as often as it has patches, each time with another one hidden."""
    hidden = np.repeat(chip[None], GRID * GRID, axis=0)
    colour = _mean_of(chip)
    for one, (rows, columns, mask) in zip(hidden, _masks(len(chip)), strict=True):
        one[rows, columns] = _painted(chip[rows, columns], mask, colour)
    return hidden


@lru_cache(maxsize=4)
def _masks(side: int) -> list[tuple[slice, slice, Floats]]:
    """Give where each patch of a chip is painted over, and how much there."""
    found = []
    for place in range(GRID * GRID):
        patches = np.zeros(GRID * GRID, np.bool_)
        patches[place] = True
        mask = _soft(patches.reshape(GRID, GRID), side)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        region = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        found.append((*region, mask[region].copy()))
    return found


def _soft(patches: NDArray[np.bool_], side: int) -> Floats:
    """Say how much of each pixel is painted over, 0 to 1: (side, side)."""
    mask = cv2.resize(patches.astype(np.float32), (side, side), interpolation=cv2.INTER_NEAREST)
    margin = max(1, round(_MARGIN * side / GRID))
    grown = cv2.dilate(mask, np.ones((margin | 1, margin | 1), np.uint8))
    return np.asarray(cv2.blur(grown, (margin, margin)), np.float32)


def _painted(
    pixels: NDArray[np.uint8], mask: Floats, colour: Floats | None = None
) -> NDArray[np.uint8]:
    colour = _mean_of(pixels) if colour is None else colour
    soft = mask[..., None]
    return np.asarray(np.rint(pixels * (1 - soft) + colour * soft), np.uint8)


def _mean_of(pixels: NDArray[np.uint8]) -> Floats:
    return np.asarray(pixels.reshape(-1, 3).mean(axis=0, dtype=np.float32))


def _map(lost: NDArray[np.floating]) -> Floats:
    return np.asarray(lost, np.float32).reshape(GRID, GRID)


# Parts of an upright face, in units of the distance between its eyes, from the point between them:
# to the picture's right, and down.
_PARTS = {
    "forehead": (0.0, -0.75),
    "eyebrow_left": (-0.5, -0.33),
    "eyebrow_right": (0.5, -0.33),
    "eye_left": (-0.5, 0.0),
    "eye_right": (0.5, 0.0),
    "nose_bridge": (0.0, 0.1),
    "nose": (0.0, 0.6),
    "cheek_left": (-0.65, 0.6),
    "cheek_right": (0.65, 0.6),
    "mouth": (0.0, 1.1),
    "chin": (0.0, 1.65),
    "jaw_left": (-0.75, 1.3),
    "jaw_right": (0.75, 1.3),
    "temple_left": (-1.1, -0.2),
    "temple_right": (1.1, -0.2),
}


def parts_of(values: Floats, layout: ChipLayout, most: int = 3) -> list[str]:
    """Name the parts of a face that have most of a map in all, at most so many, most first.

    Left and right are the picture's. Where no part is above zero there is none.
    """
    (left_x, left_y), (right_x, right_y) = layout.points_xy[:2]
    middle = np.array([(left_x + right_x) / 2, (left_y + right_y) / 2])
    unit = max(right_x - left_x, 1e-6)
    named, places = list(_PARTS), np.array(list(_PARTS.values()))
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    centres = (np.column_stack([columns, rows]) + 0.5) * layout.side / GRID
    apart = np.linalg.norm((centres - middle)[:, None] / unit - places, axis=2)
    of_parts = np.bincount(apart.argmin(axis=1), values.ravel(), minlength=len(named))
    ordered = np.argsort(-of_parts, kind="stable")[:most]
    return [named[one] for one in ordered if of_parts[one] > 0]
