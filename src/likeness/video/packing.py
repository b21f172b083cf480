"""Packs tracks into bytes, and unpacks the same: NumPy's archive, never a pickle."""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from likeness.terms import (
    Box,
    CohortStatistics,
    Face,
    Landmarks,
    Point,
    Pose,
    Quality,
    QualityReason,
    Template,
)
from likeness.video.looks import Ending, Look, Shot, Track

_REASONS = tuple(QualityReason)
_ENDINGS = tuple(Ending)
_NO_REASON = 255
_NUMBERS = 22  # of a look

Arrays = dict[str, NDArray[Any]]
Number = TypeVar("Number", bound=np.generic)


def pack_tracks(tracks: Sequence[Track]) -> bytes:
    """Pack tracks, with their shots' templates and pictures."""
    shots = [shot for track in tracks for shot in track.shots]
    templates = [shot.template for shot in shots]
    models = [(one.model, one.cohort.version) for one in templates]
    known = sorted(set(models))
    arrays: Arrays = {
        "ended": np.array([_ENDINGS.index(track.ended) for track in tracks], np.uint8),
        "looks_of": np.array([len(track.looks) for track in tracks], np.int64),
        "shots_of": np.array([len(track.shots) for track in tracks], np.int64),
        **_packed("looks", [look for track in tracks for look in track.looks]),
        **_packed("shots", [shot.look for shot in shots]),
        "models": np.frombuffer(json.dumps(known).encode(), np.uint8),
        "model_of": np.array([known.index(one) for one in models], np.int64),
        "cohort_means": np.array([one.cohort.mean for one in templates], np.float64),
        "vectors": _joined([one.vector for one in templates], np.float32),
        "vectors_of": np.array([len(one.vector) for one in templates], np.int64),
        "crops": np.frombuffer(b"".join(shot.crop_jpeg for shot in shots), np.uint8),
        "crops_of": np.array([len(shot.crop_jpeg) for shot in shots], np.int64),
    }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_tracks(packed: bytes) -> tuple[Track, ...]:
    """Give the tracks that `pack_tracks` packed."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as file:
        arrays: Arrays = {name: file[name] for name in file.files}
    looks = list(_unpacked("looks", arrays))
    models = [tuple(one) for one in json.loads(arrays["models"].tobytes())]
    shots = [
        Shot(look, Template(vector.copy(), model, CohortStatistics(mean, cohort)), crop.tobytes())
        for look, vector, (model, cohort), mean, crop in zip(
            _unpacked("shots", arrays),
            _parts(arrays["vectors"], arrays["vectors_of"]),
            [models[number] for number in arrays["model_of"].tolist()],
            arrays["cohort_means"].tolist(),
            _parts(arrays["crops"], arrays["crops_of"]),
            strict=True,
        )
    ]
    return tuple(
        Track(tuple(looks[a:b]), tuple(shots[c:d]), _ENDINGS[ended])
        for (a, b), (c, d), ended in zip(
            _ranges(arrays["looks_of"]),
            _ranges(arrays["shots_of"]),
            arrays["ended"].tolist(),
            strict=True,
        )
    )


def _packed(name: str, looks: Sequence[Look]) -> Arrays:
    numbers = np.array([_numbers(look) for look in looks], np.float64).reshape(-1, _NUMBERS)
    reasons = np.full((len(looks), len(_REASONS)), _NO_REASON, np.uint8)
    for row, look in zip(reasons, looks, strict=True):
        given = look.face.quality.reasons
        row[: len(given)] = [_REASONS.index(reason) for reason in given]
    return {name: numbers, f"{name}_reasons": reasons}


def _numbers(look: Look) -> tuple[float, ...]:
    face = look.face
    box, marks, pose, quality = face.box, face.landmarks, face.pose, face.quality
    points = (marks.eye_left, marks.eye_right, marks.nose, marks.mouth_left, marks.mouth_right)
    return (
        look.time_s,
        *(box.left, box.top, box.right, box.bottom),
        *(side for point in points for side in (point.x, point.y)),
        face.confidence,
        *(pose.yaw, pose.pitch, pose.roll),
        *(quality.brightness, quality.sharpness, quality.size),
    )


def _unpacked(name: str, arrays: Arrays) -> Iterator[Look]:
    for row, given in zip(arrays[name].tolist(), arrays[f"{name}_reasons"].tolist(), strict=True):
        places = row[5:15]
        points = [Point(x, y) for x, y in zip(places[::2], places[1::2], strict=True)]
        reasons = tuple(_REASONS[one] for one in given if one != _NO_REASON)
        face = Face(
            Box(*row[1:5]),
            Landmarks(*points),
            row[15],
            Pose(*row[16:19]),
            Quality(row[19], row[20], row[21], reasons),
        )
        yield Look(row[0], face)


def _joined(parts: Sequence[NDArray[np.float32]], kind: type[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([np.empty(0, kind), *parts])


def _ranges(counts: NDArray[np.generic]) -> Iterator[tuple[int, int]]:
    return pairwise(accumulate(counts.tolist(), initial=0))


def _parts(whole: NDArray[Number], counts: NDArray[np.generic]) -> Iterator[NDArray[Number]]:
    return (whole[a:b] for a, b in _ranges(counts))
