"""Score tracks by TrackEval: `{clips}` in, IDF1, HOTA, switches and more out, over all clips.

A clip has `truth` and `found`: for each look the pairs of a number and a box.
"""

from typing import Any

import numpy as np
from serve import serve
from trackeval.metrics import CLEAR, HOTA, Identity

Look = list[tuple[int, list[float]]]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Combine the clips as TrackEval does."""
    clips = [_prepared(clip["truth"], clip["found"]) for clip in request["clips"]]
    scores: dict[str, Any] = {}
    for metric in (Identity({"PRINT_CONFIG": False}), CLEAR({"PRINT_CONFIG": False}), HOTA()):
        each = {str(place): metric.eval_sequence(clip) for place, clip in enumerate(clips)}
        scores |= metric.combine_sequences(each)
    return {
        "idf1": float(scores["IDF1"]),
        "switches": int(scores["IDSW"]),
        "recall": float(scores["CLR_Re"]),
        "precision": float(scores["CLR_Pr"]),
        "hota": float(np.mean(scores["HOTA"])),
    }


def _prepared(truth: list[Look], found: list[Look]) -> dict[str, Any]:
    """Lay a clip out as TrackEval wants it: numbers from 0 without gaps, and overlaps."""
    true_ids, true_boxes = _columns(truth)
    found_ids, found_boxes = _columns(found)
    return {
        "num_timesteps": len(truth),
        "num_gt_ids": len(set(np.concatenate(true_ids).tolist())),
        "num_tracker_ids": len(set(np.concatenate(found_ids).tolist())),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, found_ids)),
        "gt_ids": _without_gaps(true_ids),
        "tracker_ids": _without_gaps(found_ids),
        "similarity_scores": [
            _overlaps(a, b) for a, b in zip(true_boxes, found_boxes, strict=True)
        ],
    }


def _columns(looks: list[Look]) -> tuple[list[Any], list[Any]]:
    ids = [np.array([number for number, _ in look], int) for look in looks]
    return ids, [np.array([box for _, box in look], float).reshape(-1, 4) for look in looks]


def _without_gaps(ids: list[Any]) -> list[Any]:
    known = np.unique(np.concatenate(ids))
    return [np.searchsorted(known, one) for one in ids]


def _overlaps(one: Any, other: Any) -> Any:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


serve(answer)
