"""Reads what an endpoint answers, and believes nothing that makes no sense.

Each gives what the journal keeps of an answer. A number that is none, a similarity outside 0 to
100, a face without a box or a field that is missing is `Unanswered`, in one clear line.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from likeness.service.evaluate.systems.endpoint.client import Unanswered, Unusable, printable

NO_FACE = "no face found"


def compared(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the similarity of the largest face of the target, whoever else is in it.

    A face that is not among the matches at a threshold of 0 has similarity 0.

    Raises:
        Unusable: the target has no face.
        Unanswered: it makes no sense.
    """
    faces = [
        (_area(_mapping(match, "Face")), _percent(match, "Similarity"))
        for match in _list(body, "FaceMatches")
    ]
    if "UnmatchedFaces" in body:
        faces += [(_area(face), 0.0) for face in _list(body, "UnmatchedFaces")]
    if not faces:
        raise Unusable("", NO_FACE)
    _, similarity = max(faces)
    return {"score": similarity}


def indexed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give how many faces were enrolled of a picture: one, or none and why.

    Raises:
        Unusable: there was none.
        Unanswered: it makes no sense.
    """
    records = _list(body, "FaceRecords")
    if len(records) > 1:
        raise Unanswered(_nonsense(f"{len(records)} faces were indexed where 1 was asked for"))
    if not records:
        reasons = (
            [
                printable(str(reason), 40)
                for face in _list(body, "UnindexedFaces")[:1]
                for reason in face.get("Reasons") or ()
            ]
            if "UnindexedFaces" in body
            else []
        )
        raise Unusable("", f"not enrolled: {', '.join(reasons)}" if reasons else NO_FACE)
    return {"faces": 1}


def found(body: Mapping[str, Any], numbers: Mapping[str, int], most: int) -> dict[str, Any]:
    """Give the candidates of a search as numbers of the gallery, with their similarities.

    Raises:
        Unanswered: it makes no sense.
    """
    matches = _list(body, "FaceMatches")
    if len(matches) > most:
        raise Unanswered(
            _nonsense(f"{len(matches)} candidates where at most {most} were asked for")
        )
    best: dict[int, float] = {}
    for match in matches:
        who = _mapping(match, "Face").get("ExternalImageId")
        if not isinstance(who, str) or who not in numbers:
            raise Unanswered(_nonsense("a candidate is nobody who was enrolled"))
        number = numbers[who]
        best[number] = max(best.get(number, 0.0), _percent(match, "Similarity"))
    return {"found": [[number, similarity] for number, similarity in best.items()]}


def listed(body: Mapping[str, Any]) -> list[str]:
    """Give the ids of the pictures whose faces are on a page of a collection.

    Raises:
        Unanswered: it makes no sense.
    """
    return [
        who for face in _list(body, "Faces") if isinstance(who := face.get("ExternalImageId"), str)
    ]


def detected(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give how many faces a picture has.

    Raises:
        Unanswered: it makes no sense.
    """
    return {"faces": len(_list(body, "FaceDetails"))}


def described(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is said of the sex and age of the largest face of a picture, where it is.

    Raises:
        Unusable: there is no face.
        Unanswered: it makes no sense.
    """
    faces = _list(body, "FaceDetails")
    if not faces:
        raise Unusable("", NO_FACE)
    face = max(faces, key=_area)
    said: dict[str, Any] = {"faces": len(faces)}
    if (gender := face.get("Gender")) is not None:
        if not isinstance(gender, Mapping) or not isinstance(gender.get("Value"), str):
            raise Unanswered(_nonsense("Gender has no Value"))
        said["gender"] = printable(gender["Value"], 40)
        said["gender_confidence"] = _percent(gender, "Confidence")
    if (ages := face.get("AgeRange")) is not None:
        if not isinstance(ages, Mapping):
            raise Unanswered(_nonsense("AgeRange is none"))
        low, high = (_number(ages, name) for name in ("Low", "High"))
        if not 0 <= low <= high <= 200:
            raise Unanswered(_nonsense(f"an age of {low:g} to {high:g}"))
        said["age"] = [low, high]
    return said


def version_of(body: Mapping[str, Any]) -> str:
    """Give the model that an answer names, or nothing."""
    version = body.get("FaceModelVersion")
    return printable(version, 100) if isinstance(version, str) else ""


def _nonsense(what: str) -> str:
    return f"the answer makes no sense: {what}"


def _list(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(one, Mapping) for one in values):
        raise Unanswered(_nonsense(f"{name} is missing, or is no list"))
    return values


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise Unanswered(_nonsense(f"{name} is missing"))
    return value


def _number(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unanswered(_nonsense(f"{name} is missing, or is no number"))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unanswered(_nonsense(f"{name} is {number}"))
    return number


def _percent(body: Mapping[str, Any], name: str) -> float:
    value = _number(body, name)
    if not 0 <= value <= 100.001:
        raise Unanswered(_nonsense(f"{name} is {value:g}, not between 0 and 100"))
    return value


def _area(face: Mapping[str, Any]) -> float:
    box = _mapping(face, "BoundingBox")
    return _number(box, "Width") * _number(box, "Height")
