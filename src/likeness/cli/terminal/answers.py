"""What commands answer with, as JSON: stable keys, numbers as exact as they are meant.

Boxes and landmarks are pixels of the whole picture, angles degrees, rates shares of one.
"""

import json
from collections.abc import Iterable
from typing import Any

from likeness.cli.terminal.exit_codes import DOCUMENT_PRINTED
from likeness.cli.terminal.plain_text import plain
from likeness.errors import LikenessError
from likeness.service.search.identify import Candidate, Identification
from likeness.service.search.verify import Verification
from likeness.terms import Face, GroupWarning, OperatingPoint, Point

Json = dict[str, Any]


def print_json(document: Json) -> None:
    """Print the one document of a command, in ASCII: it is valid and harmless on any stream."""
    DOCUMENT_PRINTED.set(True)
    print(json.dumps(document, indent=2, allow_nan=False))


def print_json_line(document: Json) -> None:
    """Print a document on one line, at once: an error, or one of many of a command that lasts."""
    print(json.dumps(document, allow_nan=False), flush=True)


def print_answer(as_json: bool, document: Json, lines: Iterable[str]) -> None:
    """Print what a command came to: the document where `--json` was given, else lines of text."""
    if as_json:
        print_json(document)
        return
    for line in lines:
        print(plain(line))


def face_json(face: Face) -> Json:
    """A face as a detector finds it."""
    box, pose, quality = face.box, face.pose, face.quality
    return {
        "box": {
            "left": round(box.left, 1),
            "top": round(box.top, 1),
            "right": round(box.right, 1),
            "bottom": round(box.bottom, 1),
        },
        "landmarks": {
            "eye_left": _point_json(face.landmarks.eye_left),
            "eye_right": _point_json(face.landmarks.eye_right),
            "nose": _point_json(face.landmarks.nose),
            "mouth_left": _point_json(face.landmarks.mouth_left),
            "mouth_right": _point_json(face.landmarks.mouth_right),
        },
        "confidence": round(face.confidence, 4),
        "pose": {
            "yaw": round(pose.yaw, 1),
            "pitch": round(pose.pitch, 1),
            "roll": round(pose.roll, 1),
        },
        "quality": {
            "brightness": round(quality.brightness, 1),
            "sharpness": round(quality.sharpness, 1),
            "size": round(quality.size, 1),
            "fit_to_enrol": quality.fit_to_enrol,
            "reasons": list(quality.reasons),
        },
    }


def verification_json(verification: Verification) -> Json:
    """What comparing two faces came to."""
    gate, alike = verification.gate, verification.fmr_alike
    return {
        "same": verification.same,
        "answer": verification.answer,
        "reason": verification.reason,
        **_scores_json(verification),
        "fmr_any": significant(verification.fmr_any),
        "fmr_alike": None if alike is None else significant(alike),
        "extrapolated": verification.extrapolated,
        "operating_point": {
            **point_json(verification.point),
            "fmr_any": significant(gate.fmr),
            "fnmr": None if verification.fnmr is None else significant(verification.fnmr),
        },
        "refer": {
            "fnmr": significant(gate.fnmr),
            "from_score": None if gate.no_below is None else round(gate.no_below, 4),
        },
        "reference_face": face_json(verification.reference),
        "probe_face": face_json(verification.probe),
        "reference_faces": verification.reference_faces,
        "probe_faces": verification.probe_faces,
        "reference_remarks": list(verification.reference_remarks),
        "probe_remarks": list(verification.probe_remarks),
        "faces_compared": gate.faces,
        "others": [
            {
                "same": other.same,
                "answer": other.answer,
                **_scores_json(other),
                "probe_face": face_json(other.probe),
            }
            for other in verification.others
        ],
        "group_warning": warning_json(verification.group_warning),
    }


def identification_json(identification: Identification) -> Json:
    """A face and who it may be; `match` is a name, an unnamed reference's id, or null."""
    match = identification.match
    return {
        "match": match.name if match else None,
        "candidates": [_candidate_json(candidate) for candidate in identification.candidates],
        "face": face_json(identification.face),
    }


def point_json(point: OperatingPoint) -> Json:
    """The threshold in force and the rate that it stands for."""
    return {
        "threshold": round(point.threshold, 4),
        "fmr": significant(point.fmr),
        "calibrated": point.calibrated,
        "extrapolated": point.extrapolated,
    }


def warning_json(warning: GroupWarning | None) -> Json | None:
    """Which group's strangers match far more often than was asked for; null for none."""
    if warning is None:
        return None
    return {
        "group": warning.group,
        "fmr": significant(warning.fmr),
        "fmr_interval": [significant(warning.low), significant(warning.high)],
        "asked_for": significant(warning.asked_for),
        "times": significant(warning.times),
        "warn_from": warning.warn_from,
        "groups": warning.groups,
    }


def error_json(error: LikenessError) -> Json:
    """Why there is no answer."""
    return failure_json(error.kind, str(error))


def failure_json(kind: str, message: str) -> Json:
    """Why there is no answer; `type` is a name of the tree in `likeness.errors`, and so is `kind`.

    The latter is what 0.1.0 calls it.
    """
    return {"type": kind, "kind": kind, "message": message}


def significant(rate: float) -> float:
    """A rate to three significant digits."""
    return float(f"{rate:.3g}")


def _candidate_json(candidate: Candidate) -> Json:
    verdict = candidate.verdict
    return {
        "subject": candidate.subject,
        "external_id": candidate.external_id,
        "reference": None if candidate.reference_id is None else str(candidate.reference_id),
        "match": candidate.match,
        "unnamed_because": verdict.unnamed_because,
        **_scores_json(candidate),
        "fmr_at_hand": None if verdict.fmr_at_hand is None else significant(verdict.fmr_at_hand),
        "decided_by": verdict.decided_by,
        "extrapolated": verdict.extrapolated,
        "expected_false": significant(candidate.expected_false),
    }


def _scores_json(scored: Candidate | Verification) -> Json:
    interval = scored.fmr_interval
    return {
        "raw_score": round(scored.comparison.raw_score, 4),
        "score": round(scored.comparison.score, 4),
        "similarity": round(scored.similarity, 2),
        "fmr": significant(scored.fmr),
        "fmr_interval": None if interval is None else [significant(end) for end in interval],
    }


def _point_json(point: Point) -> Json:
    return {"x": round(point.x, 1), "y": round(point.y, 1)}
