"""A picture that is to be enrolled, and whose it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from likeness.errors import LikenessError
from likeness.terms import checked_name
from likeness.vision.decode import DecodeLimits, Sample, read_sample


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture of a subject; names are kept composed, however they come.

    `place` says where it comes from, such as its path; `read` reads it, and its header, when it is
    its turn. A reference made of it has `external_id` and is erased at `expires_at`.

    Raises:
        InvalidRequest: a name cannot be kept.
    """

    place: str
    read: Callable[[DecodeLimits], Sample]
    subject: str
    external_id: str | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """Compose names, and refuse those that cannot be kept."""
        subject = checked_name(self.subject, "a subject's name")
        object.__setattr__(self, "subject", subject)
        if self.external_id is not None:
            external_id = checked_name(self.external_id, "an external id")
            object.__setattr__(self, "external_id", external_id)


def refused_picture(
    place: str, error: LikenessError, external_id: str | None = None
) -> NamedPicture:
    """Name a picture that cannot be enrolled, since its subject's name cannot be kept, say."""

    def refuse(limits: DecodeLimits) -> Sample:
        raise error

    return NamedPicture(place, refuse, "(cannot be kept)", external_id)


def picture_file(
    path: Path,
    subject: str,
    external_id: str | None = None,
    expires_at: datetime | None = None,
) -> NamedPicture:
    """Name the picture in a file; raises what `NamedPicture` raises."""
    return NamedPicture(str(path), partial(read_sample, path), subject, external_id, expires_at)
