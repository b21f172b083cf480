"""Draws with matplotlib as SVG that takes its colours and letters from the page it lies in.

matplotlib writes each colour as a number; the numbers of `Ink` become the page's own colours, so
that one drawing serves light and dark. Styles become classes, because the page allows no others.
"""

import re
import warnings
from collections.abc import Callable
from hashlib import sha256
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

from likeness.reports.blocks import Plot
from likeness.reports.wording import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Paint = Callable[["Axes"], None]

_WIDTH, _HEIGHT = 400, 310
"""Points; so wide that letters of 10 points can be read on a telephone."""
_MOST_MAGNIFIED = 1.4


class Ink:
    """Colours to draw with; a page has its own for each, in light and in dark."""

    INK = "#000001"
    MUTED = "#000002"
    LINE = "#000003"
    GRID = "#000004"
    PAPER = "#000005"
    BAND = "#000006"
    FIRST = "#000007"
    SECOND = "#000008"
    MATED = "#000009"
    NONMATED = "#00000a"


_PAGE_COLOURS = {
    number: f"var(--{name.lower()})" for name, number in vars(Ink).items() if name.isupper()
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "likeness",
    # What people call their groups is no formula.
    "text.parse_math": False,
    "text.usetex": False,
    "axes.unicode_minus": True,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.titlesize": 10.0,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    "legend.frameon": False,
    "text.color": Ink.INK,
    "axes.labelcolor": Ink.INK,
    "axes.edgecolor": Ink.LINE,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": Ink.GRID,
    "grid.linewidth": 0.7,
    "xtick.color": Ink.LINE,
    "ytick.color": Ink.LINE,
    "xtick.labelcolor": Ink.MUTED,
    "ytick.labelcolor": Ink.MUTED,
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
}
_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_STYLE = re.compile(r' style="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'url\(#([^)]+)\)|href="#([^"]+)"')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT = re.compile(r"('[^']*'|sans-serif)(, ('[^']*'|sans-serif))*")


def draw(
    paint: Paint,
    *,
    title: str,
    description: str,
    caption: str = "",
    width: float = _WIDTH,
    height: float = _HEIGHT,
    least_width: int = 320,
) -> Plot:
    """Draw one plot: `paint` is given the axes, in inks of `Ink`.

    `title` and `description` are read to those who do not see it; `caption` stands below it,
    and is the title without one. Width and height are points.
    """
    # They take half a second to import, of every start.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    written = StringIO()
    with rc_context(_SETTINGS), warnings.catch_warnings():
        # Letters that its own font lacks are the page's to show; a plot may have little room, and
        # rates of which no error was seen have no place on a logarithm's axis.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        warnings.filterwarnings("ignore", ".*constrained_layout", UserWarning)
        warnings.filterwarnings("ignore", "Data has no positive values", UserWarning)
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        paint(figure.add_subplot())
        figure.savefig(written, format="svg", metadata=dict.fromkeys(_METADATA))
    svg, rules = _for_pages(written.getvalue(), title, description)
    return Plot(svg, caption or title, rules, least_width, int(width * _MOST_MAGNIFIED))


_METADATA = ("Date", "Creator", "Format", "Type")


def _for_pages(svg: str, title: str, description: str) -> tuple[str, dict[str, str]]:
    """Make an SVG of matplotlib's fit to lie in a page, and give the rules of its classes."""
    rules: dict[str, str] = {}
    prefix = f"p{sha256((svg + title).encode()).hexdigest()[:8]}"
    # Nothing that is drawn may turn words around or end a line.
    body = "\n".join(map(printable, svg[svg.index("<svg") :].splitlines()))
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.S)
    wanted = {first or second for first, second in _REFERENCE.findall(body)}

    def retagged(found: re.Match[str]) -> str:
        tag = _STYLE.sub(reclassed, found[0])
        tag = _LONG_NUMBER.sub(lambda one: f"{float(one[0]):.2f}", tag)
        tag = _ID.sub(lambda one: f' id="{prefix}-{one[1]}"' if one[1] in wanted else "", tag)
        tag = tag.replace("url(#", f"url(#{prefix}-").replace('xlink:href="#', f'href="#{prefix}-')
        return tag.replace("xlink:href=", "href=")

    def reclassed(found: re.Match[str]) -> str:
        declaration = found[1].strip()
        declaration = _FONT.sub("var(--sans)", declaration)
        for number, colour in _PAGE_COLOURS.items():
            declaration = declaration.replace(number, colour)
        # Of no other does the prefix of a reference become part of the style.
        declaration = declaration.replace("url(#", f"url(#{prefix}-")
        name = f"k{sha256(declaration.encode()).hexdigest()[:8]}"
        rules[name] = declaration
        return f' class="{name}"'

    body = _TAG.sub(retagged, body)
    body = re.sub(r"\n\s*", "\n", re.sub(r"<defs>\s*</defs>|<g>\s*</g>", "", body))
    view = re.search(r'viewBox="[^"]*"', body)
    head = (
        f'<svg class="plot" role="img" aria-labelledby="{prefix}-t {prefix}-d"'
        f" {view[0] if view else ''}>"
        f'<title id="{prefix}-t">{escape(printable(title))}</title>'
        f'<desc id="{prefix}-d">{escape(printable(description))}</desc>'
    )
    return _TAG.sub(lambda _: head, body, count=1).strip(), rules
