"""Register, list and remove the sources of live searches, each act on record."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection

from likeness import sources
from likeness.access import may
from likeness.errors import Denied, InvalidRequest, InvalidStream
from likeness.policy import nearest
from likeness.service.live.opening import opened_source
from likeness.service.uses import Caller, Outcome, Rows, is_local
from likeness.sources import Source, SourceKind, checked_source_name
from likeness.streams import read_location, require_reachable
from likeness.terms import UNDECLARED, Action, Footage, checked_text
from likeness.video import Clip, LiveStream, StreamLimits, StreamState

T = TypeVar("T")

_LONGEST_PATH = 4096
_WATCHED_S = 4.0
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source to be registered: an address on a network, or the path of a file on the server.

    `password` is that of the user whom the address names, where it does not have it itself.
    """

    name: str
    address: str | Path = field(repr=False)
    password: str | None = field(default=None, repr=False)
    footage: str = UNDECLARED
    place: str | None = None


def add_source(rows: Rows, caller: Caller, new: NewSource) -> Source:
    """Register a source; nothing is fetched from it yet.

    Raises:
        InvalidRequest: the name, the address, the file or the sort of source is none, or nothing
            would be fetched from there. The address is not repeated.
        AlreadyExists: there is one of that name.
        LimitReached: as many as there may be are registered.
        Denied: it is a file, and whoever asks is not at the server's command line.
    """
    with rows.record(caller, Action.GOVERN) as record:
        kind, shown, address = _whole_address(rows, caller, new)
        source = Source(
            uuid4(),
            checked_source_name(new.name),
            kind,
            shown,
            _checked_footage(new.footage),
            None if new.place is None else checked_text(new.place, "The place of a source"),
            rows.clock(),
            caller.principal.id,
        )
        return record.write(
            lambda connection: sources.add_source(connection, rows.keyring, source, address),
            lambda added: _outcome(added.id, kind=added.kind, footage=added.footage),
        )


def list_sources(rows: Rows, caller: Caller) -> list[Source]:
    """List the sources by name.

    Raises:
        Denied: the caller's role may not watch.
    """
    return _looked_up(rows, caller, partial(sources.list_sources, keyring=rows.keyring))


def show_source(rows: Rows, caller: Caller, name: str) -> Source:
    """Show a source.

    Raises:
        NotFound: there is none of that name.
        Denied: the caller's role may not watch.
    """
    return _looked_up(rows, caller, partial(sources.get_source, keyring=rows.keyring, name=name))


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """What a source sends: its first frame came after `first_s`, and then so many a second.

    None is known of so short a video that nothing could be measured.
    """

    source: Source
    clip: Clip
    first_s: float
    frames_per_s: float | None


def check_source(
    rows: Rows, caller: Caller, name: str, *, watched_s: float = _WATCHED_S
) -> CheckedSource:
    """Connect to a source, and look at what it sends for some seconds; no face is looked for.

    Raises:
        NotFound: there is none of that name, or its file is gone.
        SourceUnavailable: it does not answer, or refuses.
        InvalidStream: what it sends is no video.
        Denied: the caller's role may not watch.
    """
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        _require_watcher(caller)
        source = rows.database.read(partial(sources.get_source, keyring=rows.keyring, name=name))
        checked = _looked_at(rows, source, watched_s)
        record.answered(_outcome(source.id))
    return checked


def _looked_at(rows: Rows, source: Source, watched_s: float) -> CheckedSource:
    limits = StreamLimits(silence_s=_PATIENCE_S, patience_s=_PATIENCE_S)
    began_s = time.monotonic()
    came: list[tuple[float, int]] = []  # when, and how many frames had been decoded by then
    with LiveStream(opened_source(rows, source.id), every_s=0.5, limits=limits) as stream:
        wait_s, until_s = 2 * _PATIENCE_S, math.inf
        while time.monotonic() < until_s:
            frame, status = stream.next(wait_s), stream.status
            if frame is not None:
                came.append((frame.arrived_s, status.frames))
                if len(came) == 1:
                    wait_s, until_s = 0.1, time.monotonic() + watched_s
            elif not came or status.state is StreamState.ENDED:
                break
    if not came or status.clip is None:
        raise InvalidStream("The source sends no picture. Give another, or look at it elsewhere.")
    (first_s, before), (last_s, frames) = came[0], came[-1]
    rate = (frames - before) / (last_s - first_s) if last_s > first_s else None
    return CheckedSource(source, status.clip, first_s - began_s, rate)


def remove_source(rows: Rows, caller: Caller, name: str) -> UUID:
    """Remove a source, and give its id; searches of it end within a second.

    Raises:
        NotFound: there is none of that name.
    """
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(partial(sources.remove_source, name=name), _outcome)


def _looked_up(rows: Rows, caller: Caller, look: Callable[[Connection], T]) -> T:
    """Read rows for somebody who may know which sources there are, on record."""
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        _require_watcher(caller)
        found = rows.database.read(look)
        record.answered(Outcome())
    return found


def _require_watcher(caller: Caller) -> None:
    if not may(caller.principal.role, Action.WATCH):
        raise Denied(
            f"{caller.principal.id} of role {caller.principal.role} may not see which sources there"
            " are. Ask an operator."
        )


def _whole_address(rows: Rows, caller: Caller, new: NewSource) -> tuple[SourceKind, str, str]:
    """Give a source's kind, its address as it may be shown, and the whole of it."""
    if isinstance(new.address, Path):
        if not is_local(caller.principal.id):
            raise Denied(
                "A file is registered on the server alone. Ask an admin to run `likeness sources"
                " add` there."
            )
        path = _checked_file(new.address)
        return SourceKind.FILE, path, path
    location = read_location(new.address)
    if new.password is not None:
        if not location.user:
            raise InvalidRequest(
                "There is a password and no user. Put the user into the address, such as"
                " rtsp://user@camera.example/main."
            )
        location = location.signed_in(location.user, new.password)
    require_reachable(location, rows.source_networks)
    return SourceKind.STREAM, location.shown, location.text


def _checked_file(path: Path) -> str:
    checked_text(str(path), "The path of a source", longest=_LONGEST_PATH)
    if not path.is_absolute() or not path.is_file():
        raise InvalidRequest(
            f"No file to watch: {path}. Name a video, not a folder or a device, by its whole path."
        )
    return str(path)


def _checked_footage(footage: str) -> str:
    every = [one.value for one in Footage]
    if footage not in every:
        raise InvalidRequest(
            f"No such sort of source {footage!r}{nearest(footage, every)}. There are"
            f" {', '.join(every)}."
        )
    return footage


def _outcome(source_id: UUID, **details: str) -> Outcome:
    """Say in an entry which source it is about; its name is the admin's, and in none."""
    return Outcome(details={"source_id": str(source_id), **details})
