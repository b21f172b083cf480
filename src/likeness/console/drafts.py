"""What was written in a form whose session was over: it waits in the form to sign in.

After that it is given back to who wrote it alone, for others may use the same browser. Passwords
and files are not kept.
"""

import json
from urllib.parse import quote_plus, urlsplit

from likeness.console.forms import Form
from likeness.console.memory import Memory
from likeness.console.visit import Visit

MOST_WRITTEN = 64 << 10
"""How many bytes whoever is not signed in may send, and so how long a draft is at most."""

_DRAWN = ("csrf", "once")
_ROOM_BESIDE = 8 << 10
"""Of what a form to sign in may hold, so much is left for all else in it."""
_WRITER = "by"
"""The field that says whose form it was."""


def written_in(form: Form) -> str:
    """Give what somebody wrote in a form, as text.

    Nothing where they wrote nothing, or more than they could send along as they sign in.
    """
    fields = {
        name: list(values)
        for name, values in form.fields.items()
        if name not in _DRAWN and not name.startswith("secret")
    }
    text = json.dumps(fields) if fields.keys() - {_WRITER} else ""
    return text if len(quote_plus(text)) <= MOST_WRITTEN - _ROOM_BESIDE else ""


def keep_draft(memory: Memory, location: str, text: str) -> None:
    """Keep what was written for the page that has the form; what is no such text is dropped."""
    if len(text) > MOST_WRITTEN:
        return
    try:
        fields = json.loads(text)
        json.dumps(fields, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return
    if isinstance(fields, dict) and all(
        isinstance(values, list) and all(isinstance(one, str) for one in values)
        for values in fields.values()
    ):
        memory.keep_draft(urlsplit(location).path, fields)


def take_draft(visit: Visit) -> Form | None:
    """Give what whoever visits a page had written there, once."""
    fields = visit.memory.take_draft(visit.path)
    is_theirs = fields is not None and list(fields.get(_WRITER, ())) == [str(visit.who.key.id)]
    return Form(fields) if fields is not None and is_theirs else None
