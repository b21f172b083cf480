"""`likeness ledger key` and `new-key`: what others check with, and what signs from now on."""

from likeness.app.access import Rows
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson, Yes
from likeness.cli.terminal.prompts import require_consent
from likeness.errors import NotFound
from likeness.ledger import NoteKey, origin_of, read_verifying_key
from likeness.service.govern.new_ledger_key import new_ledger_key
from likeness.storage import read_installation


def key(as_json: AsJson = False) -> None:
    """Print the public key in PEM: give it to whoever is to check receipts, before they need it."""
    with Rows(installation()) as rows:
        public = rows.database.read(read_verifying_key)
        origin = origin_of(rows.database.read(read_installation))
    if public is None:
        raise NotFound(
            "a ledger's key was expected and nothing is recorded yet: use Likeness first"
        )
    if as_json:
        print_json({"origin": origin, "pem": public.pem, "vkey": NoteKey(origin, public).vkey})
        return
    print(public.pem, end="")


def new_key(yes: Yes = False, as_json: AsJson = False) -> None:
    """Sign with a new key from now on; the former one vouches for it, unless it is lost."""
    question = "Sign with a new key, which everybody who checks receipts needs from then on?"
    require_consent(question, yes, "the key stays")
    with Rows(installation()) as rows:
        position = new_ledger_key(rows.ledger, rows.desk, rows.somebody)
        receipt_id = rows.ledger.receipt_id(position)
    if as_json:
        print_json({"receipt": receipt_id})
        return
    print(f"A new key signs from entry {position.index} on, receipt {receipt_id}.")
