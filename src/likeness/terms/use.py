"""Who does what, with which collection, and why: what rules are asked about."""

from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from likeness.errors import InvalidRequest

UNDECLARED = "undeclared"
"""What a fact is called that nobody stated; what it allows is a rule's matter."""

_LONGEST_STATEMENT = 1000
_FIRST_YEAR = 2000


class Footage(StrEnum):
    """What sort of source pictures come from."""

    UNDECLARED = UNDECLARED
    UPLOAD = "upload"
    FIXED_CAMERA = "fixed-camera"
    MOBILE_CAMERA = "mobile-camera"
    BODY_CAMERA = "body-camera"
    DRONE = "drone"


class Role(StrEnum):
    """What a principal may be trusted with, whatever policy says of the use."""

    ADMIN = "admin"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    CLIENT = "client"


class Action(StrEnum):
    """What is done; the first five look at people: they find, compare or search faces."""

    DETECT = "detect"
    COMPARE = "compare"
    SEARCH = "search"
    ENROL = "enrol"
    WATCH = "watch"
    READ = "read"
    ERASE = "erase"
    ARRANGE = "arrange"
    """Makes or changes collections, subjects and tags; no picture is looked at."""
    REVIEW = "review"
    AUTHORISE = "authorise"
    AUDIT = "audit"
    GOVERN = "govern"
    """Changes policy, keys, sources or the stop switch."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an access key, or somebody at the command line.

    `id` is ours: `key:UUID` or `local:USER`. `purposes` are those granted, of which a use may
    choose; the first is in force where it chooses none.
    """

    id: str
    role: Role
    organisation: str = UNDECLARED
    sector: str = UNDECLARED
    jurisdiction: str = UNDECLARED
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What an admin declared of a collection by its tags that start with `likeness:`.

    `footage` is where its pictures come from, `notice` is `shown` where people have been told.
    """

    sector: str = UNDECLARED
    jurisdiction: str = UNDECLARED
    purpose: str = UNDECLARED
    footage: str = UNDECLARED
    notice: str = UNDECLARED


@dataclass(frozen=True, slots=True)
class LiveStatement:
    """What whoever begins a live search states of it, in words of theirs.

    `place` is where the camera looks, `authority` on whose authority people are looked for,
    `criteria` by which somebody is on the list, and `ends_at` when the search ends by itself.
    """

    place: str | None = None
    authority: str | None = None
    criteria: str | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or cannot be kept.

        Raises:
            InvalidRequest: a text is blank, too long or unprintable, or the end has no time zone
                or lies too far off.
        """
        for what in ("place", "authority", "criteria"):
            text = getattr(self, what)
            if text is not None and not (
                text.strip() and len(text) <= _LONGEST_STATEMENT and text.isprintable()
            ):
                raise InvalidRequest(
                    f"Not the {what} of a live search: {len(text)} characters, which are blank, too"
                    f" many or unprintable. State it on one line, in at most {_LONGEST_STATEMENT}."
                )
        if self.ends_at is not None and (
            self.ends_at.tzinfo is None or not _FIRST_YEAR <= self.ends_at.year < MAXYEAR
        ):
            raise InvalidRequest(
                f"The end of a live search, {self.ends_at.isoformat()}, has no time zone, or lies"
                " too far off. Write one such as 2027-05-01T18:00:00Z."
            )

    @property
    def unstated(self) -> tuple[str, ...]:
        """What is left out, in the words of whoever has to state it."""
        said = {
            "place": self.place,
            "authority": self.authority,
            "criteria": self.criteria,
            "end": self.ends_at,
        }
        return tuple(what for what, text in said.items() if not text)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of Likeness, before anything of it is done.

    `operation` is what the caller called, such as `SearchFacesByImage`. `case` and `warrant` are
    the caller's words, never written to a log or the ledger in the clear. `live` says that people
    are looked for in pictures of this moment. `footage` is what sort of source the pictures of this
    use come from, as its caller states it. `granted` is whether the caller may state the
    purpose; without, nothing is done. `replayed` says that it was asked for with the signature of
    an earlier request: by a client that tried again, or by somebody who listened. `model` is what
    it works with; None is that of its collection, or of the settings where it has none.
    `live_search` is what was stated of a search of a camera or stream that goes on; None of a use
    that is over once it is answered.
    """

    principal: Principal
    action: Action
    operation: str
    collection_id: UUID | None = None
    collection: CollectionFacts = CollectionFacts()
    purpose: str = UNDECLARED
    case: str | None = None
    warrant: str | None = None
    live: bool = False
    footage: str = UNDECLARED
    granted: bool = True
    replayed: bool = False
    model: str | None = None
    live_search: LiveStatement | None = None
    id: UUID = field(default_factory=uuid4)
