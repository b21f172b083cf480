"""One request of somebody at a page, and what pages answer."""

import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from markupsafe import Markup

from likeness.access import may
from likeness.buckets import Buckets
from likeness.console.background import Background
from likeness.console.forms import Form
from likeness.console.memory import Memory
from likeness.console.wording import Wording, languages
from likeness.errors import LikenessError
from likeness.server import Figures, Listeners, Stream
from likeness.service.govern.health import Finding
from likeness.service.govern.sign_in import SignedIn, find_signed_in
from likeness.service.uses import Caller, Home, Proof, Stated
from likeness.service.video.uploads import Uploads
from likeness.terms import Action, Principal, Role

ROOT = "/console"
_KEPT_APART = "~"
_PLACES = (
    ("try", Action.DETECT),
    ("collections", Action.READ),
    ("review", Action.REVIEW),
    ("video", Action.READ),
    ("in-force", Action.AUDIT),
    ("people", Action.GOVERN),
)


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph of a person who is well known, for a tour; `name` says which one it is."""

    name: str
    person: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operated:
    """What pages for operators say of the server.

    `glance` looks at what is quickly seen of what it needs, `examine` at everything, as `likeness
    doctor` does; `figures` are what it counted.
    """

    glance: Callable[[], Sequence[Finding]]
    examine: Callable[[], Sequence[Finding]]
    figures: Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Offered:
    """What pages work with; `samples` are few, and none where they were never fetched.

    `listeners` hear events and `players` read clips, so many at a time. `background` runs what
    takes longer than anybody waits for a page.
    """

    home: Home
    buckets: Buckets
    uploads: Uploads
    operated: Operated
    samples: tuple[Photograph, ...] = ()
    listeners: Listeners = field(default_factory=Listeners)
    players: Listeners = field(default_factory=Listeners)
    background: Background = field(default_factory=Background, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A page to show: a template and its values."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another page to go to, after something was done there are words about.

    `remark` says what to look at now. `token` is that of a session that begins with it; an empty
    one ends it. `shows` is what that page shows once (`visit.take_shown_once`), such as a secret.
    """

    location: str
    said: Markup | None = None
    remark: Markup | None = field(default=None, kw_only=True)
    token: str | None = field(default=None, repr=False)
    shows: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes: a file to save under a name, or, without one, something that a page shows."""

    content: bytes = field(repr=False)
    media_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Streamed:
    """What comes piece by piece: a part of a file, or events; `length` where it is known."""

    pieces: Stream
    headers: Mapping[str, str]
    status: int = 200
    length: int | None = None


Outcome = Page | Redirect | Download | Streamed


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with a form, and with which of its fields, if with one."""

    message: str
    field: str | None = None


@dataclass(slots=True)
class Visit:
    """One request: who asks, where, with what. `problem` is that of the form to show again.

    `headers` are for what is streamed: which part of a file, behind which event.
    `path` is percent-encoded as `link` writes it. `is_stopped` says that the stop switch refuses
    some uses now, to whoever may see which.
    """

    offered: Offered
    language: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    address: str
    form: Form = field(default_factory=Form)
    signed_in: SignedIn | None = None
    token: str = field(default="", repr=False)
    memory: Memory = field(default_factory=Memory)
    problem: Problem | None = None
    proof: Proof = field(default_factory=Proof)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stopped: bool = False
    _about: str | None = None

    @property
    def t(self) -> Wording:
        """The texts of the language that they read."""
        return languages()[self.language]

    @property
    def home(self) -> Home:
        """The home that is served."""
        return self.offered.home

    @property
    def who(self) -> SignedIn:
        """Whoever is signed in."""
        if self.signed_in is None:
            raise RuntimeError("a page for whoever is signed in was shown to somebody who is not")
        return self.signed_in

    @property
    def principal(self) -> Principal:
        """Whom acts are done for."""
        return self.who.principal

    def take_shown_once(self) -> Mapping[str, str]:
        """Give what whoever led here left for this page to show; a second time there is nothing."""
        return self.memory.take(self.path)

    def look_at_left(self) -> Mapping[str, str]:
        """Give what whoever led here left for this page to show, however often it is loaded."""
        return self.memory.look(self.path)

    @property
    def places(self) -> list[str]:
        """The pages that their role may go to, as they are listed above every page."""
        return [name for name, needs in _PLACES if self.may(needs)]

    @property
    def start(self) -> str:
        """The page that their role begins with."""
        is_reviewer = self.signed_in is not None and self.principal.role is Role.REVIEWER
        first = ["review"] if is_reviewer else []
        return link(*[*first, *self.places, "account"][:1])

    def is_over(self) -> bool:
        """Say whether their session has ended since they asked."""
        return find_signed_in(self.home, self.token) is None

    def may(self, action: str) -> bool:
        """Say whether their role may do something at all."""
        return self.signed_in is not None and may(self.principal.role, Action(action))

    def caller(self, operation: str, purpose: str | None = None, **stated: Any) -> Caller:
        """Give the caller of an act, whose proof the page shows."""
        return Caller(
            self.principal, operation, Stated(purpose or None, **stated), proof=self.proof
        )

    @contextmanager
    def about(self, name: str) -> Iterator[None]:
        """Show what goes wrong here beside a field."""
        try:
            yield
        except LikenessError:
            self._about = self._about or name
            raise

    def problem_of(self, message: str) -> Problem:
        """Give the problem of a form, beside the field that it is about."""
        return Problem(message, self._about)

    def with_problem(self, problem: Problem) -> "Visit":
        """Have this visit show its form again with a problem."""
        self.problem, self._about = problem, None
        return self

    @property
    def csrf(self) -> str:
        """What a form has to bring along, so that it is known to come from a page of ours."""
        return csrf_of(self.token)

    def new_once(self) -> str:
        """Draw what a form brings along, so that it is done once however often it is sent."""
        return secrets.token_urlsafe(12)


def csrf_of(token: str) -> str:
    """Give what forms of a session bring along."""
    return hmac.new(token.encode(), b"forms of the console", sha256).hexdigest()


def link(*parts: object) -> str:
    """Give the path of a page, whose parts may hold anything."""
    return "/".join([ROOT, *(_linked(str(part)) for part in parts)])


def unlinked(part: str) -> str:
    """Give what `link` made a part of a path of."""
    return unquote(part.removeprefix(_KEPT_APART))


def _linked(part: str) -> str:
    # Browsers take `.` and `..` for folders, even where they are quoted.
    apart = _KEPT_APART if part in (".", "..") or part.startswith(_KEPT_APART) else ""
    return apart + quote(part, safe="")
