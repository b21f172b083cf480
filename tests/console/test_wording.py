"""What the pages say: every text that is used is there, and every one that is there is used."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from markupsafe import Markup

from likeness.console import visit, wording
from likeness.console.drawing import templates
from likeness.console.wording import Wording, choose_language, languages
from tests.console.conftest import Pages

_CONSOLE = Path(str(files("likeness.console")))
_USED = re.compile(r"""\bt\(\s*"([\w.-]+)"\s*[,)]""")


def sources() -> Iterator[tuple[Path, str]]:
    """Everything that may name a text."""
    for kind in ("*.py", "*.html", "*.js"):
        for path in sorted(_CONSOLE.rglob(kind)):
            yield path, path.read_text(encoding="utf-8")


def test_every_text_that_is_used_is_there() -> None:
    keys = languages()["en"].keys
    missing = {
        (path.name, key)
        for path, text in sources()
        for key in _USED.findall(text)
        if key not in keys and f"{key}.many" not in keys
    }
    assert missing == set()


def test_every_text_is_used() -> None:
    text = "\n".join(text for _, text in sources())
    literals = set(re.findall(r"""["']([\w.-]+)["']""", text))
    prefixes = tuple(re.findall(r"""["']([\w.-]+[._])(?:["']|\{)""", text))
    names = {key.removesuffix(".one").removesuffix(".many") for key in languages()["en"].keys}
    unused = {name for name in names if name not in literals and not name.startswith(prefixes)}
    assert unused == set()


def test_every_template_is_found() -> None:
    assert "base.html" in templates()


def test_what_is_put_in_is_escaped() -> None:
    texts = Wording({"greeting": "Hello <b>{name}</b>"})
    assert texts("greeting", name="<script>") == Markup("Hello <b>&lt;script&gt;</b>")
    assert texts("greeting", name=Markup("<i>Ada</i>")) == Markup("Hello <b><i>Ada</i></b>")


def test_a_text_is_chosen_by_its_count() -> None:
    texts = Wording({"faces": {"one": "1 face", "many": "{count} faces"}})
    assert [texts("faces", count=count) for count in (0, 1, 2)] == ["0 faces", "1 face", "2 faces"]


def test_a_text_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        Wording({})("nothing")


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second language, of which little is translated."""
    english = languages()["en"]
    both = {"en": english, "de": Wording({"sign_in": {"title": "Anmelden"}}, english)}
    for module in (wording, visit):
        monkeypatch.setattr(module, "languages", lambda: both)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5, de", "de"),
        ("en, de", "en"),
        ("fr, nl;q=0.3", "en"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=x;;,,;q=", "en"),
        ("de;q=nan, en;q=inf", "en"),
        ("x" * 10_000, "en"),
    ],
)
@pytest.mark.usefixtures("german")
def test_the_language_is_that_of_the_browser(accepted: str, chosen: str) -> None:
    assert choose_language(accepted) == chosen


@pytest.mark.usefixtures("german")
def test_a_page_is_shown_in_the_language_of_the_browser(pages: Pages) -> None:
    shown = pages.stranger(**{"accept-language": "de-DE,de;q=0.9"}).see("/console/sign-in")
    assert '<html lang="de">' in shown.html
    assert "Anmelden" in shown.text
    assert "One-time code" in shown.text
    assert "Anmelden" not in pages.stranger().see("/console/sign-in").text
