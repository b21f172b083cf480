"""Standing searches over HTTP: add, list, end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field

from likeness.review import LONGEST_STATEMENT, Grounds
from likeness.service.uses.stated_purpose import stated_purpose
from likeness.service.watch.watch_office import Wanted
from likeness.v1.acts import Caller, Offered, Watching
from likeness.v1.answers import AddedWatchAnswer, SeenWatchAnswer, WatchAnswer, WatchesAnswer

watches = APIRouter(prefix="/v1/watches", tags=["watches"])

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
async def add_watch(
    asked: WatchRequest, acts: Offered, caller: Caller, office: Watching
) -> AddedWatchAnswer:
    """Begin a watch; what signs its webhooks is given this once."""
    purpose, granted = stated_purpose(caller, asked.purpose)
    wanted = Wanted(
        asked.collection,
        purpose,
        Grounds(asked.authority, asked.criteria),
        asked.expires_at,
        asked.webhook,
        purpose_granted=granted,
    )
    added = await acts.pictures.run(
        lambda: office.add(wanted, lambda collection: acts.face_of(collection, asked.image))
    )
    return AddedWatchAnswer.of_added(*added)


@watches.get("")
def list_watches(office: Watching) -> WatchesAnswer:
    """List the watches that have not ended, the oldest first."""
    return WatchesAnswer(watches=[SeenWatchAnswer.of_seen(one) for one in office.every()])


@watches.delete("/{watch_id}")
def end_watch(watch_id: UUID, office: Watching) -> WatchAnswer:
    """End a watch; the cases that it opened stay."""
    return WatchAnswer.of(office.end(watch_id))
