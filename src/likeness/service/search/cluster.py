"""Cluster: propose which unnamed faces of many pictures are one person's. Nobody is enrolled."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from likeness.errors import NoFace
from likeness.service.search.clusters import group
from likeness.terms import Calibration, Face, OperatingPoint, Template
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True, eq=False)
class UnnamedFace:
    """A face of a picture, and nobody has said whose."""

    picture: Path
    face: Face
    template: Template


@dataclass(frozen=True, slots=True)
class Likely:
    """Faces that are likely one person's, best fitting first.

    `fits` are the mean scores of each with the others, `cohesion` is the mean score of all pairs;
    two strangers score as high as that with a rate of `fmr`, which `similarity` stands for.
    """

    faces: tuple[UnnamedFace, ...]
    fits: tuple[float, ...]
    cohesion: float
    fmr: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Clusters, the largest first, and the faces that are like no other.

    Groups of faces were joined at `point`, or at the strictest that is calibrated where that is
    not; `expected_false` is how many joins of different people are to be expected, at most.
    """

    clusters: tuple[Likely, ...]
    alone: tuple[UnnamedFace, ...]
    point: OperatingPoint
    expected_false: float


def unnamed_faces(picture: Path, sample: Sample, finder: FaceFinder) -> tuple[UnnamedFace, ...]:
    """Find every face of a picture and make its template."""
    located = finder.locate(sample)
    return tuple(
        UnnamedFace(picture, face, template)
        for face, template in zip(located.faces, finder.templates(located), strict=True)
    )


def propose(faces: Iterable[UnnamedFace], calibration: Calibration, fmr: float) -> Proposal:
    """Propose whose faces are one person's; the order of the faces changes nothing.

    Args:
        faces: from any number of pictures; two of one picture are two people's.
        calibration: what a score means.
        fmr: false match rate at which faces are joined, at most; where there are so many faces that
            each would meet more than one stranger by it, it is the rate at which each meets one.

    Raises:
        NoFace: there is none.
    """
    ordered = sorted(faces, key=lambda face: (str(face.picture), astuple(face.face.box)))
    if not ordered:
        raise NoFace("No faces to group. Give other pictures.")
    point = calibration.point(min(fmr, 1 / len(ordered)))
    numbers = {face.picture: number for number, face in enumerate(ordered)}
    grouping = group(
        [face.template for face in ordered],
        [numbers[face.picture] for face in ordered],
        point.threshold,
    )
    # Two groups that are joined have a pair that reaches the threshold, each two another one.
    pairs = len(ordered) * (len(ordered) - 1) / 2
    reaching = pairs * max(point.fmr, calibration.lowest_fmr)
    joins = len(ordered) - len(grouping.clusters) - len(grouping.alone)
    return Proposal(
        tuple(
            Likely(
                tuple(ordered[member] for member in cluster.members),
                cluster.fits,
                cluster.cohesion,
                calibration.fmr(cluster.cohesion),
                calibration.similarity(cluster.cohesion),
            )
            for cluster in grouping.clusters
        ),
        tuple(ordered[face] for face in grouping.alone),
        point,
        min(reaching, joins),
    )
