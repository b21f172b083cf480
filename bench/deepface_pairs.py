"""The 300 pairs of deepface's own tests, at the threshold for FMR 1e-3."""

import csv

import numpy as np

from bench.embedded import embed_files, likeness
from bench.figure import Beside, Figure, Measurement, at_least
from bench.workplace import data

_FMR = 1e-3


def _measure(full: bool) -> Measurement:
    folder = data("deepface_pairs")
    with (folder / "master.csv").open(newline="", encoding="utf-8-sig") as file:
        pairs = [[field.strip() for field in row] for row in csv.reader(file)][1:]
    names = sorted({name for *both, _ in pairs for name in both})
    ones, others = np.array([[names.index(name) for name in both] for *both, _ in pairs]).T
    mated = np.array([decision == "Yes" for *_, decision in pairs])
    scores = embed_files([folder / name for name in names]).scores()[ones, others]
    point = likeness().calibration.point(_FMR)
    scored = np.isfinite(scores)
    # A pair without a score is not right, whatever it should have been.
    right = scored & ((scores >= point.threshold) == mated)
    return Measurement(
        int(right.sum()),
        f"{mated.sum()} mated and {(~mated).sum()} non-mated pairs; deciding score, threshold"
        f" {point.threshold:.3f} for FMR {_FMR:g}; {(~scored).sum()} pairs without a face",
        (
            Beside("lowest-mated", float(scores[mated & scored].min()), "score", "mated pairs"),
            Beside("highest-non-mated", float(scores[~mated].max()), "score", "non-mated pairs"),
        ),
    )


FIGURES = (Figure("deepface-pairs", "right of 300", at_least(300), _measure),)
