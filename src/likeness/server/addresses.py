"""Whose address a request comes from, as shares go by it.

One household or machine has a whole /64 of IPv6 to choose addresses from, so that such a network
counts as one. Behind a proxy of the operator's, every connection is the proxy's: there the last
address in X-Forwarded-For counts, which the proxy added itself. Whatever stands before it was sent
by the caller and proves nothing.
"""

import ipaddress
from collections.abc import Sequence

from starlette.types import Scope

ADDRESS = "likeness.address"
"""Where the state of a scope holds the address that shares go by."""

PROXIED = "likeness.proxied"
"""Set in the state of a scope where the operator named a proxy, which every request comes from."""

_FORWARDED = b"x-forwarded-for"
_UNKNOWN = "unknown"


def share_address(host: str) -> str:
    """Give the address that shares go by: IPv4 as it is, IPv6 by its /64; else the text itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host or _UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def forwarded_address(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Give the address that the nearest proxy took a request from, if it said so."""
    values = [value for name, value in headers if name == _FORWARDED]
    if not values:
        return None
    last = values[-1].decode("latin-1").rpartition(",")[2].strip()
    for host in (last, last.rpartition(":")[0]):  # some proxies add the port
        bare = host.removeprefix("[").removesuffix("]")
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            continue
        return share_address(bare)
    return None


def address_of(scope: Scope) -> str:
    """Give the address that a request's shares go by: as the server put it, else its peer's."""
    put: str | None = scope.get("state", {}).get(ADDRESS)
    if put is not None:
        return put
    client = scope.get("client")
    return share_address(client[0]) if client else _UNKNOWN
