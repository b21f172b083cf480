"""What operations work on: a home that is open, and tokens of where a list goes on.

A token is readable only to us, for one list and one caller, for a day.
"""

import hashlib
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from likeness.access import RequestTokens
from likeness.buckets import Buckets
from likeness.errors import KeyUnusable
from likeness.gallery import Collection
from likeness.rekognition.call import Call, Request
from likeness.rekognition.faults import AwsError
from likeness.secrets import Keyring
from likeness.service.enrol.subjects import Page
from likeness.service.uses import Home

LIFETIME = timedelta(days=1)
_EXPIRY, _NUMBER = struct.Struct("<q"), struct.Struct("<q")
# What may change from page to page; all else says which list it is.
_OF_THE_PAGE = {"NextToken", "MaxResults"}


class PageTokens:
    """Makes and reads page tokens; safe to use from many threads."""

    def __init__(self, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._keyring = keyring
        self._clock = clock

    def token(self, call: Call, request: Request, listed: UUID | None, place: bytes) -> str:
        """Make the token of a place, at most 110 bytes, in what `call` lists.

        `listed` is the collection, by our id: another one of the same name is another list.
        """
        expiry = int((self._clock() + LIFETIME).timestamp())
        sealed = self._keyring.seal(_EXPIRY.pack(expiry) + place, _context(call, request, listed))
        return urlsafe_b64encode(sealed).decode()

    def after(self, call: Call, request: Request) -> Callable[[Collection], int]:
        """Give what reads the number that a list of a collection begins after.

        Reading raises AwsError where the token is none of that list's.
        """

        def read(of: Collection) -> int:
            place = self.place(call, request, of.id)
            return 0 if place is None else int(_NUMBER.unpack(place)[0])

        return read

    def token_after(self, call: Call, request: Request, page: Page[Any]) -> str | None:
        """Make the token of the page that follows one of a collection; None at the list's end."""
        if page.after is None:
            return None
        return self.token(call, request, page.collection.id, _NUMBER.pack(page.after))

    def place(self, call: Call, request: Request, listed: UUID | None) -> bytes | None:
        """Read the token that a request has; None where it asks for the first page.

        Raises:
            AwsError: it is none of ours, of another list or caller, or has expired.
        """
        token = request.get("NextToken")
        if not token:
            return None
        try:
            sealed = urlsafe_b64decode(token.encode("ascii"))
            opened = self._keyring.unseal(sealed, _context(call, request, listed))
            if _EXPIRY.unpack_from(opened)[0] < self._clock().timestamp():
                raise ValueError("it has expired")
        except (ValueError, KeyUnusable) as error:
            raise AwsError("InvalidPaginationTokenException", "Invalid Pagination Token") from error
        return opened[_EXPIRY.size :]


def _context(call: Call, request: Request, listed: UUID | None) -> bytes:
    filters = {name: value for name, value in request.items() if name not in _OF_THE_PAGE}
    whole = [call.operation, call.principal.id, str(listed), filters]
    return b"page token " + hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Backend(Home):
    """A home, and what the wire has beside it; `account` is the twelve digits in ARNs.

    `limits` are the operator's, beside AWS's own. `tells_topics` says whether topics can be told
    that jobs have ended, `tells_streams` whether Kinesis data streams can be told of frames.
    """

    buckets: Buckets
    page_tokens: PageTokens
    request_tokens: RequestTokens
    account: str
    tells_topics: bool = False
    tells_streams: bool = False
