"""Who calls, and what they may be trusted with: access keys, roles, sign-in, request tokens."""

from likeness.access import guesses, keys, passwords, sessions
from likeness.access.access_keys import (
    AccessKey,
    BrokenKey,
    Credential,
    Grant,
    KnownKeys,
    SecretId,
    is_as_written,
    list_keys,
    may,
)
from likeness.access.keys import IssuedSecret
from likeness.access.request_tokens import KEPT as TOKENS_KEPT
from likeness.access.request_tokens import RequestTokens, TokenReused

__all__ = [
    "TOKENS_KEPT",
    "AccessKey",
    "BrokenKey",
    "Credential",
    "Grant",
    "IssuedSecret",
    "KnownKeys",
    "RequestTokens",
    "SecretId",
    "TokenReused",
    "guesses",
    "is_as_written",
    "keys",
    "list_keys",
    "may",
    "passwords",
    "sessions",
]
