"""The page of what changed between two report cards."""

from collections.abc import Sequence

from likeness.evaluation import Estimate
from likeness.reports.blocks import Block, Cell, Facts, Items, Page, Section, Table, Text
from likeness.reports.pages import write_page
from likeness.reports.wording import (
    Form,
    estimate_cell,
    minute,
    number,
    percent,
    points,
    signed,
    small,
)
from likeness.service.evaluate.cards.card import Card
from likeness.service.evaluate.cards.changes import Change, SystemChange, changes_of

_MOST_ROWS = 1000


def write_changes(old: Card, new: Card, *, signed: bool = False) -> bytes:
    """Give what changed between two cards as one HTML page that needs nothing else.

    Of `signed` ones it says that who signed them was not checked.

    Raises:
        InvalidRequest: one is of more systems than the other.
    """
    return write_page(_page(old, new, changes_of(old, new), from_cards=signed))


def _page(old: Card, new: Card, changes: Sequence[SystemChange], *, from_cards: bool) -> Page:
    lead = [
        f"Before: {old.title}, {minute(old.made_at)}, by {old.made_by}",
        f"After: {new.title}, {minute(new.made_at)}, by {new.made_by}",
    ]
    foot = ["Made without any request to elsewhere; this page makes none either."]
    if from_cards:
        foot.append(
            "Who signed the cards was not checked for this page: `likeness report verify` does."
        )
    return Page(
        f"What changed: {new.title}",
        tuple(lead),
        tuple(section for one in changes for section in _sections(one)),
        tuple(foot),
    )


def _sections(one: SystemChange) -> list[Section]:
    name = one.new.name
    return [
        Section(f"{name}: what was tested", tuple(_tested(one))),
        Section(f"{name}: figures", tuple(_figures(one))),
    ]


def _tested(one: SystemChange) -> list[Block]:
    blocks: list[Block] = []
    if one.same_data:
        blocks.append(Text("Both were tested on the same data, to the byte."))
    else:
        blocks.append(Text("The data differ, so figures may differ because of them.", warning=True))
    blocks += [Text(f"New warning: {warning}", warning=True) for warning in one.new_warnings]
    if one.facts:
        blocks.append(Table("What is not as it was", ("", "Before", "After"), one.facts))
    if one.warnings_gone:
        blocks.append(Items(tuple(f"No longer: {warning}" for warning in one.warnings_gone)))
    blocks.append(
        Facts(
            (
                ("Data before, SHA-256", one.old.data_digest),
                ("Data after, SHA-256", one.new.data_digest),
            )
        )
    )
    return blocks


def _figures(one: SystemChange) -> list[Block]:
    if not one.changed:
        return [Text("No figure changed.")]
    # What chance would seldom do comes first.
    listed = sorted(one.changed, key=lambda change: not change.apart)
    blocks: list[Block] = [
        Table(
            "Figures that changed",
            ("Figure", "Before", "After", "After less before", "Beyond both intervals"),
            tuple(map(_row, listed[:_MOST_ROWS])),
            note="With 95% intervals. Where they have nothing in common, chance alone would seldom"
            " make the change.",
        )
    ]
    if (left := len(listed) - _MOST_ROWS) > 0:
        blocks.append(Text(f"{left:,} more changed: `likeness report compare` lists them."))
    return blocks


def _row(change: Change) -> tuple[Cell | str, ...]:
    form = _form(change.figure)
    difference = change.difference
    return (
        change.figure,
        _cell(change.old, form),
        _cell(change.new, form),
        "" if difference is None else signed(points if form is percent else form)(difference),
        Cell("yes", tone="worst") if change.apart else "",
    )


def _cell(figure: Estimate | None, form: Form) -> Cell:
    return Cell("not reported") if figure is None else estimate_cell(figure, form)


def _form(figure: str) -> Form:
    """Choose how to write a figure by its name, as `figures_of` gives it."""
    if any(word in figure for word in ("threshold at", "max/", "Gini", "GARBE", "seconds", "Cllr")):
        return number
    if any(word in figure for word in (": FMR at", ": FMR of", "1:1 FMR", "GFAR")):
        return small
    return percent
