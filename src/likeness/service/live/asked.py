"""What is wanted of a live search: of which source, for whom, until when, and who is told."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from likeness.notify import Webhook
from likeness.service.search.naming import SIMILARITY
from likeness.service.uses import Caller, Ongoing, Stated, stated_purpose
from likeness.sources import Source
from likeness.terms import UNDECLARED, LiveStatement, Principal

LIVE_SEARCH = "live-search"
"""The act of jobs that are live searches."""

LOOKS_PER_S = 5.0
"""How often faces are looked for where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAsked:
    """What is wanted.

    `source` and `collection` are names. Candidates have a similarity of `threshold` at least.
    `webhook` gets every sighting, the Kinesis stream `kinesis_arn` every frame that is looked at.
    `processor` is the name of the stream processor that this is a run of, if it is one;
    `video_arn` is what stands for the source in what the Kinesis stream is told.
    """

    source: str
    collection: str
    statement: LiveStatement
    threshold: float = SIMILARITY
    looks_per_s: float = LOOKS_PER_S
    webhook: Webhook | None = None
    kinesis_arn: str | None = None
    video_arn: str | None = None
    processor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What is asked for and by whom, as it is sealed with a job's row.

    It was begun at `began_at`; in case `case_id` an authority consents to it, where that is owed.
    """

    # Of a webhook's secret.
    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    asked: LiveAsked
    source_id: UUID
    began_at: datetime
    case_id: UUID | None
    operation: str
    principal: Principal
    stated: Stated

    def to_bytes(self) -> bytes:
        """Write it."""
        return _REQUEST.dump_json(self)

    @classmethod
    def of(
        cls,
        caller: Caller,
        asked: LiveAsked,
        source: Source,
        began_at: datetime,
        case_id: UUID | None,
    ) -> "LiveRequest":
        """Take from a caller what has to be known of them later, with the purpose in force now."""
        purpose, _ = stated_purpose(caller.principal, caller.stated.purpose)
        known = None if purpose == UNDECLARED else purpose
        return cls(
            asked=asked,
            source_id=source.id,
            began_at=began_at,
            case_id=case_id,
            operation=caller.operation,
            principal=caller.principal,
            stated=replace(caller.stated, purpose=known),
        )

    @property
    def ongoing(self) -> Ongoing:
        """The search as a whole, of which each sighting is a use."""
        return Ongoing(self.began_at, self.case_id)

    def caller(self, operation: str) -> Caller:
        """Give the caller as who the search does its work."""
        return Caller(self.principal, operation, self.stated)


_REQUEST = TypeAdapter(LiveRequest)


def read_request(content: bytes) -> LiveRequest:
    """Read what `LiveRequest.to_bytes` wrote."""
    return _REQUEST.validate_json(content)
