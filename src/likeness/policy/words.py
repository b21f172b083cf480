"""The words that rules know: sectors, jurisdictions and purposes, and what is part of what.

Also whether people were told that they are looked for.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files

from likeness.errors import InvalidRequest
from likeness.terms import UNDECLARED, Footage

UNKNOWN = "unknown"
"""What rules see in place of a value that no vocabulary has."""


def known_footage(stated: str) -> Footage:
    """Give where pictures come from, as rules know it: `undeclared` for words that they do not."""
    return Footage(stated) if stated in set(Footage) else Footage.UNDECLARED


class Notice(StrEnum):
    """Whether people have been told that they are looked for; the operator states so."""

    UNDECLARED = UNDECLARED
    SHOWN = "shown"


Values = dict[str, tuple[str, ...]]
"""The values of a kind, and which others each is directly part of."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What sectors, jurisdictions and purposes there are, and the text that says so."""

    sectors: Values
    jurisdictions: Values
    purposes: Values
    text: str


def known(values: Values, value: str) -> str:
    """Give a value that rules know: itself, or `unknown`."""
    return value if value in values else UNKNOWN


def within(values: Values, value: str) -> set[str]:
    """Give a value and all that it is part of."""
    return {value}.union(*(within(values, whole) for whole in values.get(value, ())))


@cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary that is shipped."""
    text = (files(__package__) / "vocabulary.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return Vocabulary(
        {name: tuple(parents) for name, parents in document["sectors"].items()},
        _jurisdictions(document["jurisdictions"]),
        {name: tuple(parents) for name, parents in document["purposes"].items()},
        text,
    )


def _jurisdictions(document: dict[str, str | dict[str, str]]) -> Values:
    countries, parts, unions = document["countries"], document["parts"], document["unions"]
    if not isinstance(countries, str) or not isinstance(parts, str) or isinstance(unions, str):
        raise TypeError("vocabulary.toml: jurisdictions are two texts and a table of unions")
    parents: Values = {UNDECLARED: ()}
    parents |= dict.fromkeys([*countries.split(), *unions], ())
    parents |= {part: (part.rpartition("-")[0],) for part in parts.split()}
    for union, members in unions.items():
        parents |= {member: (*parents[member], union) for member in members.split()}
    return parents


def require_known(
    *, sector: str = UNDECLARED, jurisdiction: str = UNDECLARED, purposes: Iterable[str] = ()
) -> None:
    """Refuse a value for which every use would be refused later.

    Raises:
        InvalidRequest: there is none of that name; the nearest is named.
    """
    words = vocabulary()
    declared = [
        ("sector", sector, words.sectors),
        ("jurisdiction", jurisdiction, words.jurisdictions),
    ]
    for kind, value, values in [*declared, *(("purpose", one, words.purposes) for one in purposes)]:
        if value not in values:
            raise InvalidRequest(
                f"No such {kind} {value!r}{nearest(value, values)}. `likeness policy explain --each"
                f" {kind}` lists them all."
            )


def nearest(value: str, values: Iterable[str]) -> str:
    """Name for a message the value that one is spelt most like; nothing where none is near."""
    # Compared without regard to capitals: `us-wa` is near to `US-WA`.
    spelt = {name.lower(): name for name in values}
    found = get_close_matches(value.lower(), spelt, n=1)
    return f" (the nearest is {spelt[found[0]]!r})" if found else ""
