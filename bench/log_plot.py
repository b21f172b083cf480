"""Small plots side by side, on logarithmic axes, as one SVG that needs nothing else."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_PANELS_A_ROW = 2
_WIDTH, _HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 32, 40, 34
_CAPTION_HEIGHT = 30
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.small{font-size:10px;fill:#666}"
    ".grid{stroke:#ddd}.line{stroke:#1f5fa8;stroke-width:2;fill:none}.dot{fill:#1f5fa8}"
    ".target{stroke:#b3401f;stroke-dasharray:5 4}"
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: points (x, y), all above 0, and a `target` to draw across, if there is one."""

    title: str
    points: tuple[tuple[float, float], ...]
    target: float | None = None


def as_svg(panels: Sequence[Panel], caption: str) -> str:
    """Draw panels in rows, a line of text below."""
    rows = math.ceil(len(panels) / _PANELS_A_ROW)
    width, height = _PANELS_A_ROW * _WIDTH, rows * _HEIGHT + _CAPTION_HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, _PANELS_A_ROW)
        lines.append(f'<g transform="translate({column * _WIDTH},{row * _HEIGHT})">')
        lines += _panel(panel)
        lines.append("</g>")
    lines.append(f'<text class="small" x="12" y="{height - 12}">{escape(caption)}</text></svg>')
    return "\n".join(lines) + "\n"


def _panel(panel: Panel) -> Iterator[str]:
    x_axis = _Axis.over([x for x, _ in panel.points], _LEFT, _WIDTH - _RIGHT)
    ys = [y for _, y in panel.points] + ([panel.target] if panel.target else [])
    y_axis = _Axis.over(ys, _HEIGHT - _BOTTOM, _TOP)
    yield f'<text class="title" x="{_LEFT}" y="22">{escape(panel.title)}</text>'
    for tick in x_axis.ticks():
        at = x_axis.place(tick)
        yield f'<path class="grid" d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        yield _text(at, _HEIGHT - _BOTTOM + 16, _short(tick), "middle")
    for tick in y_axis.ticks():
        at = y_axis.place(tick)
        yield f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>'
        yield _text(_LEFT - 6, at + 4, _short(tick), "end")
    if panel.target:
        at = y_axis.place(panel.target)
        yield f'<path class="target" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>'
        yield _text(_LEFT + 4, at - 5, f"at most {panel.target:g}", "start")
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in panel.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path class="line" d="M{path}"/>'
    for (x, y), (_, value) in zip(places, panel.points, strict=True):
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
        yield _text(x, y - 8, f"{value:.2g}", "middle")


@dataclass(frozen=True, slots=True)
class _Axis:
    """Whole decades from 10^`low` to 10^`high`, drawn from `start` to `end` pixels."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "_Axis":
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), start, end)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="small" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _short(value: float) -> str:
    """Write a power of ten as people do: 10k, 1M, 0.1."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
