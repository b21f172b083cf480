"""Likeness as a library: finds and compares faces in picture files, and opens no home for that.

Who the people of a collection are is put right with `open_subjects`, which opens the home's rows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from typing import TYPE_CHECKING, BinaryIO, TextIO
from uuid import UUID

import numpy as np

from likeness.app.installation import Installation, Picture, Place, Workload, path_of
from likeness.artifacts import Progress
from likeness.config import Settings, read_settings
from likeness.errors import InvalidRequest, LikenessError
from likeness.service.redact.asked import Manner, Whom
from likeness.service.search.compare_pairs import (
    PairCounts,
    compare_pairs,
    pictures_of,
    read_pairs,
    write_scores,
)
from likeness.service.search.faces import ComparedPicture, compared_picture
from likeness.service.search.folder_gallery import FolderGallery, read_gallery
from likeness.service.search.identify import Identification, Identifier
from likeness.service.search.verify import Verification, verify_pictures
from likeness.service.video.finding import FramesFinder
from likeness.service.video.seen import ClipSeen
from likeness.terms import Face, Template
from likeness.video import LOOK_EVERY_S, ClipLimits, Sampling, Style
from likeness.vision.decode import Sample

if TYPE_CHECKING:
    # Who names pictures does not wait for what searches take.
    from likeness.service.enrol.subject_changes import ChangedSubject
    from likeness.service.govern.subject_report import SubjectReports
    from likeness.service.redact.clips import RedactedClip
    from likeness.service.redact.pictures import RedactedPicture
    from likeness.service.uses import Caller, Rows
    from likeness.service.video.loose import ClipIdentifier
    from likeness.vision.every_face import Closeness, EveryFace

Tell = Callable[[int, int], None]


class Likeness:
    """Finds and compares faces in pictures; `open_likeness` makes one.

    A picture is given as the path of a file, as the bytes of one, or as an array of uint8 of shape
    (height, width, 3), in the order red, green, blue.
    """

    def __init__(
        self, installation: Installation, workload: Workload, progress: Progress | None
    ) -> None:
        self.finder = installation.finder(installation.engine(workload), progress)
        self.calibration = installation.standards.calibration(
            installation.model, self.finder.cohort_version
        )
        self.installation = installation
        self.workload = workload
        self.workers = installation.workers(workload)

    def detect(self, picture: Picture) -> tuple[Face, ...]:
        """Find every face of a picture, largest first."""
        with _naming(picture):
            return self.finder.locate(self.sample(picture)).faces

    def compare(
        self, reference: Picture, probe: Picture, *, foremost: bool = False
    ) -> Verification:
        """Compare the foremost face of a picture with every face of another, best first.

        That is the largest; of several within a tenth of its area, the one nearest to the middle.
        `foremost` compares with the foremost face of the other alone.

        Raises:
            NoFace: one of them has none.
        """
        settings = self.installation.settings
        return verify_pictures(
            self._compared(reference, every=False),
            self._compared(probe, every=not foremost),
            self.calibration,
            fmr=settings.fmr,
            fnmr=settings.fnmr,
            warn_from=settings.group_fmr_warning,
        )

    def foremost(self, picture: Picture) -> tuple[Face, Template]:
        """Find the foremost face of a picture file and make its template.

        Raises:
            NoFace: there is none.
        """
        found = self._compared(picture, every=False).foremost
        return found.face, found.template

    def _compared(self, picture: Picture, *, every: bool) -> ComparedPicture:
        with _naming(picture):
            return compared_picture(self.sample(picture), self.finder, every=every)

    def compare_pairs(
        self,
        pairs_csv: Place,
        root: Place,
        scores: TextIO,
        tell: Tell = lambda done, total: None,
        *,
        foremost: bool = False,
    ) -> PairCounts:
        """Compare the pairs that a CSV file names, pictures under `root`; write another of scores.

        The foremost face of the first picture of a pair is compared with every face of the second;
        `foremost` compares it with the foremost alone. The best of several is that of `compare`.
        `tell` is told how many of how many pictures are done.
        """
        settings = self.installation.settings
        pairs = read_pairs(path_of(pairs_csv, "a file of pairs"))
        compared = compare_pairs(
            pairs,
            path_of(root, "a folder of pictures"),
            self.finder,
            self.calibration,
            fmr=settings.fmr,
            fnmr=settings.fnmr,
            limits=self.installation.limits,
            workers=self.workers,
            foremost=foremost,
            tell=tell,
        )
        return PairCounts(len(pairs), len(pictures_of(pairs)), *write_scores(compared, scores))

    def gallery(self, folder: Place, tell: Tell = lambda done, total: None) -> FolderGallery:
        """Make a gallery of a folder with one folder, or one picture, a person.

        One of 30 people or more measures how alike these are to each other.
        """
        read = read_gallery(
            path_of(folder, "a folder of people"),
            self.finder,
            limits=self.installation.limits,
            workers=self.workers,
            tell=tell,
        )
        measured = read.with_strangers_measured(self.finder.cohort, self.calibration)
        return measured.with_unlike_found(self.calibration)

    def identify(self, picture: Picture, gallery: FolderGallery) -> tuple[Identification, ...]:
        """Name the faces of a picture, largest first."""
        with _naming(picture):
            return self.identifier(gallery).identify(self.sample(picture))

    def identifier(self, gallery: FolderGallery) -> Identifier:
        """Make what names faces from one gallery, at the error rate that its size allows."""
        settings = self.installation.settings
        return Identifier(
            self.finder,
            self.calibration,
            gallery,
            fmr=settings.fmr,
            fpir=settings.fpir,
            warn_from=settings.group_fmr_warning,
        )

    def detect_clip(self, clip: Place) -> ClipSeen:
        """Say when each person of a clip is in view; who leaves and returns counts again.

        Raises:
            InvalidClip: it is none, or cannot be decoded.
        """
        from likeness.service.video.loose import see_clip

        finder, sampling = FramesFinder(self.finder), Sampling(LOOK_EVERY_S)
        with _opened(clip) as file:
            return see_clip(file, finder, sampling, workers=self.workers)

    def identify_clip(self, clip: Place, gallery: FolderGallery) -> ClipSeen:
        """Name the people of a clip, and say when each is in view; nobody is a stranger twice.

        Raises:
            InvalidClip: it is none, or cannot be decoded.
        """
        identifier, sampling = self.clip_identifier(gallery), Sampling(LOOK_EVERY_S)
        with _opened(clip) as file:
            return identifier.identify(file, sampling, workers=self.workers)

    def clip_identifier(self, gallery: FolderGallery) -> "ClipIdentifier":
        """Make what names the people of clips from one gallery, at the rates that it allows."""
        from likeness.service.video.loose import ClipIdentifier

        settings, finder = self.installation.settings, self.finder
        return ClipIdentifier(
            finder,
            self.calibration,
            self.installation.standards.track_calibration(finder.model, finder.cohort_version),
            gallery,
            fmr=settings.fmr,
            fpir=settings.fpir,
            warn_from=settings.group_fmr_warning,
        )

    def redact(
        self,
        picture: Picture,
        *,
        keep: FolderGallery | None = None,
        only: FolderGallery | None = None,
        style: Style = Style.BLUR,
        careful: bool = True,
    ) -> "RedactedPicture":
        """Hide the faces of a picture: all, all but those of some people, or only theirs.

        Raises:
            InvalidRequest: people to keep and people to hide are both given.
        """
        from likeness.service.redact.pictures import PictureRedactor
        from likeness.service.search.identify import Identified
        from likeness.vision.every_face import GLANCE, PICTURE

        whom, gallery = _whom(keep, only)
        redactor = PictureRedactor(
            self._every_face(PICTURE if careful else GLANCE), Manner(style, careful)
        )
        with _naming(picture):
            sample = self.sample(picture)
            named = None
            if gallery is not None:
                named = Identified(sample, self.identifier(gallery).identify(sample))
            return redactor.redact(sample, whom, named)

    def redact_clip(
        self,
        clip: Place,
        out: Place,
        *,
        keep: FolderGallery | None = None,
        only: FolderGallery | None = None,
        style: Style = Style.BLUR,
        careful: bool = True,
    ) -> "RedactedClip":
        """Write a copy of a clip in which faces are hidden, as `redact` hides those of a picture.

        Raises:
            InvalidClip: it is none, or cannot be decoded.
            InvalidRequest: `out` cannot be written; or as of `redact`.
        """
        from likeness.service.redact.clips import (
            EveryFaceOfFrames,
            Visible,
            find_faces,
            write_redacted,
        )
        from likeness.service.redact.known import ClipPart, FolderOfPeople
        from likeness.vision.every_face import FRAME, GLANCE

        whom, gallery = _whom(keep, only)
        manner, path = Manner(style, careful), path_of(out, "a copy of a clip")
        finder = EveryFaceOfFrames(self._every_face(FRAME if careful else GLANCE))
        with _opened(clip) as file:
            visible = Visible()
            if gallery is not None:
                people = FolderOfPeople.of(self.finder, self.clip_identifier(gallery))
                part = ClipPart(file=file, workers=self.workers)
                visible = people.visible(part, whom, manner)
            faces = find_faces(file, finder, manner, workers=self.workers)
            return write_redacted(file, path, faces, manner, visible=visible)

    def _every_face(self, closeness: "Closeness") -> "EveryFace":
        engine = self.installation.engine(self.workload)
        return self.installation.every_face(engine, closeness)

    def sample(self, picture: Picture) -> Sample:
        """Take a picture and check its header against the limits."""
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


class Subjects:
    """The people of a collection; `open_subjects` makes it.

    Every act is admitted by the home's rules and is on record, as one of whoever runs this. It
    also works while a server runs.
    """

    def __init__(self, rows: "Rows", collection: str) -> None:
        self._rows = rows
        self._collection = collection

    def rename(self, subject: str, name: str) -> "ChangedSubject":
        """Give the subject of a name another name.

        Raises:
            NotFound: there is no such collection or subject.
            InvalidRequest: the new name cannot be kept.
            AlreadyExists: somebody of the collection has it.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import rename_subject

        caller = self._caller("RenameSubject")
        return rename_subject(self._rows, caller, self._collection, subject, name)

    def merge(self, subject: str, *, into: str) -> "ChangedSubject":
        """Make all references of a subject another's; the first is gone then.

        Raises:
            NotFound: there is no such collection or subject.
            InvalidRequest: the two are one subject.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import merge_subjects

        caller = self._caller("MergeSubjects")
        return merge_subjects(self._rows, caller, self._collection, subject, into)

    def split(self, subject: str, name: str, *, references: Sequence[UUID]) -> "ChangedSubject":
        """Make some references of a subject, by their ids, those of a new subject.

        Raises:
            NotFound: there is no such collection, subject or reference.
            InvalidRequest: no reference is named, or all are; or the name cannot be kept.
            Conflict: a reference is another's.
            AlreadyExists: somebody of the collection has the name.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import split_subject

        caller = self._caller("SplitSubject")
        return split_subject(self._rows, caller, self._collection, subject, name, references)

    def move(self, subject: str, to: str, *, references: Sequence[UUID]) -> "ChangedSubject":
        """Make some references of a subject, by their ids, another's, who is there already.

        Raises:
            NotFound: there is no such collection, subject or reference.
            InvalidRequest: no reference is named, or all are; or the two are one subject.
            Conflict: a reference is another's.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import move_references

        caller = self._caller("MoveReferences")
        return move_references(self._rows, caller, self._collection, subject, to, references)

    def name(self, subject: str, *, references: Sequence[UUID]) -> "ChangedSubject":
        """Make references that are nobody's a subject's, who is made where there is none.

        Raises:
            NotFound: there is no such collection or reference.
            InvalidRequest: no reference is named, or the name cannot be kept.
            Conflict: a reference is somebody's already.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import name_references

        caller = self._caller("NameReferences")
        return name_references(self._rows, caller, self._collection, subject, references)

    def report(self, subject: str) -> "SubjectReports":
        """Say what is held of the subject of a name, who searched for them and what for.

        Raises:
            NotFound: there is no such collection or subject.
            LedgerBroken: what opens the ledger's commitments is gone, or another's.
        """
        from likeness.service.govern.subject_report import report_on_subject

        caller = self._caller("ReportOnSubject")
        return report_on_subject(self._rows, caller, self._collection, subject)

    def undo(self, subject: str) -> "ChangedSubject":
        """Undo the last change of a subject: a rename, merge or split, or faces moved or named.

        Raises:
            NotFound: there is no such collection or subject, or nothing to undo.
            AlreadyExists: a name that would come back is another's by now.
            Denied: a rule forbids it.
        """
        from likeness.service.enrol.subject_changes import undo_subject_change

        caller = self._caller("UndoSubjectChange")
        return undo_subject_change(self._rows, caller, self._collection, subject)

    def _caller(self, operation: str) -> "Caller":
        from likeness.service.uses import Caller

        return Caller(self._rows.somebody, operation)


