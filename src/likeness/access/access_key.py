"""What is a key for? What its holder is, and what they may be trusted with."""

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


@dataclass(frozen=True, slots=True)
class SecretId:
    """What a request names its secret by; `ends_at` is None where no end is set."""

    access_key_id: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A holder that may call; `secret_ids` come newest first.

    `created_by` is a principal's id, `disabled_at` None while the key may be used.
    """

    id: UUID
    name: str
    grant: Grant
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    secret_ids: tuple[SecretId, ...]

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


@dataclass(frozen=True, slots=True)
class BrokenKey:
    """A key whose row says what no key can, so that it is for nothing; else as `AccessKey`."""

    id: UUID
    name: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    secret_ids: tuple[SecretId, ...]


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
    """Whether a role may do this at all; tags that start with `likeness:` take `GOVERN`."""
    return action in _ALLOWED[role]
