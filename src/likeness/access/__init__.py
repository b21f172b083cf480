"""Who calls, and what they may be trusted with: access keys, roles, tokens of requests."""

from likeness.access import keys
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
    "is_as_written",
    "keys",
    "list_keys",
    "may",
]
