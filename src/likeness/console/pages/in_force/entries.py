"""The ledger: entries by page, one entry in words, and a look at whether all of them hold."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from likeness.console.pages.background_acts import begin, last_act
from likeness.console.pages.in_force.rules import names_of_keys
from likeness.console.problems import said_of
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Problem, Redirect, Visit, link
from likeness.errors import InputError, InvalidRequest, LedgerBroken, StateError
from likeness.ledger import Entry, read_checkpoint, read_receipt
from likeness.secrets import VerifyingKey
from likeness.service.govern import ledger as acts
from likeness.service.govern.ledger import ShownEntry
from likeness.service.review.blind import require_no_verdict
from likeness.terms import UNDECLARED, Action

entries = Pages()

_A_PAGE = 50
_VERIFICATION = "verify ledger"
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a list; `entry` is None where what is stored is none any more."""

    index: int
    receipt_id: str
    entry: Entry | None

    @classmethod
    def of(cls, shown: ShownEntry) -> "Line":
        """Read an entry, where it can be."""
        try:
            return cls(shown.index, shown.receipt_id, shown.entry)
        except LedgerBroken:
            return cls(shown.index, shown.receipt_id, None)


@entries.shows("/in-force/ledger", Action.AUDIT)
def show_ledger(visit: Visit) -> Page:
    """Show entries, the newest first, or those of one use, job or receipt."""
    about, found, status = visit.query.get("about", "").strip(), list[ShownEntry](), 200
    older: int | None = None
    try:
        if about:
            found = acts.entries_about(visit.home, about)
        else:
            found = acts.entries_before(visit.home, _before(visit), _A_PAGE)
            older = found[-1].index if found and found[-1].index else None
    except (InputError, StateError) as error:
        visit.with_problem(Problem(said_of(error, visit), "about"))
        status = 404
    values = {
        "lines": [Line.of(one) for one in found],
        "about": about,
        "older": older,
        "is_first": "before" not in visit.query,
        "names": names_of_keys(visit),
    }
    return Page("in_force/ledger.html", values, status)


@entries.shows("/in-force/ledger/entries/{which}", Action.AUDIT)
def show_entry(visit: Visit) -> Page:
    """Show all that an entry says, and the others of its use."""
    shown, *_ = acts.entries_about(visit.home, visit.params["which"])
    line = Line.of(shown)
    if line.entry is not None:
        require_no_verdict(visit.home, visit.principal, line.entry)
    values = {
        "line": line,
        "facts": list(_facts(visit, line.entry)) if line.entry else [],
        "written": shown.written.decode("ascii", "backslashreplace"),
        "names": names_of_keys(visit),
    }
    return Page("in_force/entry.html", values)


@entries.shows("/in-force/ledger/verify", Action.AUDIT)
def show_verification(visit: Visit) -> Page:
    """Show what the last look at every entry found that they asked for."""
    last = last_act(visit, _VERIFICATION)
    values = {"found": last.answer, "work": last.work, "failed": last.failed}
    return Page("in_force/verified.html", values)


@entries.does("/in-force/ledger/verify", Action.AUDIT, again=show_ledger)
def verify(visit: Visit) -> Redirect:
    """Verify every entry, also against what was kept elsewhere, however long it takes."""
    kept, home = visit.form.file("kept"), visit.home
    with visit.about("kept"):
        against = [] if kept is None else [read_checkpoint(_note(_text(kept.content)))]
    with visit.about("key"):
        key = _key(visit)
    begin(visit, _VERIFICATION, lambda tell: acts.verify(home, against, key))
    return Redirect(link("in-force", "ledger", "verify"))


@entries.shows("/in-force/ledger/checkpoint", Action.AUDIT)
def give_checkpoint(visit: Visit) -> Download:
    """Give the signed checkpoint of all entries, to be kept elsewhere."""
    written = visit.home.ledger.checkpoint()
    return Download(written.encode(), "text/plain; charset=utf-8", "likeness-checkpoint.txt")


@entries.shows("/in-force/ledger/key", Action.AUDIT)
def give_key(visit: Visit) -> Download:
    """Give the public key that receipts are checked with."""
    pem = acts.public_key(visit.home).key.pem
    return Download(pem.encode(), "application/x-pem-file", "likeness-ledger.pem")


def _before(visit: Visit) -> int | None:
    written = visit.query.get("before")
    if written is None:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= _LONGEST_NUMBER):
        raise InvalidRequest(f"Not an entry's number: {written[:80]!r}. Choose from the list.")
    return int(written)


def _note(text: str) -> str:
    """Give a signed checkpoint as it was written, or the one in a receipt."""
    return read_receipt(text).checkpoint if text.lstrip().startswith("{") else text


def _key(visit: Visit) -> VerifyingKey | None:
    chosen = visit.form.file("key")
    return None if chosen is None else VerifyingKey.from_pem(_text(chosen.content))


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except ValueError as error:
        raise InvalidRequest("Not a text file. Choose the file as it was written.") from error


def _facts(visit: Visit, entry: Entry) -> Iterator[tuple[str, str]]:
    """Say what an entry says beside who did what and when: what it is called, and what it is."""
    t, use, who = visit.t, entry.use, entry.use.principal
    stated = {
        "role": who.role.value,
        "organisation": who.organisation,
        "sector": who.sector,
        "jurisdiction": who.jurisdiction,
        "purpose": use.purpose,
        "footage": use.footage,
    }
    for name, fact in stated.items():
        if fact != UNDECLARED:
            yield t(f"in_force.facts.{name}"), fact
    said = {"case": use.case, "warrant": use.warrant, "live": use.live}
    if named := [t(f"in_force.said.{name}") for name, fact in said.items() if fact]:
        yield t("in_force.facts.said"), ", ".join(named)
    if use.live_search is not None:
        searched = asdict(use.live_search).items()
        named = [t(f"in_force.said.{name}") for name, fact in searched if fact]
        yield t("in_force.facts.live_search"), ", ".join(named) or t("in_force.nothing_chosen")
    if use.collection_id is not None:
        yield t("in_force.facts.collection"), str(use.collection_id)
        tags = [f"{name} {fact}" for name, fact in asdict(use.collection).items()]
        declared = [one for one in tags if not one.endswith(f" {UNDECLARED}")]
        if declared:
            yield t("in_force.facts.tags"), ", ".join(declared)
    yield from _outcome(visit, entry)
    if entry.clock is not None:
        yield t("in_force.facts.clock"), f"{entry.clock:%Y-%m-%d %H:%M:%S} UTC"


def _outcome(visit: Visit, entry: Entry) -> Iterator[tuple[str, str]]:
    """Say which rules decided, and what came of it."""
    t = visit.t
    if entry.rules is not None:
        owed = [f"{one.duty} {one.amount:g} ({one.rule_id})" for one in entry.rules.owed]
        decided = {
            "allowed_by": entry.rules.allowed_by,
            "refused_by": entry.rules.refused_by,
            "owes": owed,
        }
        for name, those in decided.items():
            if those:
                yield t(f"in_force.facts.{name}"), ", ".join(those)
        yield t("in_force.facts.rules"), entry.rules.digest
    for name, count in entry.counts.items():
        yield name, f"{count:,}"
    for name, one in entry.ids.items():
        yield name, str(one)
    for name, those in {"subjects": entry.subjects, "references": entry.references}.items():
        if those:
            yield t(f"in_force.facts.{name}"), t("in_force.committed", count=len(those))
    yield from entry.details.items()
