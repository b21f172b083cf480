"""Pages: nothing from elsewhere, nothing of anybody's words taken for markup."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from likeness.reports import (
    Cell,
    Columns,
    Facts,
    Heading,
    Items,
    Page,
    Section,
    Table,
    Text,
    draw,
    write_page,
)

_HOSTILE = "<script>alert(1)</script>\"'}{{ 7*7 }} $x^ \N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J"
_ALONE = {"meta", "link", "path", "use"}


class Checked(HTMLParser):
    """Reads a page, and notes what a browser would have to mend."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: bytes) -> Checked:
    page = Checked()
    page.feed(html.decode())
    page.close()
    return page


def _page(*blocks: object) -> Page:
    return Page("A page", ("of a test",), (Section("First", blocks),))  # type: ignore[arg-type]


def _hostile_page() -> Page:
    plot = draw(
        lambda axes: axes.plot([1, 2], [3, 4], label=_HOSTILE) and axes.set_xlabel(_HOSTILE),
        title=_HOSTILE,
        description=_HOSTILE,
    )
    table = Table(_HOSTILE, (_HOSTILE,), ((Cell(_HOSTILE, _HOSTILE, _HOSTILE),),), _HOSTILE)
    blocks = (
        Text(_HOSTILE),
        Items((_HOSTILE,)),
        Facts(((_HOSTILE, _HOSTILE),)),
        Heading(_HOSTILE),
        table,
        plot,
        Columns(((plot,), (table,))),
    )
    return Page(_HOSTILE, (_HOSTILE,), (Section(_HOSTILE, blocks),), (_HOSTILE,))


def test_what_people_call_things_is_never_markup() -> None:
    html = write_page(_hostile_page())
    page = read(html)
    assert page.wrong == [] and page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count("{{ 7*7 }}") > 10
    assert "\x1b" not in page.text and "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.text
    assert "\\u202e" in page.text


def test_a_page_asks_nobody_for_anything() -> None:
    page = read(write_page(_hostile_page()))
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,", (tag, value)
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_its_policy_allows_its_own_styles_alone() -> None:
    html = write_page(_hostile_page()).decode()
    style = re.search("<style>(.*?)</style>", html, re.S)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = next(
        attributes["content"] or ""
        for tag, attributes in read(html.encode()).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "unsafe" not in policy and "@import" not in style[1] and "url(http" not in style[1]


def test_the_same_page_is_the_same_bytes() -> None:
    assert write_page(_hostile_page()) == write_page(_hostile_page())


def test_every_reference_in_a_page_has_its_target() -> None:
    page = read(write_page(_hostile_page()))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for _, attributes in page.tags:
        wanted = re.findall(r"^#(.+)$", attributes.get("href") or "")
        wanted += re.findall(r"url\(#([^)]+)\)", attributes.get("clip-path") or "")
        wanted += (attributes.get("aria-labelledby") or "").split()
        assert set(wanted) <= ids


def test_a_drawing_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    plot = draw(lambda axes: axes.plot([1], [2]), title="Rates", description="They fall.")
    assert '<title id="' in plot.svg and ">Rates</title>" in plot.svg
    assert ">They fall.</desc>" in plot.svg and 'role="img"' in plot.svg
    assert plot.caption == "Rates"


def test_a_drawing_has_the_colours_of_its_page() -> None:
    plot = draw(lambda axes: axes.plot([1], [2]), title="Rates", description="")
    assert any("var(--muted)" in rule for rule in plot.rules.values())
    assert not any("#0000" in rule for rule in plot.rules.values())


def test_each_footnote_of_a_table_is_there_once() -> None:
    cells = (Cell("a", note="One."), Cell("b", note="Two."), Cell("c", note="One."))
    table = Table("T", ("x", "y", "z"), (cells,))
    assert table.footnotes == ("One.", "Two.")
    assert [table.mark(cell) for cell in cells] == ["1", "2", "1"]
    page = read(write_page(_page(table)))
    assert page.text.count("One.") == 1
    headers = [attributes for tag, attributes in page.tags if tag == "th"]
    assert [header["scope"] for header in headers] == ["col", "col", "col", "row"]


def test_facts_without_a_value_are_left_out() -> None:
    text = read(write_page(_page(Facts((("There", "yes"), ("Not there", "")))))).text
    assert "There" in text and "Not there" not in text


@pytest.mark.parametrize("name", ["page.html", "style.css"])
def test_a_wheel_has_the_templates(name: str) -> None:
    assert (files("likeness.reports") / "templates" / name).is_file()
