"""What may an operator choose of a pack? Dates, one of several options, or lists of names."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from likeness.errors import InvalidRequest
from likeness.policy.vocabulary import vocabulary

_LONGEST = 4000


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
        expected = ", ".join(self.options) or "names, each printable"
        if self.kind is Kind.DATE:
            expected = "a day such as 2021-06-10, or nothing"
            right = not text or _is_day(text)
        else:
            values = self.values(text)
            right = (
                text.isprintable()
                and len(text) <= _LONGEST
                and (not self.options or set(values) <= set(self.options))
                and (self.kind is Kind.LIST or (len(values) == 1 and values[0] == text))
            )
        if not right:
            raise InvalidRequest(
                f"{self.name} of {where} is {expected}; {text[:80]!r} came: correct it"
            )


def read_choices(document: object, where: str) -> dict[str, Choice]:
    """Read the choices of a pack's facts.

    Raises:
        InvalidRequest: one is not as it must be.
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest(f"tables [choices.NAME] were expected of {where}: correct its choices")
    choices: dict[str, Choice] = {}
    for name, facts in document.items():
        try:
            options = facts.get("options", ())
            if not isinstance(options, list | tuple):
                raise TypeError
            choice = Choice(
                name,
                Kind(str(facts["kind"])),
                str(facts["says"]),
                str(facts["default"]),
                tuple(str(option) for option in options),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                f"kind ({', '.join(Kind)}), says and default were expected of the choice {name!r}"
                f" of {where}: correct it"
            ) from error
        if not _NAME.fullmatch(name) or (choice.kind is Kind.OPTION and not choice.options):
            raise InvalidRequest(
                f"lower-case words with hyphens, and options where one is chosen, were expected of"
                f" the choice {name!r} of {where}: correct it"
            )
        choice.check(choice.default, where)
        choices[name] = choice
    return choices


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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
