"""How often is what the detector finds a face, by its score? Also fits the curve that says so."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.detection import overlaps, wider_searched
from bench.figure import Beside, Figure, Measurement, at_most
from likeness.vision.networks.centerface import CENTERFACE

_EDGES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
# Nearer is the same face; how well its box fits is another question.
_OVERLAP = 0.3

Floats = NDArray[np.float64]


def _likelihood(full: bool) -> Measurement:
    scores, are_faces = _finds()
    shares = []
    for low, high in pairwise(_EDGES):
        some = (scores >= low) & (scores < high)
        said = float(np.mean([CENTERFACE.likelihood(score) for score in scores[some]]))
        shares.append((low, high, int(some.sum()), float(are_faces[some].mean()), said))
    offset, slope = _fitted(scores, are_faces)
    return Measurement(
        max(abs(measured - said) for *_, measured, said in shares),
        f"of {len(scores):,} finds in wider_mini, the largest difference between the share that are"
        f" faces and what the curve says, over {len(shares)} ranges of scores; fitted anew:"
        f" {offset:.2f} + {slope:.2f} score",
        tuple(
            Beside(f"{low}-{high}", measured, "of 1", f"{count} finds; the curve says {said:.4f}")
            for low, high, count, measured, said in shares
        ),
    )


def _finds() -> tuple[Floats, Floats]:
    """Give the score of every find, and 1 where it is a face, else 0."""
    scores, are_faces = [], []
    for one in wider_searched():
        near = overlaps(one.found_xyxy, one.faces_xyxy) >= _OVERLAP
        scores.append(one.confidences)
        are_faces.append(near.any(1))
    return np.concatenate(scores).astype(float), np.concatenate(are_faces).astype(float)


def _fitted(scores: Floats, are_faces: Floats) -> tuple[float, float]:
    """Fit a logistic curve by maximum likelihood, with Newton's method."""
    design = np.stack([np.ones_like(scores), scores], axis=1)
    weights = np.zeros(2)
    for _ in range(50):
        said = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (said * (1 - said))[:, None]).T @ design
        weights += np.linalg.solve(curvature, design.T @ (are_faces - said))
    return float(weights[0]), float(weights[1])


FIGURES = (Figure("face-likelihood", "of 1", at_most(0.05), _likelihood),)
