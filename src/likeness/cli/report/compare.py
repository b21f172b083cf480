"""`likeness report compare`: what changed between two reports, or between two cards."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.report.files import UNCHECKED, estimate_json, in_words, read_card_or_report
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.service.evaluate.cards.changes import Change, SystemChange, changes_of

_File = "CARD.json|REPORT.json"


def compare(
    old: Annotated[Path, typer.Argument(metavar=f"OLD.{_File}", help="Card or report before.")],
    new: Annotated[Path, typer.Argument(metavar=f"NEW.{_File}", help="Card or report after.")],
    html: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write a page of the changes here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two cards or reports, figure by figure.

    A change is marked where the 95% intervals have nothing in common.
    """
    if html is not None:
        check_output(html)
    before, after = read_card_or_report(old), read_card_or_report(new)
    changes = changes_of(before.card, after.card)
    if html is not None:
        from likeness.reports import write_changes  # templates take long to import

        signed = before.signed or after.signed
        write_output(html, write_changes(before.card, after.card, signed=signed))
    lines = [line for one in changes for line in _compared(one)]
    if before.signed or after.signed:
        lines.append(UNCHECKED)
    print_answer(as_json, {"systems": [_compared_json(one) for one in changes]}, lines)


def _compared(one: SystemChange) -> list[str]:
    lines = [f"{one.old.name} -> {one.new.name}"]
    lines += [f"  {name}: {was or 'nothing'} -> {is_ or 'nothing'}" for name, was, is_ in one.facts]
    if not one.same_data:
        lines.append("  The data differ, so figures may differ because of them.")
    lines += [f"  {_in_words(change)}" for change in one.changed]
    if not one.changed:
        lines.append("  No figure changed.")
    lines += [f"  new warning: {warning}" for warning in one.new_warnings]
    lines += [f"  warning gone: {warning}" for warning in one.warnings_gone]
    return lines


def _in_words(change: Change) -> str:
    was, is_ = (
        "not reported" if one is None else in_words(one, noted=False)
        for one in (change.old, change.new)
    )
    difference = "" if change.difference is None else f" ({change.difference:+.4g})"
    mark = " CHANGED beyond both intervals" if change.apart else ""
    return f"{change.figure}: {was} -> {is_}{difference}{mark}"


def _compared_json(one: SystemChange) -> Json:
    return {
        "old": one.old.name,
        "new": one.new.name,
        "same_data": one.same_data,
        "facts": [{"fact": name, "old": was, "new": is_} for name, was, is_ in one.facts],
        "figures": [
            {
                "figure": change.figure,
                "old": estimate_json(change.old),
                "new": estimate_json(change.new),
                "difference": change.difference,
                "apart": change.apart,
            }
            for change in one.figures
        ],
    }
