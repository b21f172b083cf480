"""Which web pages may ask a server from a browser: those of exact origins, and none by default.

A browser lets a page read an answer of another origin only where that says so, and asks first
(WHATWG Fetch, "CORS protocol"). Who asks is proven by signatures all the same, so that this opens
nothing to a page that has no key; and no cookie is ever looked at.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from likeness.errors import InvalidRequest

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_USUAL_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_KEPT_S = 600
EXPOSED = (
    "Date",  # by which AWS's SDKs set their clocks
    "Retry-After",
    "X-Amzn-RequestId",
    "X-Likeness-Any-Strangers",
    "X-Likeness-Case",
    "X-Likeness-Extrapolated",
    "X-Likeness-Group-Warning",
    "X-Likeness-Receipt",
    "X-Likeness-Strangers-At-Hand",
    "X-Request-Id",
)
"""The headers of answers that a page may read, beside what it may read of every answer."""


def read_origins(written: str) -> tuple[str, ...]:
    """Read origins that are separated by commas, as browsers write them.

    Raises:
        InvalidRequest: one of them is no origin.
    """
    return tuple(_origin(one.strip()) for one in written.split(",") if one.strip())


def open_to(origins: Iterable[str], application: ASGIApp) -> ASGIApp:
    """Let pages of these origins ask an application and read its answers; without any, as it is."""
    allowed = frozenset(origins)
    if not allowed:
        return application
    return CORSMiddleware(
        application,
        allow_origins=allowed,
        allow_methods=_METHODS,
        allow_headers=("*",),  # whatever is signed
        allow_private_network=True,
        expose_headers=EXPOSED,
        max_age=_KEPT_S,
    )


def _origin(written: str) -> str:
    try:
        parts = urlsplit(written.lower())
        port = parts.port
    except ValueError:
        raise _no_origin(written) from None
    host = parts.netloc.removesuffix(f":{port}")
    if not (parts.scheme and _HOST.fullmatch(host)) or (parts.path, parts.query) not in (
        ("", ""),
        ("/", ""),
    ):
        raise _no_origin(written)
    usual = port is None or port == _USUAL_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def _no_origin(written: str) -> InvalidRequest:
    return InvalidRequest(
        f"Not an origin in LIKENESS_ALLOWED_ORIGINS: {written!r}. Give each as browsers write it,"
        " scheme and host and no path, such as https://app.example or http://localhost:5173,"
        " separated by commas; a `*` is not taken."
    )
