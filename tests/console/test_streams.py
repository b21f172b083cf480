"""Events of pages: who may listen, and for how long."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from likeness.console.streams import events, part_of
from likeness.server import Listeners
from likeness.server.errors import TooManyRequests


async def three(over: asyncio.Event) -> AsyncGenerator[bytes, None]:
    for piece in (b"1", b"2", b"3"):
        yield piece


def somebody(*is_over: bool) -> Any:
    """Somebody whose session is over, or is not, each time that it is asked for."""
    asked = iter(is_over)
    return SimpleNamespace(
        offered=SimpleNamespace(listeners=Listeners(), players=Listeners()),
        headers={},
        principal=SimpleNamespace(id="key:1"),
        is_over=lambda: next(asked),
    )


def heard(visit: Any) -> list[bytes]:
    stream = events(visit, three).pieces

    async def listen() -> list[bytes]:
        return [piece async for piece in stream(asyncio.Event())]

    return asyncio.run(listen())


def test_nothing_is_told_once_the_session_is_over() -> None:
    assert heard(somebody(False, False, False)) == [b"1", b"2", b"3"]
    assert heard(somebody(False, True)) == [b"1"]


def test_so_many_listen_at_once() -> None:
    visit = somebody(False, False, False)
    listeners: Listeners = visit.offered.listeners
    with ExitStack() as places:
        for _ in range(16):
            places.enter_context(listeners.place("key:1"))
        with pytest.raises(TooManyRequests):
            events(visit, three)
    assert heard(visit) == [b"1", b"2", b"3"]


def test_so_many_files_are_open_for_one_person(tmp_path: Path) -> None:
    visit, clip = somebody(), tmp_path / "clip"
    clip.write_bytes(b"a clip")
    players: Listeners = visit.offered.players
    with ExitStack() as places:
        for _ in range(16):
            places.enter_context(players.place("key:1"))
        file = clip.open("rb")
        with pytest.raises(TooManyRequests):
            part_of(visit, file, {})
        assert file.closed
    file = clip.open("rb")
    pieces = part_of(visit, file, {}).pieces

    async def play() -> bytes:
        return b"".join([piece async for piece in pieces(asyncio.Event())])

    assert asyncio.run(play()) == b"a clip"
    assert file.closed
