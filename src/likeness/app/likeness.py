"""Likeness as a library: finds and compares faces in picture files, and opens no home."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from likeness.app.installation import Installation, Picture, Workload
from likeness.artifacts import Progress
from likeness.config import Settings, read_settings
from likeness.errors import LikenessError
from likeness.service.compare_pairs import (
    PairCounts,
    compare_pairs,
    pictures_of,
    read_pairs,
    write_scores,
)
from likeness.service.folder_gallery import FolderGallery, read_gallery
from likeness.service.identify import Identification, Identifier
from likeness.service.verify import Gate, Verification, verify
from likeness.terms.face import Face, SeenFace
from likeness.terms.template import Template
from likeness.vision.decode import Sample

Tell = Callable[[int, int], None]


class Likeness:
    """Finds and compares faces in picture files; `open_likeness` makes one."""

    def __init__(
        self, installation: Installation, workload: Workload, progress: Progress | None
    ) -> None:
        self.finder = installation.finder(installation.engine(workload), progress)
        self.calibration = installation.standards.calibration(
            installation.model, self.finder.cohort_version
        )
        self.installation = installation
        self.workers = installation.workers(workload)

    def detect(self, picture: Picture) -> tuple[Face, ...]:
        """Find every face of a picture file, largest first."""
        with _naming(picture):
            return self.finder.locate(self.sample(picture)).faces

    def compare(self, reference: Picture, probe: Picture) -> Verification:
        """Compare the foremost faces of two picture files.

        Raises:
            NoFace: one of them has none.
        """
        settings = self.installation.settings
        gate = Gate.of(self.calibration, fmr=settings.fmr, fnmr=settings.fnmr)
        ours, reference_faces, seen = self._foremost(reference)
        theirs, probe_faces, seen_too = self._foremost(probe)
        verification = verify(
            ours, theirs, self.calibration, gate, same_picture=seen.is_of(seen_too)
        )
        return replace(verification, reference_faces=reference_faces, probe_faces=probe_faces)

    def foremost(self, picture: Picture) -> tuple[Face, Template]:
        """Find the foremost face of a picture file and make its template.

        Raises:
            NoFace: there is none.
        """
        return self._foremost(picture)[0]

    def _foremost(self, picture: Picture) -> tuple[tuple[Face, Template], int, SeenFace]:
        """Give the foremost face and its template, how many faces there are, and what it is of."""
        with _naming(picture):
            sample = self.sample(picture)
            located = self.finder.locate(sample)
            found = self.finder.foremost_of(located)
            seen = SeenFace(hashlib.sha256(sample.data).digest(), found[0].box)
            return found, len(located.faces), seen

    def compare_pairs(
        self,
        pairs_csv: Picture,
        root: Picture,
        scores: TextIO,
        tell: Tell = lambda done, total: None,
    ) -> PairCounts:
        """Compare the pairs that a CSV file names, pictures under `root`; write another of scores.

        `tell` is told how many of how many pictures are done.
        """
        pairs = read_pairs(Path(pairs_csv))
        compared = compare_pairs(
            pairs,
            Path(root),
            self.finder,
            self.calibration,
            limits=self.installation.limits,
            workers=self.workers,
            tell=tell,
        )
        return PairCounts(len(pairs), len(pictures_of(pairs)), write_scores(compared, scores))

    def gallery(self, folder: Picture, tell: Tell = lambda done, total: None) -> FolderGallery:
        """Make a gallery of a folder with one folder, or one picture, a person.

        One of 30 people or more measures how alike these are to each other.
        """
        read = read_gallery(
            Path(folder),
            self.finder,
            limits=self.installation.limits,
            workers=self.workers,
            tell=tell,
        )
        return read.with_strangers_measured(self.finder.cohort, self.calibration)

    def identify(self, picture: Picture, gallery: FolderGallery) -> tuple[Identification, ...]:
        """Name the faces of a picture file, largest first."""
        with _naming(picture):
            return self.identifier(gallery).identify(self.sample(picture))

    def identifier(self, gallery: FolderGallery) -> Identifier:
        """Make what names faces from one gallery, at the error rate that its size allows."""
        settings = self.installation.settings
        return Identifier(
            self.finder, self.calibration, gallery, fmr=settings.fmr, fpir=settings.fpir
        )

    def sample(self, picture: Picture) -> Sample:
        """Read a picture file and check its header against the limits."""
        return self.installation.sample(picture)


def open_likeness(
    settings: Settings | None = None,
    *,
    workload: Workload = Workload.ONE,
    progress: Progress | None = None,
) -> Likeness:
    """Get everything ready to find and compare faces.

    Args:
        settings: what was chosen; read from the environment without.
        workload: what to make fast.
        progress: is told how far the weights are fetched, where that has to be done first.

    Raises:
        ArtifactUnavailable: weights are not in the cache and cannot be fetched.
        LicenceNotAccepted: the weights' licence has to be accepted first.
    """
    return Likeness(Installation(settings or read_settings()), workload, progress)


@contextmanager
def _naming(picture: Picture) -> Iterator[None]:
    """Name the picture in every error that does not."""
    try:
        yield
    except LikenessError as error:
        name = repr(str(picture))  # a path may hold line breaks, a message may not
        if name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error
