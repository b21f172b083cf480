"""Fetch a file from an address, over https only, and never more of it than is pinned."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from likeness.artifacts.archive import copy_exactly
from likeness.artifacts.pins import Address
from likeness.errors import ArtifactUnavailable

_SILENCE_SECONDS = 60.0


class GuardedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect unless `check`, given the old address and the new one, raises."""

    def __init__(self, check: Callable[[str, str], None]) -> None:
        self._check = check

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow a redirect that passes the check."""
        fp.close()  # else the body of the redirect is read, however long it is
        self._check(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(_: str, address: str) -> None:
    """Follow a redirect only to where nobody else listens."""
    if urlsplit(address).scheme != "https":
        raise urllib.error.URLError("it redirects to an address that is not https")


def https_opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Make what opens addresses, with the user's own proxies and certificates."""
    return urllib.request.build_opener(GuardedRedirects(_require_https), *handlers)


def download_address(
    address: Address,
    size: int,
    destination: Path,
    progress: Callable[[int], None],
    opener: urllib.request.OpenerDirector | None = None,
) -> None:
    """Write the `size` bytes at `address` to `destination`; `progress` hears the bytes so far.

    Raises:
        ArtifactUnavailable: the address does not answer, or redirects away from https.
        ModelTampered: it holds more or fewer bytes; no more than `size` are written.
    """
    try:
        with (opener or https_opener()).open(address.url, timeout=_SILENCE_SECONDS) as response:
            copy_exactly(_Counted(response, progress), size, destination, address.url)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ArtifactUnavailable(f"{address.url} could not be fetched ({reason})") from error


@dataclass(slots=True)
class _Counted:
    """A readable that tells how much was read."""

    source: IO[bytes]
    progress: Callable[[int], None]
    read_bytes: int = 0

    def read(self, size: int) -> bytes:
        chunk = self.source.read(size)
        self.read_bytes += len(chunk)
        self.progress(self.read_bytes)
        return chunk
