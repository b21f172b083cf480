"""Says faces and references in AWS's words: boxes and points as ratios of the picture.

Likeness' signs of roll, yaw and pitch are AWS's: roll is positive when the head is turned clockwise
in the picture, yaw when it turns towards the picture's right, pitch when it looks up.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Protocol
from uuid import UUID

from likeness.errors import required
from likeness.gallery import Candidate, Collection, Reference, Subject
from likeness.rekognition.call import Call, Request, Response
from likeness.service.search.faces import BEST, FIT, GOOD, QualityBar
from likeness.service.search.naming import Expected
from likeness.terms import Box, Face, GroupWarning
from likeness.vision.decode import Sample
from likeness.vision.models.template_model import recogniser_of

# How many false candidates to expect of a search, or how often strangers score as a comparison did.
ANY_HEADER, AT_HAND_HEADER = "X-Likeness-Any-Strangers", "X-Likeness-Strangers-At-Hand"
EXTRAPOLATED_HEADER = "X-Likeness-Extrapolated"
GROUP_HEADER = "X-Likeness-Group-Warning"
_DIGITS_OF_KNOWN_FACES = 6
_LONGEST_GROUP = 100
_LANDMARKS = {
    "eyeLeft": "eye_left",
    "eyeRight": "eye_right",
    "nose": "nose",
    "mouthLeft": "mouth_left",
    "mouthRight": "mouth_right",
}
_BARS: Mapping[str, QualityBar | None] = {
    "NONE": None,
    "AUTO": FIT,
    "LOW": FIT,
    "MEDIUM": GOOD,
    "HIGH": BEST,
}


def size_of(sample: Sample) -> tuple[int, int]:
    """Width and height of the upright picture, in pixels."""
    return sample.header.upright_wh


def bounding_box(box: Box, size: tuple[int, int]) -> Response:
    """Say where a face is in a picture of some width and height."""
    width, height = size
    return {
        "Width": (box.right - box.left) / width,
        "Height": (box.bottom - box.top) / height,
        "Left": box.left / width,
        "Top": box.top / height,
    }


def face_detail(face: Face, size: tuple[int, int]) -> Response:
    """Say all that is known of a face: whatever attributes are asked for."""
    points = {kind: getattr(face.landmarks, name) for kind, name in _LANDMARKS.items()}
    return {
        "BoundingBox": bounding_box(face.box, size),
        "Confidence": 100 * face.confidence,
        "Landmarks": [
            {"Type": kind, "X": point.x / size[0], "Y": point.y / size[1]}
            for kind, point in points.items()
        ],
        "Pose": {"Roll": face.pose.roll, "Yaw": face.pose.yaw, "Pitch": face.pose.pitch},
        "Quality": {"Brightness": face.quality.brightness, "Sharpness": face.quality.sharpness},
    }


def known_face(reference: Reference, subject: Subject | None) -> Response:
    """Say what is kept of an enrolled face."""
    box = bounding_box(reference.details.face.box, reference.details.sample_size)
    return {
        "FaceId": str(reference.id),
        "BoundingBox": {side: round(x, _DIGITS_OF_KNOWN_FACES) for side, x in box.items()},
        # AWS's are of version 5: made from the picture.
        "ImageId": str(UUID(bytes=reference.sample_id.bytes, version=5)),
        "ExternalImageId": reference.details.external_id,
        "Confidence": 100 * reference.details.face.confidence,
        "UserId": None if subject is None else subject.name,
    }


class Matched(Protocol):
    """Somebody who was found, and how alike they are, 0 to 100."""

    @property
    def candidate(self) -> Candidate:
        """Who."""

    @property
    def similarity(self) -> float:
        """How alike."""


def face_matches(matches: Iterable[Matched]) -> list[Response]:
    """Say which faces a search found."""
    return [
        {
            "Similarity": one.similarity,
            "Face": known_face(
                required(one.candidate.reference, "the reference that was found"),
                one.candidate.subject,
            ),
        }
        for one in matches
    ]


def face_model_version(model: str) -> str:
    """Name a model shortly: its recogniser, and a digest of all that templates depend on."""
    return f"{recogniser_of(model)}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def collection_arn(collection: Collection, region: str, account: str) -> str:
    """Give a collection's ARN, without the `arn:` that some answers begin it with."""
    return f"aws:rekognition:{region}:{account}:collection/{collection.name}"


def quality_bar(request: Request, default: str) -> QualityBar | None:
    """Say what a request's `QualityFilter` asks of faces; None for nothing."""
    return _BARS[request.get("QualityFilter", default)]


def say_rates(call: Call, rates: Expected) -> None:
    """Say in headers what any strangers make likely, and what those at hand do."""
    call.headers[ANY_HEADER] = f"{rates.by_any:.3g}"
    if rates.by_those_at_hand is not None:
        call.headers[AT_HAND_HEADER] = f"{rates.by_those_at_hand:.3g} {rates.whose}"
    if rates.extrapolated:
        call.headers[EXTRAPOLATED_HEADER] = "true"


def warn_of_groups(call: Call, warning: GroupWarning | None) -> None:
    """Say in a header which group's strangers match how many times as often as was asked for."""
    if warning is not None:
        # As JSON writes a text, it is ASCII without line breaks.
        worst = json.dumps(warning.group[:_LONGEST_GROUP])
        call.headers[GROUP_HEADER] = (
            f"times={warning.times:.3g}; groups={warning.groups}; worst={worst}"
        )
