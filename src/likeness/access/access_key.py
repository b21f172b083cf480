"""Who holds an access key, and what do its rows say?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from likeness.access.grant import Grant
from likeness.terms import Principal, Role


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
