"""Everything that Likeness raises on purpose, one tree.

    LikenessError
    ├─ InputError    what was given cannot be used
    │  ├─ InvalidImage        not a picture that we can decode
    │  │  └─ UnsupportedImageFormat
    │  ├─ ImageTooLarge       over the limit of bytes, pixels or sides
    │  ├─ InvalidClip         not a video that we can decode
    │  ├─ ClipTooLarge        over the limit of bytes, duration or pixels
    │  ├─ InvalidStream       what a source sends is no video that we can decode
    │  ├─ NoFace              a face was needed and none was found
    │  ├─ SeveralFaces        one face was needed and several were found
    │  └─ InvalidRequest      an argument, a file or a row is not as it must be
    ├─ StateError    the world is not as the act needs it
    │  ├─ NotFound
    │  ├─ AlreadyExists
    │  ├─ LimitReached        as many as there may be are there
    │  └─ Conflict
    │     ├─ HomeInUse        another process has the home open
    │     └─ DatabaseInUse    another act or program holds the database
    ├─ Refused       Likeness could, and will not
    │  ├─ Denied              policy forbids the use
    │  ├─ LicenceNotAccepted  the operator has not accepted these weights' licence
    │  ├─ QualityTooLow       not fit to enrol
    │  └─ Unlike              does not look like the person's other pictures
    └─ Fault         Likeness should, and cannot
       ├─ ArtifactUnavailable a pinned file could not be fetched
       ├─ ModelTampered       bytes differ from the pinned digest
       ├─ ModelMismatch       templates or scores of different models were mixed
       ├─ EngineUnavailable   an inference engine is missing or broken
       ├─ DatabaseUnavailable the database cannot be reached, read or written
       ├─ KeyUnusable         a key is missing or wrong, or what it sealed is damaged
       ├─ IndexUnavailable    the server that holds a vector index fails or cannot be reached
       ├─ BucketsUnavailable  the storage that holds pictures fails or cannot be reached
       ├─ NotifierUnavailable the server that tells others fails or cannot be reached
       ├─ SourceUnavailable   a camera or stream does not answer, refuses, or has stopped
       ├─ SnapshotUnusable    a snapshot of a vector index is damaged or cannot be read or written
       ├─ TooBusy             other work leaves no room; the same may succeed later
       └─ LedgerBroken

Every message says the problem, then the remedy, on one line.
"""

import errno
from typing import TypeVar

# What nobody has used wrongly: a disk that is full, or used up for this user or file, or broken.
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class LikenessError(Exception):
    """Whatever Likeness raises on purpose."""

    @property
    def kind(self) -> str:
        """The name that answers give it: of this tree, where an act has a narrower error of it."""
        return next(one.__name__ for one in type(self).__mro__ if one.__module__ == __name__)


class InputError(LikenessError):
    """What was given cannot be used."""


class InvalidImage(InputError):
    """The bytes are not a picture that can be decoded."""


class UnsupportedImageFormat(InvalidImage):
    """The bytes are no picture, or one in a format that is not read."""


class ImageTooLarge(InputError):
    """The picture exceeds the limit of bytes, pixels or sides."""


class InvalidClip(InputError):
    """The bytes are not a video that can be decoded."""


class ClipTooLarge(InputError):
    """The video exceeds the limit of bytes, duration or pixels."""


class InvalidStream(InputError):
    """What a source sends is not a video that can be decoded."""


class NoFace(InputError):
    """A face was needed and none was found."""


class SeveralFaces(InputError):
    """One face was needed and several were found."""


class InvalidRequest(InputError):
    """An argument, a file or a row is not as it must be."""


class StateError(LikenessError):
    """The world is not as the act needs it."""


class NotFound(StateError):
    """What was named does not exist."""


class AlreadyExists(StateError):
    """What was to be made exists."""


class LimitReached(StateError):
    """There are as many as there may be; another is possible once one of them has ended."""


class Conflict(StateError):
    """Another act stands in the way."""


class HomeInUse(Conflict):
    """Another process has the home open, and what was asked for needs it alone."""


class DatabaseInUse(Conflict):
    """Another act or program holds the database; the message says where that lies."""


class Refused(LikenessError):
    """Likeness could, and will not."""


class Denied(Refused):
    """Policy forbids the use; `receipt` is the id of the entry that says so, where one was left.

    `is_stopped` says that the stop switch is on for it.
    """

    receipt: str | None = None
    is_stopped: bool = False


class LicenceNotAccepted(Refused):
    """The licence of a model's weights has to be accepted by the operator first."""


class QualityTooLow(Refused):
    """The face is not fit to enrol."""


class Unlike(Refused):
    """The face does not look like the other pictures of the person whose it is said to be."""


class Fault(LikenessError):
    """Likeness should, and cannot."""


class ArtifactUnavailable(Fault):
    """A pinned file could not be fetched."""


class ModelTampered(Fault):
    """Bytes differ from the digest that was pinned for them."""


class ModelMismatch(Fault):
    """Templates or scores of different models were mixed."""


class EngineUnavailable(Fault):
    """An inference engine is missing or broken."""


class DatabaseUnavailable(Fault):
    """The database cannot be reached, read or written."""


class KeyUnusable(Fault):
    """A key is missing, not kept secret or wrong, or what it sealed is damaged."""


class IndexUnavailable(Fault):
    """The server that holds a vector index fails or cannot be reached."""


class BucketsUnavailable(Fault):
    """The storage that holds pictures fails or cannot be reached."""


class NotifierUnavailable(Fault):
    """The server that tells others fails or cannot be reached."""


class SourceUnavailable(Fault):
    """A camera or stream does not answer, refuses whoever asks, or has stopped.

    `definite` says that trying again is no use: somebody has to change something first.
    """

    def __init__(self, message: str, *, definite: bool = False) -> None:
        super().__init__(message)
        self.definite = definite


class SnapshotUnusable(Fault):
    """A snapshot of a vector index is damaged or cannot be read or written."""


class TooBusy(Fault):
    """Other work leaves no room for this at the moment; the same may succeed later."""


class LedgerBroken(Fault):
    """The ledger cannot be written or does not verify."""


T = TypeVar("T")


def required(value: T | None, what: str) -> T:
    """Give a value that is missing only by a fault of Likeness or of its rows.

    Raises:
        Fault: it is missing.
    """
    if value is None:
        raise Fault(f"Missing: {what}. Please report this, with what was done before it.")
    return value


def unwritable(place: object, error: OSError, remedy: str) -> Fault | InvalidRequest:
    """Word why what somebody named cannot be written: a fault of the disk, or their mistake."""
    said = f"'{place}' cannot be written ({error.strerror}). Make room, or {remedy}."
    return Fault(said) if error.errno in _DISK_FAULTS else InvalidRequest(said)
