"""People who use the pages without a browser: forms are filled in as a page shows them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

_LONGEST_S, _LOOK_EVERY_S = 60.0, 0.02

Files = Mapping[str, tuple[str, bytes]] | Sequence[tuple[str, tuple[str, bytes]]]


@dataclass
class ShownForm:
    """A form of a page that is sent by POST, and what is filled in."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Shown(HTMLParser):
    """A page: its text, links and forms."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.status = response.status_code
        self.headers = response.headers
        self.html = response.text
        self.path = response.url.path
        self.url = str(response.url)
        self.address = response.url.raw_path.decode()
        self.forms: list[ShownForm] = []
        self.links: list[str] = []
        self._words: list[str] = []
        self._form: ShownForm | None = None
        self._select: tuple[str, list[str], str | None] | None = None
        self._area: tuple[str, list[str]] | None = None
        self._skips = 0
        self.feed(self.html)

    @property
    def text(self) -> str:
        """What a person reads."""
        return " ".join(" ".join(self._words).split())

    def form(self, action: str) -> ShownForm:
        """The form that is sent to a path."""
        return next(one for one in self.forms if one.action == action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = ShownForm(given.get("action", self.path))
            if given.get("method") == "post":
                self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "style"):
            self._skips += 1
        elif self._form is not None and "name" in given:
            self._handle_input(tag, given)
        elif tag == "option" and self._select is not None:
            name, values, _ = self._select
            values.append(given.get("value", ""))
            if "selected" in given:
                self._select = (name, values, values[-1])

    def _handle_input(self, tag: str, given: Mapping[str, str]) -> None:
        assert self._form is not None
        kind = given.get("type", "text")
        if tag == "input" and kind not in ("file", "submit"):
            if kind not in ("checkbox", "radio") or "checked" in given:
                self._form.fields.append((given["name"], given.get("value", "")))
        elif tag == "button":
            self._form.buttons.append((given["name"], given.get("value", "")))
        elif tag == "select":
            self._select = (given["name"], [], None)
        elif tag == "textarea":
            self._area = (given["name"], [])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._skips -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select" and self._select is not None and self._form is not None:
            name, values, chosen = self._select
            if values:
                self._form.fields.append((name, values[0] if chosen is None else chosen))
            self._select = None
        elif tag == "textarea" and self._area is not None and self._form is not None:
            self._form.fields.append((self._area[0], "".join(self._area[1])))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1].append(data)
        if not self._skips:
            self._words.append(data)


class Person:
    """Somebody with a browser that runs no scripts."""

    def __init__(self, url: str, **headers: str) -> None:
        self.name = ""
        self.client = httpx.Client(
            base_url=url, follow_redirects=True, timeout=30, headers={"origin": url, **headers}
        )

    def sign_in(self, name: str, secret: str, code: str = "", to: str = "") -> Shown:
        """Sign in, and see what comes then."""
        self.name = name
        asked = {"name": name, "secret": secret, "secret_code": code, "next": to}
        return Shown(self.client.post("/console/sign-in", data=asked))

    def see(self, path: str, **query: str) -> Shown:
        """Go to a page."""
        return Shown(self.client.get(path, params=query or None))

    def until_done(self, shown: Shown) -> Shown:
        """Look again until an act in the background has ended, as the page's script does."""
        until_s = time.monotonic() + _LONGEST_S
        while "data-waiting" in shown.html:
            assert time.monotonic() < until_s, "it does not end"
            time.sleep(_LOOK_EVERY_S)
            shown = self.see(shown.path)
        return shown

    def send(
        self,
        page: Shown,
        action: str,
        fields: Mapping[str, Any] | None = None,
        files: Files | None = None,
        leave_out: Sequence[str] = (),
    ) -> Shown:
        """Fill in a form of a page and send it; a field may have several values."""
        given = fields or {}
        form = page.form(action)
        data: dict[str, Any] = {}
        for name, value in form.fields:
            if name not in given and name not in leave_out:
                data.setdefault(name, []).append(value)
        data |= {name: value for name, value in given.items()}
        headers = {"referer": page.url}
        return Shown(self.client.post(action, data=data, files=files, headers=headers))
