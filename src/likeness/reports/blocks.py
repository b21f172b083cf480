"""What a page is made of: sections of sentences, facts, tables and plots, as plain values.

A terminal shows the same values as a page does, but for the plots.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["", "worst", "unsure"]
"""`worst` is the cell to look at first, `unsure` what few errors stand for."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `detail` is smaller, and `note` goes below the table."""

    text: str
    detail: str = ""
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell of each row names it.

    One that is `folded` is closed at first on a page, and left out at a terminal.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    note: str = ""
    folded: bool = False

    @property
    def cells(self) -> tuple[tuple[Cell, ...], ...]:
        """All rows as cells."""
        return tuple(
            tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
            for row in self.rows
        )

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The notes of its cells, each once, in the order in which they come."""
        return tuple(dict.fromkeys(cell.note for row in self.cells for cell in row if cell.note))

    def mark(self, cell: Cell) -> str:
        """Give the number of a cell's footnote; nothing where it has none."""
        return str(self.footnotes.index(cell.note) + 1) if cell.note else ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; one with a `warning` stands out."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """Sentences one below the other."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they stand for; those without a value are left out."""

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing as SVG, made by `draw`; `rules` are declarations of CSS by class.

    `least_width` and `most_width` are between how many pixels it can be read; what is narrower
    scrolls.
    """

    svg: str
    caption: str
    rules: Mapping[str, str] = field(default_factory=dict)
    least_width: int = 320
    most_width: int = 560

    @property
    def size(self) -> str:
        """The class of its size."""
        return f"w{self.least_width}-{self.most_width}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Blocks beside each other where there is room, such as those of two systems, or two plots."""

    columns: tuple[tuple["Block", ...], ...]


Block = Text | Items | Facts | Heading | Table | Plot | Columns


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page, with a heading that the contents list."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page: `lead` says below the title what it is of, and `foot` how it was made."""

    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: tuple[str, ...] = ()
