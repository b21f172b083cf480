"""What this machine may connect to where somebody else names the address.

Whoever names a URL makes this machine send a request. So that it reaches nothing inside that
trusts this machine, such as a cloud's metadata service (server-side request forgery):

1. The scheme is one of those that the caller takes, and no user or password is in the URL.
2. Public addresses may be reached, and networks that the operator allows; no others.
3. The name is resolved once, and the address that was checked is the one that is connected to.
4. Whoever connects follows no redirect to elsewhere.

An address in place of a name is refused by the same rules as soon as it is named, and so are the
names of this machine: they stay what they are, while another name may stand for another by then.
"""

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from likeness.errors import InvalidRequest

Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], list[str]]

_LONGEST_URL = 2048
# Public by their numbers, and yet not: metadata services of Azure and Oracle, and IPv6 addresses
# that stand for any of IPv4.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/32",
        "2002::/16",
        "3fff::/20",
    )
)
_LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
_OF_THIS_MACHINE = frozenset(
    (
        *("", "localhost", "localhost.localdomain", "localhost4", "localhost6"),
        *("localhost4.localdomain4", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"),
    )
)
# Of IPv6 nothing else is handed out for the internet: not translations of IPv4, nor old local ones.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL, taken apart; `target` is path and query, where tokens may stand."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)


def read_endpoint(url: str, ports: Mapping[str, int], what: str) -> Endpoint:
    """Take a URL apart, whose scheme is one of those that have usual `ports`.

    Raises:
        InvalidRequest: it is not `what` it should be, such as "a webhook's URL". The URL is not
            repeated: it may hold a token.
    """
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise _no_url(what, f"at most {_LONGEST_URL} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # or looking it up would be an error of its own
    except ValueError as error:
        raise _no_url(what, "a host and, where wanted, a port") from error
    host = parts.hostname or ""
    # What a percent sign stands for, programs disagree about; an IPv6 address has its zone there.
    if parts.scheme not in ports or not host or ("%" in host and ":" not in host):
        schemes = " or ".join(f"{scheme}://" for scheme in ports)
        raise _no_url(what, f"{schemes} and a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _no_url(what, "no user, password or fragment")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port or ports[parts.scheme], target)


def read_networks(text: str) -> tuple[Network, ...]:
    """Read networks that may be reached although they are not public, separated by commas.

    Raises:
        InvalidRequest: one is no network.
    """
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise InvalidRequest(
            f"Not a network: {error}. Give networks such as 10.1.0.0/16, separated by commas."
        ) from error


def reachable_address(
    endpoint: Endpoint, allowed: tuple[Network, ...], resolve: Resolve | None = None
) -> str | None:
    """Resolve an endpoint's host, once, to an address that may be reached; None where none may.

    Raises:
        OSError: the name stands for nothing.
    """
    for address in (resolve or _resolve)(endpoint.host, endpoint.port):
        if _may_be_reached(ipaddress.ip_address(address.partition("%")[0]), allowed):
            return address
    return None


def may_be_named(endpoint: Endpoint, allowed: tuple[Network, ...]) -> bool:
    """Say whether an address, in whatever spelling, may be reached.

    Any name may be named but those that stand for this machine by themselves (RFC 6761).
    """
    # A dot at the end changes no address and no name.
    host = endpoint.host.rstrip(".").lower()
    if host in _OF_THIS_MACHINE or host.endswith(".localhost"):
        return any(_may_be_reached(one, allowed) for one in _LOOPBACK)
    try:
        return reachable_address(replace(endpoint, host=host), allowed, _spelt_out) is not None
    except OSError:
        return True  # a name


def _may_be_reached(address: IPv4Address | IPv6Address, allowed: tuple[Network, ...]) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in allowed):
        return True
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return address.is_global and not address.is_multicast


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _spelt_out(host: str, port: int) -> list[str]:
    """Give the address that is written in place of a name, such as 127.1; nothing is looked up."""
    # Without its zone, which need not be of this machine.
    found = socket.getaddrinfo(
        host.partition("%")[0], port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )
    return [str(address[0]) for *_, address in found]


def _no_url(what: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"Not {what}: it needs {expected}. Correct it.")
