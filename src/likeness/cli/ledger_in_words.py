"""Entries of the ledger in words, for whoever audits."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded, several
from likeness.errors import LedgerBroken
from likeness.ledger import Entry, Rules
from likeness.service.govern.ledger import ShownEntry
from likeness.terms import UNDECLARED, LiveStatement, Use


def entry_lines(shown: ShownEntry) -> Iterator[str]:
    """Say what an entry says: who did what, by which rules, and what came of it."""
    try:
        entry = shown.entry
    except LedgerBroken as error:
        yield f"{shown.index}  cannot be read. {error}"
        return
    use, at = entry.use, f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"{shown.index}  {at}  {entry.kind}: {use.operation} ({use.action}) by {use.principal.id}"
    for line in _inside(entry):
        yield from (f"    {one}" for one in folded(plain(line)).splitlines())
    yield f"    receipt {shown.receipt_id}"


def _inside(entry: Entry) -> Iterator[str]:
    yield from _of_use(entry.use)
    if entry.rules is not None:
        yield _of_rules(entry.rules)
    counted = [
        # Some entries that were written before hold true in place of 1.
        *(f"{name} {count:d}" for name, count in entry.counts.items()),
        *(f"{name} {one}" for name, one in entry.ids.items()),
    ]
    if counted:
        yield ", ".join(counted)
    committed = [
        several(len(some), kind)
        for some, kind in ((entry.subjects, "subject"), (entry.references, "reference"))
        if some
    ]
    if committed:
        yield f"commitments to {' and '.join(committed)}"
    yield from _of_details(entry.details)
    if entry.clock is not None:
        yield f"the clock said {entry.clock:%Y-%m-%d %H:%M:%S} UTC, behind an earlier entry"


def _of_use(use: Use) -> Iterator[str]:
    who = use.principal
    facts = {
        "role": who.role.value,
        "organisation": who.organisation,
        "sector": who.sector,
        "jurisdiction": who.jurisdiction,
        "purpose": use.purpose,
        "footage as stated": use.footage,
    }
    stated = [f"{name} {fact}" for name, fact in facts.items() if fact != UNDECLARED]
    said = {"a case": use.case, "a warrant": use.warrant, "live": use.live}
    yield ", ".join([*stated, *(name for name, fact in said.items() if fact)])
    if use.live_search is not None:
        yield _of_live_search(use.live_search)
    if use.collection_id is not None:
        declared = asdict(use.collection).items()
        tagged = [f"{name} {fact}" for name, fact in declared if fact != UNDECLARED]
        yield ", tagged ".join([f"collection {use.collection_id}", *tagged])


def _of_live_search(stated: LiveStatement) -> str:
    said = {
        "a place": stated.place,
        "an authority": stated.authority,
        "criteria": stated.criteria,
    }
    listed = [name for name, text in said.items() if text]
    if stated.ends_at is not None:
        listed.append(f"its end at {stated.ends_at:%Y-%m-%d %H:%M} UTC")
    return f"a live search that states {', '.join(listed) or 'nothing'}"


def _of_rules(rules: Rules) -> str:
    if rules.refused_by:
        return f"refused by {', '.join(rules.refused_by)}; rules {rules.digest[:16]}"
    owed = "".join(f"; owes {one.duty} {one.amount:g} by {one.rule_id}" for one in rules.owed)
    return f"allowed by {', '.join(rules.allowed_by)}{owed}; rules {rules.digest[:16]}"


def _of_details(details: Mapping[str, str]) -> Iterator[str]:
    left = dict(details)
    if "clip_sha256" in left:
        yield f"clip SHA-256 {left.pop('clip_sha256')}"
    if "from_ms" in left and "to_ms" in left:
        yield f"from {_time(left.pop('from_ms'))} to {_time(left.pop('to_ms'))} of it"
    if "shots_ms" in left:
        shots = " ".join(map(_time, left.pop("shots_ms").split()))
        yield f"looks that led to matches: {shots}"
    if left:
        yield ", ".join(f"{name} {text}" for name, text in left.items())


def _time(milliseconds: str) -> str:
    """Write a time of a clip; what is no number stays, such as that there are more."""
    if not milliseconds.isdecimal():
        return milliseconds
    minutes, left = divmod(int(milliseconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left / 1000:06.3f}"
