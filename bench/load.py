"""A client in a process of its own: signs requests first, then sends them and times each.

`python -m bench.load` reads a plan as JSON from its standard input and writes what came of it.
"""

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def main() -> None:
    """Carry out the plan."""
    plan = json.load(sys.stdin)
    requests = [as_sent(*request) for request in signed(plan)]
    json.dump(asyncio.run(_sent(plan, requests)), sys.stdout)


def signed(plan: dict[str, Any]) -> Iterator[tuple[dict[str, str], bytes]]:
    """Give the headers of each request, signed, and its body."""
    jpegs = [Path(name).read_bytes() for name in plan["pictures"]]
    auth = SigV4Auth(Credentials(*plan["credentials"]), "rekognition", "us-east-1")
    place = urlsplit(plan["url"]).netloc
    for number, asked in zip(range(plan["count"]), cycle(plan["asked"]), strict=False):
        request = dict(asked["request"])
        for further, name in enumerate(asked["shows"]):
            # What follows the end of a JPEG makes its bytes others, and its pixels not.
            jpeg = jpegs[(number + further) % len(jpegs)] + os.urandom(8)
            request[name] = {"Bytes": base64.b64encode(jpeg).decode()}
        body = json.dumps(request).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"RekognitionService.{asked['operation']}",
        }
        signed_request = AWSRequest("POST", plan["url"], headers=headers, data=body)
        auth.add_auth(signed_request)
        yield {**signed_request.headers, "Host": place, "Content-Length": str(len(body))}, body


def as_sent(headers: dict[str, str], body: bytes) -> bytes:
    """Give a request as it goes over the wire."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body


async def _sent(plan: dict[str, Any], requests: list[bytes]) -> dict[str, Any]:
    place = urlsplit(plan["url"])
    waiting = iter(requests)
    ms: list[float] = []
    codes: dict[str, int] = {}

    async def client() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            await writer.drain()
            code = await answer(reader)
            ms.append(1000 * (time.perf_counter() - began))
            codes[code] = codes.get(code, 0) + 1
        writer.close()

    began, began_cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(plan["concurrency"])))
    return {
        "seconds": time.perf_counter() - began,
        "processor_s": time.process_time() - began_cpu,
        "ms": ms,
        "codes": codes,
    }


async def answer(reader: asyncio.StreamReader) -> str:
    """Read an answer, and give `OK` or its error code."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    content = await reader.readexactly(length)
    status = head.split(b" ", 2)[1]
    return "OK" if status == b"200" else str(json.loads(content)["Code"])


if __name__ == "__main__":
    main()
