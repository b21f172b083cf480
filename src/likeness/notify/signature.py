"""Signatures by which receivers know our messages, in the Standard Webhooks form.

https://github.com/standard-webhooks/standard-webhooks, version 1: HMAC-SHA-256 over id, time and
body, under a secret that is written `whsec_` and base64.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass, field
from typing import Self

from likeness.errors import InvalidRequest

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """What signs, and what the receiver checks signatures with."""

    raw: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make a random one."""
        return cls(os.urandom(32))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises:
            InvalidRequest: it is no such secret.
        """
        try:
            raw = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raw = b""
        if not text.startswith(_PREFIX) or not _FEWEST_BYTES <= len(raw) <= _MOST_BYTES:
            raise InvalidRequest(
                f"Not a webhook's secret, which is {_PREFIX} and base64 of {_FEWEST_BYTES} to"
                f" {_MOST_BYTES} bytes. Copy it again."
            )
        return cls(raw)

    @property
    def text(self) -> str:
        """The secret as receivers' libraries take it."""
        return _PREFIX + base64.b64encode(self.raw).decode()

    def sign(self, message_id: str, timestamp_s: int, body: bytes) -> str:
        """Give the value of the header `webhook-signature`."""
        signed = f"{message_id}.{timestamp_s}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(self.raw, signed, "sha256")).decode()
