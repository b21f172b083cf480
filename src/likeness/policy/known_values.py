"""Does a vocabulary have what somebody declares? A rule would pass by what it does not know."""

from collections.abc import Iterable
from difflib import get_close_matches

from likeness.errors import InvalidRequest
from likeness.policy.vocabulary import Values, vocabulary
from likeness.terms import UNDECLARED


def require_known(
    *, sector: str = UNDECLARED, jurisdiction: str = UNDECLARED, purposes: Iterable[str] = ()
) -> None:
    """Refuse a value for which every use would be refused later.

    Raises:
        InvalidRequest: there is none of that name; the nearest is named.
    """
    words = vocabulary()
    _require("sector", sector, words.sectors)
    _require("jurisdiction", jurisdiction, words.jurisdictions)
    for purpose in purposes:
        _require("purpose", purpose, words.purposes)


def _require(kind: str, value: str, values: Values) -> None:
    if value in values:
        return
    raise InvalidRequest(
        f"a {kind} that rules know was expected and {value!r} came{nearest(value, values)}:"
        f" `likeness policy explain --each {kind}` lists them all"
    )


def nearest(value: str, values: Iterable[str]) -> str:
    """Name for a message the value that one is spelt most like; nothing where none is near."""
    # Compared without regard to capitals: `us-wa` is near to `US-WA`.
    spelt = {name.lower(): name for name in values}
    found = get_close_matches(value.lower(), spelt, n=1)
    return f", to which {spelt[found[0]]!r} is nearest" if found else ""
