"""Who is calling, and what may they be trusted with? Access keys, roles, tokens of requests."""

from likeness.access.access_key import AccessKey, BrokenKey, SecretId
from likeness.access.grant import Grant
from likeness.access.keys import IssuedSecret
from likeness.access.known_keys import Credential, KnownKeys
from likeness.access.request_tokens import RequestTokens, TokenReused
from likeness.access.roles import may

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
    "may",
]
