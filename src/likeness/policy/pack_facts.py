"""What is a pack about? Where it holds, since when, by whose word, and what is left to choose."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from likeness.errors import InvalidRequest
from likeness.policy.choices import Choice, Kind, read_choices
from likeness.policy.vocabulary import vocabulary

EVERYWHERE = "everywhere"

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 64
_REQUIRED = ("title", "jurisdiction", "status", "effective", "source", "version", "reading")
_OPTIONAL = ("expires", "always", "choices")


class Status(StrEnum):
    """What stands behind a rule."""

    ENACTED = "enacted"
    JUDGMENT = "judgment"
    SETTLEMENT = "settlement"
    VOLUNTARY = "voluntary"
    NEVER_ENACTED = "never-enacted"
    OURS = "ours"
    """Likeness's own, or its operator's."""


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
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InvalidRequest(
            f"a pack's name is lower-case words with hyphens, at most {_LONGEST_NAME} characters,"
            f" {name[:_LONGEST_NAME]!r} came: rename its files"
        )
    where = f"pack {name!r}"
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(
            f"facts in TOML were expected of {where}, which cannot be read ({error}): correct them"
        ) from error
    for missing in (fact for fact in _REQUIRED if fact not in facts):
        raise InvalidRequest(f"{where} was expected to say its {missing} and does not: add it")
    for excess in (fact for fact in facts if fact not in (*_REQUIRED, *_OPTIONAL)):
        raise InvalidRequest(f"{excess!r} came in the facts of {where}, which is none: remove it")
    choices = read_choices(facts.get("choices", {}), where)
    return PackFacts(
        name=name,
        title=str(facts["title"]),
        jurisdiction=checked_jurisdiction(str(facts["jurisdiction"]), where),
        status=checked_status(str(facts["status"]), where),
        effective=checked_day(facts["effective"], choices, where),
        expires=checked_day(facts["expires"], choices, where) if "expires" in facts else None,
        source=str(facts["source"]),
        version=str(facts["version"]),
        reading=" ".join(str(facts["reading"]).split()),
        always=facts.get("always") is True,
        choices=choices,
    )


def checked_jurisdiction(text: str, where: str) -> str:
    """Give a jurisdiction that there is.

    Raises:
        InvalidRequest: it is none.
    """
    if text != EVERYWHERE and text not in vocabulary().jurisdictions:
        raise InvalidRequest(
            f"{where} holds in a jurisdiction, such as US-WA, or everywhere; {text!r} came: see"
            " docs/policy.md for those that there are"
        )
    return text


def checked_status(text: str, where: str) -> Status:
    """Give a status that there is.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return Status(text)
    except ValueError as error:
        raise InvalidRequest(
            f"the status of {where} is one of {', '.join(Status)}; {text!r} came: correct it"
        ) from error


def checked_day(day: object, choices: Mapping[str, Choice], where: str) -> date | str:
    """Give a day, or the name of the choice that sets it.

    Raises:
        InvalidRequest: it is neither.
    """
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    text = str(day)
    if text in choices and choices[text].kind is Kind.DATE:
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            f"{where} was expected to say a day such as 2020-06-10, or the name of a choice that"
            f" sets it; {text!r} came: correct it"
        ) from error
