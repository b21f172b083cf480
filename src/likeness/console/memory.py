"""What a server remembers of each session while it runs: words to show, forms done, drafts.

It is lost when the server stops, and of the sessions used longest ago where there are many; nothing
depends on it but comfort.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from markupsafe import Markup

_MOST_SESSIONS, _MOST_FORMS, _MOST_NOTICES, _MOST_DRAFTS = 2_000, 200, 10, 20
BEING_DONE = ""
"""Where a form leads whose act has not ended."""

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Notice:
    """Words that the next page shows once; a remark says what to look at now."""

    text: Markup
    is_remark: bool = False


@dataclass(slots=True)
class Memory:
    """Of one session.

    `done` is where each form that was sent has led, `left` what pages show once, such as a secret.
    """

    notices: list[Notice] = field(default_factory=list)
    done: OrderedDict[str, str] = field(default_factory=OrderedDict)
    drafts: OrderedDict[str, Fields] = field(default_factory=OrderedDict)
    left: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, form: str) -> str | None:
        """Note that a form's act begins; where it was sent before, say where that has led."""
        with self._lock:
            if (led := self.done.get(form)) is not None:
                return led
            self.done[form] = BEING_DONE
            _drop_first(self.done, _MOST_FORMS)
        return None

    def finish(self, form: str, location: str | None) -> None:
        """Note where a form has led; None where nothing was done, so that it may come again."""
        with self._lock:
            if location is None:
                self.done.pop(form, None)
            else:
                self.done[form] = location

    def say(self, notice: Notice) -> None:
        """Show something on the next page."""
        with self._lock:
            self.notices = [*self.notices, notice][-_MOST_NOTICES:]

    def take_notices(self) -> list[Notice]:
        """Give what is to be shown, once."""
        with self._lock:
            taken, self.notices = self.notices, []
        return taken

    def leave(self, path: str, values: Mapping[str, str]) -> None:
        """Have a page show something once, and nothing else that was left before."""
        with self._lock:
            self.left = {path: values}

    def take(self, path: str) -> Mapping[str, str]:
        """Give what a page is to show once; nothing where there is none."""
        with self._lock:
            return self.left.pop(path, {})

    def look(self, path: str) -> Mapping[str, str]:
        """Give the same as `take` does, and leave it there."""
        with self._lock:
            return self.left.get(path, {})

    def keep_draft(self, path: str, fields: Fields) -> None:
        """Keep what was written at a page that could not be done."""
        with self._lock:
            self.drafts[path] = fields
            _drop_first(self.drafts, _MOST_DRAFTS)

    def take_draft(self, path: str) -> Fields | None:
        """Give what was written at a page, once."""
        with self._lock:
            return self.drafts.pop(path, None)


class Memories:
    """Of all sessions, by their tokens; safe to share between threads."""

    def __init__(self) -> None:
        self._of: OrderedDict[bytes, Memory] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, token: str) -> Memory:
        """Give what is remembered of a session."""
        digest = sha256(token.encode()).digest()
        with self._lock:
            memory = self._of.setdefault(digest, Memory())
            self._of.move_to_end(digest)
            _drop_first(self._of, _MOST_SESSIONS)
        return memory

    def forget(self, token: str) -> None:
        """Forget what is remembered of a session that is over."""
        with self._lock:
            self._of.pop(sha256(token.encode()).digest(), None)


def _drop_first(those: OrderedDict[Any, Any], most: int) -> None:
    while len(those) > most:
        those.popitem(last=False)
