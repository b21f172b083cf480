"""A server of streams over HTTP on loopback, well or badly."""

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.streams.gate import Gate
from tests.streams.listening import listening, read_head

Content = bytes | Iterable[bytes]


@dataclass
class Page:
    """What is sent for a path; `end` is how its end is told: "length", "chunked" or "hang up"."""

    content: Content | Callable[[], Content] = b""
    kind: str = "application/octet-stream"
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    end: str = "length"


@dataclass
class Site:
    """Pages by their paths, how it is signed in to, and what it was asked."""

    pages: dict[str, Page]
    sign_in: str = ""
    user: str = "viewer"
    password: str = "s/cret: \u00e4"
    context: ssl.SSLContext | None = None
    host: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def url(self, path: str = "/", signed: bool = False) -> str:
        """Give an address on it."""
        who = f"{self.user}:{quote(self.password, safe='')}@" if signed else ""
        return f"{'https' if self.context else 'http'}://{who}{self.host}{path}"

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as lines:
            head = read_head(lines)
            if not head:
                return
            target = head.split(" ")[1]
            self.heads.append(head)
            gate = Gate(self.sign_in, self.user, self.password, f"n{len(self.heads) // 4}")
            if self.sign_in and not gate.lets_in("GET", head):
                self._send(connection, Page(status="401 Who"), gate.challenges(), "")
                return
            self.asked.append(target)
            page = self.pages.get(target.partition("?")[0], Page(b"no", status="404 Not Found"))
            self._send(connection, page, [], head)

    def _send(
        self, connection: socket.socket, page: Page, challenges: list[str], head: str
    ) -> None:
        content = page.content() if callable(page.content) else page.content
        headers = {"Content-Type": page.kind} | page.headers
        status = page.status
        if isinstance(content, bytes):
            if part := re.search(r"(?mi)^range: bytes=(\d+)-(\d+)", head):
                content = content[int(part[1]) : int(part[2]) + 1]
                status = "206 Partial Content"
            if page.end == "length":
                headers["Content-Length"] = str(len(content))
            content = [content]
        if page.end == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"WWW-Authenticate: {one}" for one in challenges]
        connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        for piece in content:
            if page.end == "chunked":
                piece = f"{len(piece):x};of=it\r\n".encode() + piece + b"\r\n"
            connection.sendall(piece)
        if page.end == "chunked":
            connection.sendall(b"0\r\n\r\n")


@contextmanager
def hosting(site: Site) -> Iterator[Site]:
    """Answer on a free port of 127.0.0.1."""
    with listening(site.serve) as port:
        site.host = f"127.0.0.1:{port}"
        yield site
