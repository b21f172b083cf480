"""What pages send piece by piece: parts of files for players (RFC 9110, 14), and events."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool

from likeness.console.visit import Streamed, Visit
from likeness.server import EVENTS, Listeners, Stream
from likeness.server.errors import TooManyRequests

_PIECE_BYTES = 256 << 10
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def part_of(visit: Visit, file: BinaryIO, kind: Mapping[str, str]) -> Streamed:
    """Give the part of a file that a player asks for, or all of it; the file is closed at its end.

    `kind` goes out with the answer. Several parts at once are not given: all of it is. Files are
    open for as long as players read, and the server can have so many open.

    Raises:
        TooManyRequests: too many are read already, by all or by them.
    """
    players, who = visit.offered.players, visit.principal.id
    try:
        players.require_place(who)
    except TooManyRequests:
        file.close()
        raise
    give = partial(_pieces, players, who, file)
    size = os.fstat(file.fileno()).st_size
    told = {"accept-ranges": "bytes", **kind}
    wanted = _RANGE.fullmatch(visit.headers.get("range", "").strip())
    if wanted is None or not any(wanted.groups()):
        return Streamed(give(0, size), told, length=size)
    begin, end = _bounds(wanted[1], wanted[2], size)
    if begin >= end:
        file.close()
        return Streamed(_nothing, {**told, "content-range": f"bytes */{size}"}, 416, 0)
    told["content-range"] = f"bytes {begin}-{end - 1}/{size}"
    return Streamed(give(begin, end - begin), told, 206, end - begin)


def events(visit: Visit, pieces: Stream) -> Streamed:
    """Give events as they happen (the HTML Standard's Server-Sent Events), while somebody may ask.

    Nothing is told any more once their session is over.

    Raises:
        TooManyRequests: too many listen already, of all or of theirs.
    """
    listeners, who = visit.offered.listeners, visit.principal.id
    listeners.require_place(who)

    async def give(over: asyncio.Event) -> AsyncGenerator[bytes, None]:
        with listeners.place(who):
            async with aclosing(pieces(over)) as told:
                async for piece in told:
                    if await run_in_threadpool(visit.is_over):
                        return
                    yield piece

    return Streamed(give, {"content-type": EVENTS, "x-accel-buffering": "no"})


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Give where a part begins, and behind which byte it ends."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _pieces(players: Listeners, who: str, file: BinaryIO, begin: int, length: int) -> Stream:
    async def give(over: asyncio.Event) -> AsyncGenerator[bytes, None]:
        at, end = begin, begin + length
        with file, players.place(who):
            while at < end and not over.is_set():
                piece = await run_in_threadpool(
                    os.pread, file.fileno(), min(_PIECE_BYTES, end - at), at
                )
                if not piece:  # somebody cut the file short
                    return
                yield piece
                at += len(piece)

    return give


async def _nothing(over: asyncio.Event) -> AsyncGenerator[bytes, None]:
    empty: tuple[bytes, ...] = ()
    for piece in empty:
        yield piece
