"""What tests record: uses of nobody in particular, at times of a clock that stands still."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from likeness.ledger import (
    Checkpoint,
    Event,
    Kind,
    Ledger,
    Outside,
    Verification,
    origin_of,
    read_checkpoint,
    verify_log,
)
from likeness.ledger.keys import LedgerKey, open_key
from likeness.ledger.proofs import NoteSigner
from likeness.secrets import Keyring, SigningKey, VerifyingKey
from likeness.storage import Database, read_identity
from likeness.terms import (
    Action,
    CollectionFacts,
    Decision,
    Duty,
    Obligation,
    Principal,
    Role,
    Rule,
    Use,
)

POLICE = Principal(
    "key:11111111-2222-3333-4444-555555555555",
    Role.CLIENT,
    organisation="harbour-police",
    sector="law-enforcement",
    jurisdiction="US-WA",
    purposes=("missing-person",),
)
RULE = Rule("moratorium.exempt", "moratorium-2020", "Amazon, 10 June 2020")
DECISION = Decision(
    (RULE,), (), (Obligation(Duty.SIMILARITY, 99.0, RULE), Obligation(Duty.REVIEW, 2, RULE)), "ab12"
)


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime = datetime(2026, 11, 23, 3, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def search(**more: object) -> Use:
    """A search of a collection."""
    facts: dict[str, object] = {
        "collection_id": UUID(int=7),
        "collection": CollectionFacts(purpose="missing-person"),
        "purpose": "missing-person",
        **more,
    }
    return Use(POLICE, Action.SEARCH, "SearchFacesByImage", **facts)  # type: ignore[arg-type]


def done(use: Use | None = None, *subject_ids: UUID) -> Event:
    """A search that found some."""
    return Event(
        Kind.DONE,
        use or search(),
        DECISION,
        counts={"faces": 1, "candidates": len(subject_ids)},
        subject_ids=subject_ids,
        reference_ids=(uuid4(),),
    )


def record(database: Database, ledger: Ledger, *events: Event) -> list[str]:
    """Append each in an act of its own; gives the receipts' ids."""
    positions = [
        database.write(lambda connection, event=event: ledger.append(connection, event))
        for event in events
    ]
    return [ledger.receipt_id(position) for position in positions]


def signed(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Sign a checkpoint, as a holder of the key may."""
    return NoteSigner(checkpoint.origin, key).sign(checkpoint.text)


def opened_key(connection: Connection, keyring: Keyring) -> LedgerKey:
    """Open the ledger's key, as a holder of the installation's key may."""
    return open_key(connection, keyring, origin_of(read_identity(connection)))


def verified(
    database: Database,
    keyring: Keyring | None,
    *against: str,
    key: VerifyingKey | None = None,
) -> Verification:
    """Verify all that is there."""
    return database.read(lambda connection: looked_at(connection, keyring, *against, key=key))


def looked_at(
    connection: Connection,
    keyring: Keyring | None,
    *against: str,
    key: VerifyingKey | None = None,
) -> Verification:
    """Verify all that an act sees."""
    return verify_log(
        connection,
        origin_of(read_identity(connection)),
        keyring,
        Outside(against=[read_checkpoint(each) for each in against], key=key),
    )
