"""Where a source is, and as whom it is asked, which nobody is shown."""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from likeness.errors import InvalidRequest
from likeness.reachable import Endpoint, Network, may_be_named, read_endpoint

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_LONGEST = 256
_ENDS_OF_HOST = re.compile("[/?#]")
# Keys that stand in place of a name in a path, such as those that recorders make for each camera.
_KEY = re.compile(
    r"(?=[^/]*[0-9])(?=[^/]*[a-z])(?=[^/]*[A-Z])[A-Za-z0-9]{16,}|[0-9a-fA-F-]{20,}|[^/]{40,}"
)


@dataclass(frozen=True, slots=True)
class Location:
    """The address of a source, and the user and password that it asks for, empty where none."""

    endpoint: Endpoint
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The address as people may see it: without user, password, and what may be a token."""
        path, question, query = self.endpoint.target.partition("?")
        segments = (_HIDDEN if _KEY.fullmatch(one) else one for one in path.split("/"))
        names = (_without_value(one) for one in query.split("&"))
        return self._begin("") + "/".join(segments) + question + "&".join(names)

    @property
    def text(self) -> str:
        """The whole address with user and password, as `read_location` takes it; a secret."""
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        signed = f"{user}:{password}@" if password else f"{user}@" if user else ""
        return self._begin(signed) + self.endpoint.target

    def url(self) -> str:
        """The address as the source itself is told it: without user and password."""
        return self._begin("") + self.endpoint.target

    def signed_in(self, user: str, password: str) -> "Location":
        """Give the same address, asked as somebody else.

        Raises:
            InvalidRequest: the user or password is none that can be sent.
        """
        _require_sendable(user, password)
        return replace(self, user=user, password=password)

    def _begin(self, signed: str) -> str:
        end = self.endpoint
        host = f"[{end.host}]" if ":" in end.host else end.host
        port = "" if end.port == PORTS[end.scheme] else f":{end.port}"
        return f"{end.scheme}://{signed}{host}{port}"


_HIDDEN = "..."


def read_location(text: str) -> Location:
    """Read the address of a camera or stream, such as rtsp://user:password@camera.example/main.

    Raises:
        InvalidRequest: it is none. It is not repeated: it may hold a password.
    """
    scheme, separator, rest = text.strip().partition("://")
    end = _ENDS_OF_HOST.search(rest)
    host, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    signed, _, host = host.rpartition("@")
    if not signed and "@" in after and (":" in host or "#" in after):
        raise InvalidRequest(
            "Not a source's address that can be read: a user or password with / ? or # ends it too"
            " early. Write them as %2F, %3F and %23."
        )
    user, _, password = signed.partition(":")
    user, password = unquote(user), unquote(password)
    endpoint = read_endpoint(
        f"{scheme.lower()}{separator}{host}{after}", PORTS, "a source's address"
    )
    _require_sendable(user, password)
    return Location(endpoint, user, password)


def require_reachable(location: Location, networks: tuple[Network, ...]) -> None:
    """Refuse an address, in whatever spelling, that is never connected to; any name passes.

    Raises:
        InvalidRequest: it is such an address.
    """
    if not may_be_named(location.endpoint, networks):
        raise InvalidRequest(
            "This source's address is neither public nor allowed by LIKENESS_SOURCE_NETWORKS, so"
            " nothing would be fetched from there. Give another, or allow its network."
        )


def _require_sendable(user: str, password: str) -> None:
    both = user + password
    if max(len(user), len(password)) > _LONGEST or not both.isprintable():
        raise InvalidRequest(
            f"Not a user or password that can be sent: each has at most {_LONGEST} printable"
            " characters. Correct it."
        )
    if ":" in user or '"' in user or (password and not user):
        raise InvalidRequest(
            "Not a user that can be sent: it is empty, or has a colon or a quotation mark in it."
            " Correct it."
        )


def _without_value(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    # What has no name is all value.
    return f"{name}={_HIDDEN}" if equals else _HIDDEN if pair else ""
