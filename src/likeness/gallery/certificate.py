"""What an erasure proves: which of our numbers are gone, and from where; what was out of reach.

A certificate holds ids and numbers that Likeness made, and no name or id that a client chose.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from likeness.errors import InvalidRequest

_VERSION = 2
# The first has no remainders.
_VERSIONS = (1, _VERSION)
# Of both databases' numbers.
_NUMBERS_END = 2**63
_NUMBERS = ("subject_numbers", "affected_subjects", "reference_numbers")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure takes.

    Everything of the collection where `whole_collection` says so, which then is not listed. A
    subject in `affected_subjects` stays, and loses references.
    """

    whole_collection: bool
    subject_ids: tuple[UUID, ...]
    subject_numbers: tuple[int, ...]
    affected_subjects: tuple[int, ...]
    reference_numbers: tuple[int, ...]
    subjects: int
    references: int

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        lists = {name: list(getattr(self, name)) for name in _NUMBERS}
        return {**asdict(self), **lists, "subject_ids": [str(one) for one in self.subject_ids]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Erased":
        """Make one of what `as_json` gave.

        Raises:
            KeyError, OverflowError, TypeError, ValueError: something is missing or unknown.
        """
        lists = {name: tuple(int(number) for number in value[name]) for name in _NUMBERS}
        if any(not 0 < number < _NUMBERS_END for some in lists.values() for number in some):
            raise ValueError("a number that no row has")
        return cls(**{**value, **lists, "subject_ids": tuple(map(UUID, value["subject_ids"]))})


@dataclass(frozen=True, slots=True)
class Remainder:
    """Something that an erasure leaves here, and why; `until` is None where no date is set."""

    what: str
    until: datetime | None
    why: str

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        until = None if self.until is None else self.until.isoformat()
        return {"what": self.what, "until": until, "why": self.why}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Remainder":
        """Make one of what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: something is missing.
        """
        until = value["until"]
        return cls(
            str(value["what"]),
            None if until is None else datetime.fromisoformat(until),
            str(value["why"]),
        )


@dataclass(frozen=True, slots=True)
class ErasureCertificate:
    """That an erasure reached everything in our reach; `out_of_reach` lists what is not.

    `remainders` are what stays here. Certificates of version 1 did not list that.
    """

    id: UUID
    collection_id: UUID
    erased: Erased
    begun_at: datetime
    completed_at: datetime
    done: tuple[str, ...]
    out_of_reach: tuple[str, ...]
    remainders: tuple[Remainder, ...] = ()
    version: int = _VERSION

    @property
    def digest(self) -> str:
        """SHA-256 of the certificate as `as_json` gives it, in hexadecimal."""
        canonical = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        written = {
            "version": self.version,
            "id": str(self.id),
            "collection_id": str(self.collection_id),
            "erased": self.erased.as_json(),
            "begun_at": self.begun_at.isoformat(),
            "completed_at": self.completed_at.isoformat(),
            "done": list(self.done),
            "out_of_reach": list(self.out_of_reach),
        }
        if self.version == 1:
            return written
        return {**written, "remainders": [one.as_json() for one in self.remainders]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "ErasureCertificate":
        """Make one of what `as_json` gave.

        Raises:
            InvalidRequest: it is no certificate.
        """
        try:
            if value["version"] not in _VERSIONS:
                raise ValueError("another version")
            read = cls(
                UUID(value["id"]),
                UUID(value["collection_id"]),
                Erased.from_json(value["erased"]),
                datetime.fromisoformat(value["begun_at"]),
                datetime.fromisoformat(value["completed_at"]),
                tuple(map(str, value["done"])),
                tuple(map(str, value["out_of_reach"])),
                tuple(map(Remainder.from_json, value.get("remainders", ()))),
                int(value["version"]),
            )
            # Otherwise what somebody added would look as if we had issued it.
            if read.as_json() != value:
                raise ValueError("it says more, or says it in another way")
            return read
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise InvalidRequest(
                "Not a certificate of version 1 or 2 of an erasure. Pass it as it was issued."
            ) from error


@dataclass(frozen=True, slots=True)
class Return:
    """Who is in a collection although they were erased: an import, or the same pictures, did it.

    `pictures` counts references of the same face of the same pictures that have other ids.
    """

    collection: str
    subjects: int
    references: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What is left of what a certificate says is gone.

    `issued` is whether this installation issued exactly this certificate. `rows` counts rows of
    what was erased, `vectors` those in indexes and their snapshots. `returns` are of all
    collections; `unreadable` rows could not be looked at for them.
    """

    issued: bool
    rows: int
    vectors: int
    returns: tuple[Return, ...] = ()
    unreadable: int = 0

    @property
    def holds(self) -> bool:
        """Whether the certificate is ours and true."""
        return self.issued and not (self.rows or self.vectors or self.returns)
