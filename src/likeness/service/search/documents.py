"""What acts on faces found, as documents: stable keys, numbers as exact as they are meant.

Every door that answers in JSON of ours gives these. Boxes and landmarks are pixels of the whole
picture, angles degrees, rates shares of one.
"""

from typing import TYPE_CHECKING, Any

from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.verify import Verification
from likeness.terms import Face, GroupWarning, OperatingPoint, Point
from likeness.vision.decode import Sample
from likeness.vision.find import Located

if TYPE_CHECKING:
    # Who compares loose pictures does not wait for what a home takes.
    from likeness.service.search.pictures import ComparedFace, ComparedFaces

Json = dict[str, Any]


def sample_json(sample: Sample) -> Json:
    """A picture: its size, and what of it was lost or guessed in decoding."""
    return {
        "width": sample.width,
        "height": sample.height,
        "remarks": list(sample.remarks),
    }


def located_json(sample: Sample, located: Located) -> Json:
    """A picture, how closely it was searched, and its faces."""
    search = located.search
    return {
        **sample_json(sample),
        "searched": {
            "width": search.width,
            "height": search.height,
            "smallest_face": search.smallest_face,
        },
        "faces": [face_json(face) for face in located.faces],
    }


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


def identified_json(named: Identified) -> Json:
    """A picture, who its faces may be, and what people have to decide about it."""
    return {
        **sample_json(named.sample),
        "faces": [identification_json(each) for each in named.faces],
        "withheld": named.withheld,
        "cases": [str(one) for one in named.case_ids],
    }


def compared_json(found: "ComparedFaces") -> Json:
    """The faces of one picture that are like the largest of another, and those that are not."""
    return {
        "source": {**sample_json(found.source), "face": face_json(found.source_face)},
        "target": sample_json(found.target),
        "matches": [_compared_face_json(one) for one in found.matches],
        "others": [face_json(one.face) for one in found.others],
        "group_warning": warning_json(found.group_warning),
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


def _compared_face_json(one: "ComparedFace") -> Json:
    expected = one.expected
    alike = expected.by_those_at_hand
    return {
        "similarity": round(one.similarity, 2),
        "fmr_any": significant(expected.by_any),
        "fmr_alike": None if alike is None else significant(alike),
        "extrapolated": expected.extrapolated,
        "face": face_json(one.face),
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
