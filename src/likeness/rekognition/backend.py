"""What operations work on: a home that is open, put together by the composition root."""

from dataclasses import dataclass

from likeness.access import RequestTokens
from likeness.buckets import Buckets
from likeness.rekognition.page_tokens import PageTokens
from likeness.service.uses import Home


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Backend(Home):
    """A home, and what the wire has beside it; `account` is the twelve digits in ARNs.

    `limits` are the operator's, beside AWS's own.
    """

    buckets: Buckets
    page_tokens: PageTokens
    request_tokens: RequestTokens
    account: str
