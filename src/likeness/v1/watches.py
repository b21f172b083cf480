"""Standing searches over HTTP: add, list, end."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field

from likeness.review import LONGEST_STATEMENT, Grounds
from likeness.service.watch import watches as acts
from likeness.service.watch.watches import Wanted
from likeness.v1.acts import ActRouter, Calls, Offered, RowsHere
from likeness.v1.answers import AddedWatchAnswer, SeenWatchAnswer, WatchAnswer, WatchesAnswer
from likeness.vision.decode import inspect

watches = ActRouter(prefix="/v1/watches", tags=["watches"])

_Statement = Annotated[str, Field(min_length=1, max_length=LONGEST_STATEMENT)]


class WatchRequest(BaseModel):
    """Whom to watch for: `image` is a picture of one face, in base64."""

    model_config = ConfigDict(extra="forbid")

    collection: str
    image: Base64Bytes
    purpose: _Statement
    authority: _Statement
    criteria: _Statement
    expires_at: AwareDatetime
    webhook: str | None = None


@watches.post("", status_code=201)
async def add_watch(asked: WatchRequest, offered: Offered, calls: Calls) -> AddedWatchAnswer:
    """Begin a watch; what signs its webhooks is given this once."""
    grounds = Grounds(asked.authority, asked.criteria)
    wanted = Wanted(asked.collection, grounds, asked.expires_at, asked.webhook)
    rows, caller = offered.rows, calls("AddWatch", asked.purpose)
    added = await offered.pictures.run(
        lambda: acts.add_watch(rows, caller, wanted, lambda: inspect(asked.image, rows.limits)),
        caller.principal.id,
    )
    return AddedWatchAnswer.of_added(*added)


@watches.get("")
def list_watches(rows: RowsHere, calls: Calls) -> WatchesAnswer:
    """List the watches that have not ended, the oldest first."""
    every = acts.list_watches(rows, calls("ListWatches"))
    return WatchesAnswer(watches=[SeenWatchAnswer.of_seen(one) for one in every])


@watches.delete("/{watch_id}")
def end_watch(watch_id: UUID, rows: RowsHere, calls: Calls) -> WatchAnswer:
    """End a watch; the cases that it opened stay."""
    return WatchAnswer.of(acts.end_watch(rows, calls("EndWatch"), watch_id))
