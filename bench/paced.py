"""A client in a process of its own that asks at its pace, whether or not it has been answered.

`python -m bench.paced` reads a plan as JSON from its standard input and writes what came of it. How
long a request took counts from when it was due.
"""

import asyncio
import json
import ssl
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from bench.load import answer, as_sent, signed

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def main() -> None:
    """Carry out the plan."""
    plan = json.load(sys.stdin)
    requests = [as_sent(*request) for request in signed(plan)]
    json.dump(asyncio.run(_sent(plan, requests)), sys.stdout)


async def _sent(plan: dict[str, Any], requests: list[bytes]) -> dict[str, Any]:
    place = urlsplit(plan["url"])
    trusted = ssl.create_default_context(cafile=plan["trusted"]) if plan["trusted"] else None
    idle: list[_Connection] = []
    ms: list[float] = []
    codes: dict[str, int] = {}
    began = time.perf_counter()

    async def ask(number: int, request: bytes) -> None:
        due = began + number / plan["per_s"]
        await asyncio.sleep(due - time.perf_counter())
        try:
            async with asyncio.timeout(plan["within_s"]):
                if not idle:
                    idle.append(
                        await asyncio.open_connection(place.hostname, place.port, ssl=trusted)
                    )
                reader, writer = idle.pop()
                writer.write(request)
                await writer.drain()
                code = await answer(reader)
            idle.append((reader, writer))
        except (OSError, EOFError) as error:  # a timeout is one of the first
            code = type(error).__name__
        ms.append(1000 * (time.perf_counter() - due))
        codes[code] = codes.get(code, 0) + 1

    await asyncio.gather(*(ask(number, request) for number, request in enumerate(requests)))
    return {"ms": ms, "codes": codes}


if __name__ == "__main__":
    main()
