"""Receipts: give those of one's own uses, and check any that somebody brings."""

from dataclasses import dataclass

from likeness.console.forms import File
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Visit
from likeness.errors import InvalidRequest, LedgerBroken
from likeness.secrets import VerifyingKey
from likeness.service.govern import receipts as acts
from likeness.service.govern.receipts import Checked

receipts = Pages()

_MOST = 20
_LONGEST = 1_000_000
_PASTED = "pasted"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one file: what it proves, or why it proves nothing."""

    name: str
    checked: Checked | None = None
    problem: str | None = None


@receipts.shows("/in-force/receipts")
def show_receipts(visit: Visit) -> Page:
    """Show where receipts can be dropped."""
    return Page("in_force/receipts.html", {"answers": [], "with_own_key": True})


@receipts.does("/in-force/receipts", again=show_receipts)
def check(visit: Visit) -> Page:
    """Check receipts and proofs of growth."""
    form = visit.form
    with visit.about("key"):
        chosen = form.file("key")
        key = None if chosen is None else VerifyingKey.from_pem(_text(chosen))
    files = list(form.files.get("receipts", ()))
    with visit.about("receipts"):
        if form.text(_PASTED):
            files.append(File(visit.t("in_force.pasted"), form.text(_PASTED).encode()))
        if not files:
            raise InvalidRequest("Nothing to check. Choose a receipt, drop one here or paste it.")
        if len(files) > _MOST:
            raise InvalidRequest(f"{len(files)} files are too many. Check at most {_MOST} at once.")
    answers = [_checked(visit, one, key) for one in files]
    return Page("in_force/receipts.html", {"answers": answers, "with_own_key": key is None})


@receipts.shows("/in-force/receipts/{id}")
def give(visit: Visit) -> Download:
    """Give a receipt, to those whose use it proves and to those who may audit."""
    receipt = acts.give_receipt(visit.home, visit.principal, visit.params["id"])
    name = f"likeness-receipt-{receipt.id}.json"
    return Download(receipt.to_json().encode(), "application/json", name)


def _checked(visit: Visit, file: File, key: VerifyingKey | None) -> Answer:
    try:
        return Answer(file.name, acts.check_proof(visit.home, _text(file), key))
    except (LedgerBroken, InvalidRequest) as error:
        return Answer(file.name, problem=str(error))


def _text(file: File) -> str:
    if len(file.content) > _LONGEST:
        raise InvalidRequest("Not a receipt: the file is too large. Choose the file that was kept.")
    try:
        return file.content.decode()
    except ValueError as error:
        raise InvalidRequest("Not a text file. Choose the file as it was written.") from error
