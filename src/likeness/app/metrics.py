"""Who may read the server's measures? This machine alone, or whoever has the operator's token.

They hold no person's data, but say how much a server is used, for what, and what is refused.
"""

import hmac
import ipaddress

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


class Metrics:
    """`/metrics`, for Prometheus; where a token is set, nobody reads them without it."""

    def __init__(self, registry: CollectorRegistry, token: str) -> None:
        self._registry = registry
        self._expected = f"Bearer {token}".encode() if token else None

    async def show(self, request: Request) -> Response:
        """Answer with all measures, or refuse."""
        if self._expected is None:
            if not _of_this_machine(request):
                return PlainTextResponse(
                    "LIKENESS_METRICS_TOKEN was expected to be set on the server, since this"
                    " request comes from another machine\n",
                    403,
                )
        elif not hmac.compare_digest(
            request.headers.get("authorization", "").encode("latin-1"), self._expected
        ):
            return PlainTextResponse(
                "LIKENESS_METRICS_TOKEN was expected as a bearer token\n",
                401,
                {"www-authenticate": "Bearer"},
            )
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


def _of_this_machine(request: Request) -> bool:
    if request.client is None:
        return False
    address = ipaddress.ip_address(request.client.host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
