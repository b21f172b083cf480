"""What may an operator choose of a pack? Dates, one of several options, or lists of names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from likeness.errors import InvalidRequest

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
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
