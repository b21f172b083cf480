"""Entries, which are what is written down of uses: facts that policy decides by, and counts.

Never a template, a picture, a name, nor an id that a client chose. People and references appear as
commitments (`likeness.ledger.keys`); a case, a warrant and what is stated of a live search do too.
An entry's bytes are JSON in ASCII with sorted keys and no spaces, one way to write each entry;
docs/ledger.md lists the keys.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.terms import (
    UNDECLARED,
    Action,
    CollectionFacts,
    Decision,
    Duty,
    LiveStatement,
    Principal,
    Role,
    Use,
)

VERSION = 1
_FACTS = tuple(each.name for each in fields(CollectionFacts))
_LONGEST_TEXT = 300
_PERCENT = re.compile(r"100|[0-9]{1,2}(\.[0-9]{1,4})?", re.ASCII)
_LONG = re.compile(rf'[^"]{{{_LONGEST_TEXT + 1}}}')


class Kind(StrEnum):
    """How far a use has come; what use it is, its action and operation say."""

    INTENT = "intent"
    """Admitted; work begins. Without a later entry of the same use, it was cut off."""
    DONE = "done"
    WITHHELD = "withheld"
    """Done, and not answered before an obligation is met."""
    REFUSED = "refused"
    FAILED = "failed"
    KEY = "key"
    """From this entry on, another key signs the ledger."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded of a use: ids of ours, counts, and words of our own.

    `details` are few and short, such as a verdict or a pack's name, and none of them a client's.
    """

    kind: Kind
    use: Use
    decision: Decision | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, UUID] = field(default_factory=dict)
    subject_ids: tuple[UUID, ...] = ()
    reference_ids: tuple[UUID, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owed:
    """An obligation as an entry has it."""

    duty: Duty
    amount: float
    rule_id: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules decided, by their ids, and the digest of the set that they are of.

    `true_positives` is what accepted report cards said of the model in use, in percent.
    """

    digest: str
    allowed_by: tuple[str, ...]
    refused_by: tuple[str, ...]
    owed: tuple[Owed, ...]
    true_positives: Decimal = Decimal(0)

    @classmethod
    def of(cls, decision: Decision) -> "Rules":
        """Take from a decision what an entry holds."""
        return cls(
            decision.rules_digest,
            tuple(rule.id for rule in decision.allowed_by),
            tuple(rule.id for rule in decision.refused_by),
            tuple(Owed(one.duty, one.amount, one.rule.id) for one in decision.obligations),
            decision.true_positives,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the ledger.

    Entries' times never decrease: where the clock stood behind the entry before, `at` is that
    one's, and `clock` what the clock said. Of `use`, case, warrant and what is stated of a live
    search are commitments, but for its end; `subjects` and `references` are, too.
    """

    at: datetime
    kind: Kind
    use: Use
    rules: Rules | None
    counts: Mapping[str, int]
    ids: Mapping[str, UUID]
    subjects: tuple[str, ...]
    references: tuple[str, ...]
    details: Mapping[str, str]
    clock: datetime | None = None

    def to_bytes(self) -> bytes:
        """Write it, in the one way there is.

        Raises:
            InvalidRequest: a text is too long, or not to be printed.
        """
        use, principal = self.use, self.use.principal
        document: dict[str, Any] = {
            "version": VERSION,
            "at": _written_time(self.at),
            "kind": self.kind.value,
            "use": str(use.id),
            "action": use.action.value,
            "operation": use.operation,
            "purpose": use.purpose,
            "live": use.live,
            "principal": {
                "id": principal.id,
                "role": principal.role.value,
                "organisation": principal.organisation,
                "sector": principal.sector,
                "jurisdiction": principal.jurisdiction,
            },
        }
        if use.collection_id is not None:
            facts = {name: getattr(use.collection, name) for name in _FACTS}
            document["collection"] = {"id": str(use.collection_id), **facts}
        if self.rules is not None:
            document["rules"] = {
                "digest": self.rules.digest,
                "allowed_by": list(self.rules.allowed_by),
                "refused_by": list(self.rules.refused_by),
                "owed": [
                    # No floats: programs write them in different ways.
                    {"duty": one.duty.value, "amount": f"{one.amount:g}", "rule": one.rule_id}
                    for one in self.rules.owed
                ],
            }
            if self.rules.true_positives:
                document["rules"]["true_positives"] = f"{self.rules.true_positives.normalize():f}"
        if use.live_search is not None:
            document["live_search"] = _written_statement(use.live_search)
        optional = {
            "clock": None if self.clock is None else _written_time(self.clock),
            "footage": None if use.footage == UNDECLARED else use.footage,
            "case": use.case,
            "warrant": use.warrant,
            "counts": dict(self.counts),
            "ids": {name: str(each) for name, each in self.ids.items()},
            "subjects": list(self.subjects),
            "references": list(self.references),
            "details": dict(self.details),
        }
        document.update({name: value for name, value in optional.items() if value})
        written = json.dumps(document, sort_keys=True, separators=(",", ":"))
        # What is not printable is escaped; most entries have no escapes, and need no closer look.
        if "\\" in written or _LONG.search(written):
            _check_texts(document)
        return written.encode()


def read_entry(written: bytes) -> Entry:
    """Read an entry.

    Raises:
        LedgerBroken: it is none, or not written in the one way there is.
    """
    try:
        entry = _entry(json.loads(written, parse_float=_refuse, parse_constant=_refuse))
        if entry.to_bytes() == written:
            return entry
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidRequest):
        pass
    raise LedgerBroken(
        f"Not an entry of version {VERSION}: it is damaged, or of a newer Likeness. Run that one,"
        " or restore a backup."
    )


def _entry(document: Mapping[str, Any]) -> Entry:
    principal, collection = document["principal"], document.get("collection")
    rules = document.get("rules")
    use = Use(
        Principal(**{**principal, "role": Role(principal["role"])}),
        Action(document["action"]),
        document["operation"],
        purpose=document["purpose"],
        case=document.get("case"),
        warrant=document.get("warrant"),
        live=document["live"],
        footage=document.get("footage", UNDECLARED),
        live_search=_statement(document["live_search"]) if "live_search" in document else None,
        id=UUID(document["use"]),
    )
    if collection is not None:
        facts = {name: fact for name, fact in collection.items() if name != "id"}
        use = replace(
            use, collection_id=UUID(collection["id"]), collection=CollectionFacts(**facts)
        )
    return Entry(
        datetime.fromisoformat(document["at"]),
        Kind(document["kind"]),
        use,
        None if rules is None else _rules(rules),
        document.get("counts", {}),
        {name: UUID(each) for name, each in document.get("ids", {}).items()},
        tuple(document.get("subjects", ())),
        tuple(document.get("references", ())),
        document.get("details", {}),
        datetime.fromisoformat(document["clock"]) if "clock" in document else None,
    )


def _rules(rules: Mapping[str, Any]) -> Rules:
    return Rules(
        rules["digest"],
        tuple(rules["allowed_by"]),
        tuple(rules["refused_by"]),
        tuple(Owed(Duty(one["duty"]), float(one["amount"]), one["rule"]) for one in rules["owed"]),
        _percent(rules.get("true_positives", "0")),
    )


def _written_statement(stated: LiveStatement) -> dict[str, str]:
    ends_at = None if stated.ends_at is None else _written_time(stated.ends_at)
    written = {
        "place": stated.place,
        "authority": stated.authority,
        "criteria": stated.criteria,
        "ends_at": ends_at,
    }
    return {name: text for name, text in written.items() if text is not None}


def _statement(written: Mapping[str, str]) -> LiveStatement:
    ends_at = written.get("ends_at")
    said = {name: text for name, text in written.items() if name != "ends_at"}
    return LiveStatement(
        **said, ends_at=None if ends_at is None else datetime.fromisoformat(ends_at)
    )


def _percent(text: str) -> Decimal:
    if not _PERCENT.fullmatch(text):
        raise ValueError("no percentage of an entry")
    return Decimal(text)


def _refuse(number: str) -> None:
    raise ValueError("no entry has such a number")


def _written_time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _check_texts(value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
    elif isinstance(value, str) and (len(value) > _LONGEST_TEXT or not value.isprintable()):
        raise InvalidRequest(
            f"A text of {len(value)} characters does not fit in a ledger entry. Shorten it to"
            f" {_LONGEST_TEXT} printable ones."
        )
