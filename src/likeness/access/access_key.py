"""Access keys, as their rows say: who holds one, and what they may be trusted with."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from likeness.errors import InvalidRequest
from likeness.terms import UNDECLARED, Action, Principal, Role

_LONGEST_LINE = 255
_LONGEST_WORDS = 64
_WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,10}){0,3}", re.ASCII)
_MOST_PURPOSES = 32

_EVERYTHING = frozenset(Action)
# Consent that makes a use lawful, and rules themselves, are not for those who use them.
_ADMINS_ALONE = frozenset({Action.AUTHORISE, Action.GOVERN})
_ALLOWED = {
    Role.ADMIN: _EVERYTHING,
    Role.OPERATOR: _EVERYTHING - _ADMINS_ALONE,
    Role.REVIEWER: frozenset({Action.REVIEW, Action.READ}),
    # Reads the ledger and reports; sees no faces.
    Role.AUDITOR: frozenset({Action.AUDIT}),
    Role.CLIENT: frozenset(
        {
            Action.DETECT,
            Action.COMPARE,
            Action.SEARCH,
            Action.ENROL,
            Action.READ,
            Action.ERASE,
            Action.ARRANGE,
        }
    ),
}


def may(role: Role, action: Action) -> bool:
    """Say whether a role may do this at all, before policy decides about the use itself.

    Tags that start with `likeness:` take `GOVERN`.
    """
    return action in _ALLOWED[role]


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
        check_line(self.organisation, "an organisation")
        _check_words(self.sector, "a sector", "law-enforcement")
        if self.jurisdiction != UNDECLARED and not _JURISDICTION.fullmatch(self.jurisdiction):
            raise InvalidRequest(
                f"Not a jurisdiction: {self.jurisdiction!r}. Write a country's two capital letters"
                " and, where wanted, its parts, such as US-WA."
            )
        for purpose in self.purposes:
            _check_words(purpose, "a purpose", "missing-persons")
        if len(self.purposes) > _MOST_PURPOSES or len(set(self.purposes)) < len(self.purposes):
            raise InvalidRequest(
                f"{len(self.purposes)} purposes, or one of them twice. Give at most"
                f" {_MOST_PURPOSES}, each once."
            )


@dataclass(frozen=True, slots=True)
class SecretId:
    """What a request names its secret by; `ends_at` is None where no end is set."""

    access_key_id: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyRow:
    """A key's row and its secrets, newest first.

    `created_by` is a principal's id, `disabled_at` None while the key may be used.
    """

    id: UUID
    name: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    secret_ids: tuple[SecretId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey(_KeyRow):
    """A holder that may call."""

    grant: Grant

    @property
    def is_admin(self) -> bool:
        """Whether its holder may change rules and keys now."""
        return self.grant.role is Role.ADMIN and self.disabled_at is None

    @property
    def principal(self) -> Principal:
        """Whom its requests come from."""
        grant = self.grant
        return Principal(
            f"key:{self.id}",
            grant.role,
            grant.organisation,
            grant.sector,
            grant.jurisdiction,
            grant.purposes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenKey(_KeyRow):
    """A key whose row says what no key can, so that it is for nothing."""


def check_line(text: str, what: str) -> None:
    """Refuse a text that does not fit on one line.

    Raises:
        InvalidRequest: it is empty, too long, or holds a control character.
    """
    if not 1 <= len(text) <= _LONGEST_LINE or not text.isprintable() or text != text.strip():
        raise InvalidRequest(
            f"Not {what}: {len(text)} characters. Choose 1 to {_LONGEST_LINE} printable ones, no"
            " space first or last."
        )


def _check_words(value: str, what: str, example: str) -> None:
    if len(value) > _LONGEST_WORDS or not _WORDS.fullmatch(value):
        raise InvalidRequest(
            f"Not {what}: {value[:_LONGEST_WORDS]!r}. Write lower-case words with hyphens, at most"
            f" {_LONGEST_WORDS} characters, such as {example}."
        )
