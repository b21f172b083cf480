"""Cameras and streams over HTTP: register, list, show, remove."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from likeness.service.live import sources as acts
from likeness.service.live.sources import NewSource
from likeness.terms import UNDECLARED
from likeness.v1.acts import ActRouter, Calls, RowsHere
from likeness.v1.answers import Answer, SourceAnswer, SourcesAnswer

sources = ActRouter(prefix="/v1/sources", tags=["sources"])


class SourceRequest(BaseModel):
    """A camera or stream; `password` is that of the user in `address`."""

    model_config = ConfigDict(extra="forbid")

    name: str
    address: SecretStr
    password: SecretStr | None = None
    footage: str = UNDECLARED
    place: Annotated[str, Field(min_length=1)] | None = None


class RemovedSourceAnswer(Answer):
    """A source that was removed."""

    id: UUID
    name: str


@sources.post("", status_code=201)
def add_source(asked: SourceRequest, rows: RowsHere, calls: Calls) -> SourceAnswer:
    """Register a camera or stream; its password is never shown again."""
    new = NewSource(
        name=asked.name,
        address=asked.address.get_secret_value(),
        password=None if asked.password is None else asked.password.get_secret_value(),
        footage=asked.footage,
        place=asked.place,
    )
    return SourceAnswer.of(acts.add_source(rows, calls("AddSource"), new))


@sources.get("")
def list_sources(rows: RowsHere, calls: Calls) -> SourcesAnswer:
    """List the sources by name."""
    every = acts.list_sources(rows, calls("ListSources"))
    return SourcesAnswer(sources=[SourceAnswer.of(one) for one in every])


@sources.get("/{name}")
def show_source(name: str, rows: RowsHere, calls: Calls) -> SourceAnswer:
    """Show a source."""
    return SourceAnswer.of(acts.show_source(rows, calls("ShowSource"), name))


@sources.delete("/{name}")
def remove_source(name: str, rows: RowsHere, calls: Calls) -> RemovedSourceAnswer:
    """Remove a source with its password; searches of it end within a second."""
    removed = acts.remove_source(rows, calls("RemoveSource"), name)
    return RemovedSourceAnswer(id=removed, name=name)
