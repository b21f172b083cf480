"""What is a key for? What its holder is, and what they may be trusted with."""

import re
from dataclasses import dataclass

from likeness.errors import InvalidRequest
from likeness.terms import UNDECLARED, Role

_LONGEST_LINE = 255
_LONGEST_WORDS = 64
_WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,10}){0,3}", re.ASCII)
_MOST_PURPOSES = 32


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key's holder is, and which purposes they may choose among.

    Which sectors, jurisdictions and purposes mean something is policy's matter; here only their
    shape is held to.

    Raises:
        InvalidRequest: a value has another shape.
    """

    role: Role = Role.CLIENT
    organisation: str = UNDECLARED
    sector: str = UNDECLARED
    jurisdiction: str = UNDECLARED
    purposes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no rule could be about."""
        checked_line(self.organisation, "an organisation")
        _check_words(self.sector, "a sector", "law-enforcement")
        if self.jurisdiction != UNDECLARED and not _JURISDICTION.fullmatch(self.jurisdiction):
            raise InvalidRequest(
                "a jurisdiction is a country's two capital letters and, where wanted, its parts,"
                f" such as US-WA; {self.jurisdiction!r} came: correct it"
            )
        for purpose in self.purposes:
            _check_words(purpose, "a purpose", "missing-persons")
        if len(self.purposes) > _MOST_PURPOSES or len(set(self.purposes)) < len(self.purposes):
            raise InvalidRequest(
                f"at most {_MOST_PURPOSES} purposes, each once, were expected,"
                f" {len(self.purposes)} came: correct them"
            )


def checked_line(text: str, what: str) -> str:
    """Give a text that fits on one line.

    Raises:
        InvalidRequest: it is empty, too long, or holds a control character.
    """
    if not 1 <= len(text) <= _LONGEST_LINE or not text.isprintable() or text != text.strip():
        raise InvalidRequest(
            f"{what} has 1 to {_LONGEST_LINE} printable characters, no space first or last; one of"
            f" {len(text)} came that does not: choose another"
        )
    return text


def _check_words(value: str, what: str, example: str) -> None:
    if len(value) > _LONGEST_WORDS or not _WORDS.fullmatch(value):
        raise InvalidRequest(
            f"{what} is lower-case words with hyphens, at most {_LONGEST_WORDS} characters, such as"
            f" {example}; {value[:_LONGEST_WORDS]!r} came: correct it"
        )
