"""One request whose signature was verified, as an operation sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from likeness.service.uses.stated_purpose import stated_purpose
from likeness.terms import Action, Principal, Use

Request = Mapping[str, Any]
"""Members by the names of the service model, validated against it: bytes for blobs, `str`, `int`,
`float`, `bool`, lists and mappings; what the caller left out is absent."""

Response = dict[str, Any]
"""Members by the names of the service model; timestamps are aware `datetime`s, and members that
are None are left out."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What signed headers say of a use, whatever the caller's key was granted.

    `X-Likeness-Purpose`, `X-Likeness-Case`, `X-Likeness-Warrant` and `X-Likeness-Live`.
    """

    purpose: str | None = None
    case: str | None = None
    warrant: str | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls which operation; what an operation puts into `headers` goes out with the answer.

    `replayed` says that the request bore the signature of an earlier one.
    """

    operation: str
    principal: Principal
    region: str
    request_id: UUID
    stated: Stated = Stated()
    replayed: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def use(self, action: Action) -> Use:
        """Say what is about to be done, for the rules."""
        purpose, granted = stated_purpose(self.principal, self.stated.purpose)
        return Use(
            self.principal,
            action,
            self.operation,
            purpose=purpose,
            case=self.stated.case,
            warrant=self.stated.warrant,
            live=self.stated.live,
            granted=granted,
            replayed=self.replayed,
            id=self.request_id,
        )
