"""Facts about a pack: where it holds, since when, by whose word, and what is left to choose."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

from likeness.errors import InvalidRequest
from likeness.policy.words import vocabulary

EVERYWHERE = "everywhere"

_LONGEST_VALUE = 4000
_LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_REQUIRED = ("title", "jurisdiction", "status", "effective", "source", "version", "reading")
_OPTIONAL = ("expires", "always", "choices")


class Kind(StrEnum):
    """What a choice is made among."""

    DATE = "date"
    """A day, such as 2021-06-10, from 00:00 UTC; nothing where there is none."""
    OPTION = "option"
    LIST = "list"
    """Names with commas between; with options, only those."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice that a pack leaves to the operator."""

    name: str
    kind: Kind
    says: str
    default: str
    options: tuple[str, ...] = ()

    def day(self, text: str) -> date | None:
        """Read a chosen day; None where nothing was chosen."""
        return date.fromisoformat(text) if text else None

    def values(self, text: str) -> tuple[str, ...]:
        """Read the chosen names."""
        return tuple(part.strip() for part in text.split(",") if part.strip())

    def check(self, text: str, where: str) -> None:
        """Refuse what this choice cannot be.

        Raises:
            InvalidRequest: it cannot be this.
        """
        wanted = ", ".join(self.options) or "printable names"
        if self.kind is Kind.DATE:
            wanted = "a day such as 2021-06-10, or nothing"
            right = not text or _is_day(text)
        else:
            values = self.values(text)
            right = (
                text.isprintable()
                and len(text) <= _LONGEST_VALUE
                and (not self.options or set(values) <= set(self.options))
                and (self.kind is Kind.LIST or (len(values) == 1 and values[0] == text))
            )
        if not right:
            raise InvalidRequest(
                f"{self.name} of {where} cannot be {text[:80]!r}. Choose {wanted}."
            )


class Status(StrEnum):
    """What stands behind a rule."""

    ENACTED = "enacted"
    JUDGMENT = "judgment"
    SETTLEMENT = "settlement"
    VOLUNTARY = "voluntary"
    NEVER_ENACTED = "never-enacted"
    OURS = "ours"
    """Likeness's own, or its operator's."""


class Standing(TypedDict):
    """Where, by whose word and when a pack or a rule of it holds."""

    jurisdiction: str
    status: Status
    effective: date | str
    expires: date | str | None


@dataclass(frozen=True, slots=True)
class PackFacts:
    """Facts about a pack; a day is a date, or the name of the choice that sets it.

    `always`: its rules are in force whatever is enabled.
    """

    name: str
    title: str
    jurisdiction: str
    status: Status
    effective: date | str
    expires: date | str | None
    source: str
    version: str
    reading: str
    always: bool
    choices: dict[str, Choice]

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"pack {self.name!r}"


def read_facts(name: str, text: str) -> PackFacts:
    """Read the facts of a pack.

    Raises:
        InvalidRequest: one is missing, or not as it must be.
    """
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest(
            f"The name of a pack has {len(name)} characters, and {_LONGEST_NAME} are the most."
            " Rename its files."
        )
    where = f"pack {name!r}"
    check_name(name, where)
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(
            f"The facts of {where} are not TOML ({error}). Correct them."
        ) from error
    check_names(facts, _REQUIRED, _OPTIONAL, where)
    choices = _read_choices(facts.get("choices", {}), where)
    return PackFacts(
        name=name,
        title=str(facts["title"]),
        source=str(facts["source"]),
        version=str(facts["version"]),
        reading=" ".join(str(facts["reading"]).split()),
        always=facts.get("always") is True,
        choices=choices,
        **read_standing(facts, choices, where),
    )


def read_standing(
    said: Mapping[str, object], choices: Mapping[str, Choice], where: str
) -> Standing:
    """Read where, by whose word and when something holds.

    Raises:
        InvalidRequest: one of these is not as it must be.
    """
    jurisdiction, status = str(said["jurisdiction"]), str(said["status"])
    if jurisdiction != EVERYWHERE and jurisdiction not in vocabulary().jurisdictions:
        raise InvalidRequest(
            f"No such jurisdiction {jurisdiction!r} of {where}. docs/policy.md lists what there is,"
            " and there is `everywhere`."
        )
    if status not in set(Status):
        raise InvalidRequest(
            f"No such status {status!r} of {where}. Choose one of {', '.join(Status)}."
        )
    first, end = said["effective"], said.get("expires")
    return {
        "jurisdiction": jurisdiction,
        "status": Status(status),
        "effective": _read_day(first, choices, where),
        "expires": None if end is None else _read_day(end, choices, where),
    }


def check_name(name: str, what: str) -> None:
    """Refuse a name that is not lower-case words with hyphens.

    Raises:
        InvalidRequest: it is not.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"Not a name: {name!r} of {what}. Write lower-case words with hyphens."
        )


def check_names(
    said: Mapping[str, object], required: Iterable[str], optional: Iterable[str], where: str
) -> None:
    """Refuse what lacks a name, or has one that means nothing.

    Raises:
        InvalidRequest: it does.
    """
    for missing in (name for name in required if said.get(name) in (None, "")):
        raise InvalidRequest(f"There is no {missing} in {where}. Add it.")
    for excess in said.keys() - {*required, *optional}:
        raise InvalidRequest(f"{excess!r} in {where} means nothing. Remove it.")


def _read_choices(document: object, where: str) -> dict[str, Choice]:
    if not isinstance(document, Mapping):
        raise InvalidRequest(f"The choices of {where} are not tables. Write [choices.NAME].")
    choices: dict[str, Choice] = {}
    for name, facts in document.items():
        try:
            options = facts.get("options", ())
            if not isinstance(options, list | tuple):
                raise TypeError
            kind, says, default = (str(facts[key]) for key in ("kind", "says", "default"))
            choice = Choice(name, Kind(kind), says, default, tuple(map(str, options)))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                f"The choice {name!r} of {where} cannot be read. Give its kind ({', '.join(Kind)}),"
                " what it says, its default, and a list of options."
            ) from error
        check_name(name, f"a choice of {where}")
        if choice.kind is Kind.OPTION and not choice.options:
            raise InvalidRequest(f"The choice {name!r} of {where} has no options. Add them.")
        choice.check(choice.default, where)
        choices[name] = choice
    return choices


def _read_day(day: object, choices: Mapping[str, Choice], where: str) -> date | str:
    """Read a day, or the name of the choice that sets it."""
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    text = str(day)
    if text in choices and choices[text].kind is Kind.DATE:
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            f"Not a day: {text!r} of {where}. Write one such as 2020-06-10, or the name of a choice"
            " that sets it."
        ) from error


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