@contextmanager
def open_subjects(collection: str, settings: Settings | None = None) -> Iterator[Subjects]:
    """Open the home of the settings to put right who the people of a collection are.

    Args:
        collection: its name.
        settings: what was chosen; read from the environment without.

    Raises:
        StateError, Fault: the home cannot be opened.
    """
    from likeness.app.home import open_rows

    with open_rows(Installation(settings or read_settings()), makes_home=False) as rows:
        yield Subjects(rows, collection)


def _whom(
    keep: FolderGallery | None, only: FolderGallery | None
) -> tuple[Whom, FolderGallery | None]:
    if keep is not None and only is not None:
        raise InvalidRequest("People to keep and people to hide are both given. Give one of them.")
    if only is not None:
        return Whom.ONLY, only
    return (Whom.ALL if keep is None else Whom.ALL_BUT), keep


@contextmanager
def _opened(clip: Place) -> Iterator[BinaryIO]:
    """Open a clip, and name it in every error that does not."""
    from likeness.service.video.asked import LocalClip

    path = path_of(clip, "a clip")
    with _naming(path), LocalClip(path).open_here(ClipLimits()) as file:
        yield file


@contextmanager
def _naming(picture: Picture) -> Iterator[None]:
    """Name the picture in every error that does not."""
    try:
        yield
    except LikenessError as error:
        name = _name_of(picture)
        if not name or name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error


def _name_of(picture: Picture) -> str:
    """Say which picture a message is about; empty where nothing can be said."""
    match picture:
        case Sample():
            return picture.name
        case bytes() | bytearray() | memoryview():
            return f"picture of {len(picture)} bytes"
        case np.ndarray():
            return f"array of shape {picture.shape}"
        case str() | PathLike():
            with suppress(LikenessError):  # of what is no path there is nothing to say
                # As readers of files name it; a path may hold line breaks, a message may not.
                return repr(str(path_of(picture, "a picture")))
    return ""
