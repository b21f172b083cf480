"""Writes a page as one HTML file that asks nobody for anything.

Styles and drawings are inside it, there is no script, and its content security policy allows
neither requests nor styles other than its own.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from likeness.reports.blocks import Block, Columns, Page, Plot
from likeness.reports.wording import printable


def write_page(page: Page) -> bytes:
    """Give a page as HTML; the same page is always the same bytes."""
    environment = _environment()
    style = environment.get_template("style.css").render() + _rules(page)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    html = environment.get_template("page.html").render(
        page=page,
        # Nothing of it is anybody's words.
        style=Markup(style),  # noqa: S704
        style_digest=digest,
    )
    return html.encode()


def _rules(page: Page) -> str:
    """Give the styles of all drawings of a page, each once."""
    rules: dict[str, str] = {}
    for section in page.sections:
        for plot in _plots(section.blocks):
            size = f"min-width: {plot.least_width}px; max-width: {plot.most_width}px"
            rules |= {**plot.rules, plot.size: size}
    return "".join(f".{name}{{{declaration}}}\n" for name, declaration in sorted(rules.items()))


def _plots(blocks: Iterable[Block]) -> Iterator[Plot]:
    for block in blocks:
        if isinstance(block, Plot):
            yield block
        elif isinstance(block, Columns):
            for column in block.columns:
                yield from _plots(column)


def _kind(block: Block) -> str:
    return type(block).__name__


def _drawing(plot: Plot) -> Markup:
    # `draw` made it, and has escaped what it was given.
    return Markup(plot.svg)  # noqa: S704


def _said(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("likeness.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_said,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = _kind
    environment.filters["drawing"] = _drawing
    return environment
