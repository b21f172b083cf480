"""Who calls an act, what they state of it, and the proof that they take home."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import Connection

from likeness.access import is_as_written, keys, may
from likeness.errors import NotFound
from likeness.ledger import Ledger, Receipt, read_entry
from likeness.policy import UNKNOWN, known, vocabulary
from likeness.secrets import Keyring
from likeness.terms import UNDECLARED, Action, Footage, LiveStatement, Principal, Use


@dataclass(frozen=True, slots=True)
class Stated:
    """What a caller says of a use, whatever they were granted.

    `footage` is what sort of source its pictures come from; it can only make rules stricter.
    `live_search` is what there is to say of a search of a source that goes on until it is ended.
    """

    purpose: str | None = None
    case: str | None = None
    warrant: str | None = None
    live: bool = False
    footage: str | None = None
    live_search: LiveStatement | None = None


@dataclass(slots=True)
class Proof:
    """What proves a call: the id of the ledger's last entry about it, and its review case."""

    receipt: str | None = None
    case_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls one act through some door.

    `operation` is what the door calls the act, such as `SearchFacesByImage`. `request_id` becomes
    the id of the use; without, every use has one of its own. `replayed` says that the request bore
    the signature of an earlier one. Acts fill `proof`, also where they refuse or fail.
    """

    principal: Principal
    operation: str
    stated: Stated = Stated()
    request_id: UUID | None = None
    replayed: bool = False
    proof: Proof = field(default_factory=Proof)

    def use(self, action: Action, purpose: str | None = None) -> Use:
        """Say what is about to be done, for the rules.

        `purpose` is that of something that began before, such as a case; else it is what the caller
        states.
        """
        granted = True
        if purpose is None:
            purpose, granted = stated_purpose(self.principal, self.stated.purpose)
        return Use(
            self.principal,
            action,
            self.operation,
            purpose=purpose,
            case=self.stated.case,
            warrant=self.stated.warrant,
            live=self.stated.live,
            footage=_stated_footage(self.stated.footage),
            granted=granted,
            replayed=self.replayed,
            live_search=self.stated.live_search,
            id=self.request_id or uuid4(),
        )


def stated_purpose(principal: Principal, stated: str | None) -> tuple[str, bool]:
    """Give the purpose of a use, and whether it was granted; the first granted where none is said.

    One that was not granted is given in a word that rules know: no entry holds another's words.
    """
    if stated is None:
        return (*principal.purposes, UNDECLARED)[0], True
    if stated in principal.purposes:
        return stated, True
    return known(vocabulary().purposes, stated), False


def _stated_footage(stated: str | None) -> str:
    """Give a sort of source in a word that rules know: `unknown` is refused."""
    if stated is None:
        return UNDECLARED
    return stated if stated in set(Footage) else UNKNOWN


def is_local(principal_id: str) -> bool:
    """Whether somebody is at a command line, and so has no access key."""
    return principal_id.startswith("local:")


def present_holder(connection: Connection, keyring: Keyring, principal_id: str) -> Principal | None:
    """Give the holder of an access key as they are now; None where the key is disabled or gone."""
    for key in keys.every(connection):
        if key.principal.id == principal_id and key.disabled_at is None:
            return key.principal if is_as_written(connection, keyring, key) else None
    return None


def receipt_for(ledger: Ledger, principal: Principal, receipt_id: str) -> Receipt:
    """Give a receipt to those whose use it proves, and to those who may audit.

    It says who did what with which collection, so that it is not for everybody with its id.

    Raises:
        InvalidRequest: it is no receipt's id.
        NotFound: there is none of that id, or it is not for them.
        LedgerBroken: the ledger is not as it was signed.
    """
    unknown = NotFound(
        "No receipt of a use of yours has this id. Copy it whole from the answer, or ask somebody"
        " who may audit."
    )
    try:
        receipt = ledger.receipt(receipt_id)
    except NotFound as error:
        raise unknown from error
    theirs = read_entry(receipt.entry).use.principal.id == principal.id
    if not (theirs or may(principal.role, Action.AUDIT)):
        raise unknown
    return receipt
