"""Who calls, and what they may be trusted with: access keys, roles, tokens of requests."""

from likeness.access import keys
from likeness.access.access_key import AccessKey, BrokenKey, Grant, SecretId, may
from likeness.access.keys import IssuedSecret
from likeness.access.known_keys import Credential, KnownKeys, is_as_written, list_keys
from likeness.access.request_tokens import RequestTokens, TokenReused

__all__ = [
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
