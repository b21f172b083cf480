"""`likeness report compare`: what changed between two reports, or between two cards."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.report.files import UNCHECKED, estimate_json, in_words, read_card_or_report
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.options import AsJson
from likeness.errors import InvalidRequest
from likeness.service.evaluate.cards import Card, SystemOnCard
from likeness.service.evaluate.figures import Change, changes_between

_File = "CARD.json|REPORT.json"


def compare(
    old: Annotated[Path, typer.Argument(metavar=f"OLD.{_File}", help="Card or report before.")],
    new: Annotated[Path, typer.Argument(metavar=f"NEW.{_File}", help="Card or report after.")],
    as_json: AsJson = False,
) -> None:
    """Show what changed between two cards or reports, figure by figure.

    A change is marked where the 95% intervals have nothing in common.
    """
    before, after = read_card_or_report(old), read_card_or_report(new)
    pairs = _paired(before.card, after.card)
    document: Json = {"systems": [_compared_json(*pair) for pair in pairs]}
    lines = [line for pair in pairs for line in _compared(*pair)]
    if before.signed or after.signed:
        lines.append(UNCHECKED)
    print_answer(as_json, document, lines)


def _paired(old: Card, new: Card) -> list[tuple[SystemOnCard, SystemOnCard]]:
    """Pair the systems of two cards in their order.

    Raises:
        InvalidRequest: one has two systems, and the other one.
    """
    if len(old.systems) != len(new.systems):
        raise InvalidRequest(
            f"One report is of {len(old.systems)} and the other of {len(new.systems)} systems."
            " Give two of as many."
        )
    return list(zip(old.systems, new.systems, strict=True))


def _facts(old: SystemOnCard, new: SystemOnCard) -> list[tuple[str, str, str]]:
    names = [*old.facts, *(name for name in new.facts if name not in old.facts)]
    both = [(name, old.facts.get(name, ""), new.facts.get(name, "")) for name in names]
    return [(name, was, is_) for name, was, is_ in both if was != is_]


def _compared(old: SystemOnCard, new: SystemOnCard) -> list[str]:
    lines = [f"{old.name} -> {new.name}"]
    lines += [
        f"  {name}: {was or 'nothing'} -> {is_ or 'nothing'}" for name, was, is_ in _facts(old, new)
    ]
    if old.data_digest != new.data_digest:
        lines.append("  The data differ, so figures may differ because of them.")
    changes = [one for one in changes_between(old.figures, new.figures) if one.old != one.new]
    lines += [f"  {_in_words(one)}" for one in changes]
    if not changes:
        lines.append("  No figure changed.")
    lines += [f"  new warning: {one}" for one in new.warnings if one not in old.warnings]
    lines += [f"  warning gone: {one}" for one in old.warnings if one not in new.warnings]
    return lines


def _in_words(change: Change) -> str:
    was, is_ = (
        "not reported" if one is None else in_words(one) for one in (change.old, change.new)
    )
    difference = "" if change.difference is None else f" ({change.difference:+.4g})"
    mark = " CHANGED beyond both intervals" if change.apart else ""
    return f"{change.figure}: {was} -> {is_}{difference}{mark}"


def _compared_json(old: SystemOnCard, new: SystemOnCard) -> Json:
    return {
        "old": old.name,
        "new": new.name,
        "same_data": old.data_digest == new.data_digest,
        "facts": [{"fact": name, "old": was, "new": is_} for name, was, is_ in _facts(old, new)],
        "figures": [
            {
                "figure": one.figure,
                "old": estimate_json(one.old),
                "new": estimate_json(one.new),
                "difference": one.difference,
                "apart": one.apart,
            }
            for one in changes_between(old.figures, new.figures)
        ],
    }
