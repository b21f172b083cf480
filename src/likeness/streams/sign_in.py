"""Signs in to a source: Digest (RFC 7616, and 2069 as old cameras have it) or Basic (RFC 7617)."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from likeness.errors import SourceUnavailable
from likeness.streams.head import Head, to_bytes
from likeness.streams.location import Location

_CHALLENGE = re.compile(r"(?:^|,\s*)(basic|digest)\s+", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES: dict[str, Callable[[str], str]] = {
    "SHA-256": lambda text: hashlib.sha256(to_bytes(text)).hexdigest(),
    "MD5": lambda text: hashlib.md5(to_bytes(text), usedforsecurity=False).hexdigest(),
}
_STRONGEST_FIRST = ("SHA-256", "SHA-256-SESS", "MD5", "MD5-SESS")


@dataclass(slots=True)
class SignIn:
    """A user and password, and what the source asked them for last; nothing until it asks."""

    location: Location
    _challenge: dict[str, str] | None = field(default=None, repr=False)
    _basic: bool = False
    _count: int = 0

    def take(self, challenges: list[str]) -> bool:
        """Take in what a source asks for; False where it cannot be answered.

        Basic gives the password away to whoever listens, so it is for sources that never asked
        for anything else.
        """
        if not self.location.user:
            return False
        if known := _digests(challenges):
            self._challenge, self._count = known[0], 0
            return True
        self._basic = self._challenge is None and _has_basic(challenges)
        return self._basic

    def refusal(self) -> SourceUnavailable:
        """Give the error of a source that still asks."""
        if not self.location.user:
            said = "The source asks for a user and password. Give them with its address."
        elif self._challenge is None and not self._basic:
            said = (
                "The source asks for a way to sign in that is not known here. Choose Digest or"
                " Basic in its settings."
            )
        else:
            said = "The source refuses the user or password. Check both."
        return SourceUnavailable(said, definite=True)

    def header(self, method: str, uri: str) -> list[tuple[str, str]]:
        """Give the header that signs a request, if the source asked for one."""
        if self._challenge is not None:
            self._count += 1
            return [("Authorization", self._digest(self._challenge, method, uri))]
        if self._basic:
            both = to_bytes(f"{self.location.user}:{self.location.password}")
            return [("Authorization", "Basic " + base64.b64encode(both).decode())]
        return []

    def _digest(self, challenge: dict[str, str], method: str, uri: str) -> str:
        user, password = self.location.user, self.location.password
        algorithm = challenge.get("algorithm", "MD5")
        hashed = _HASHES[algorithm.upper().removesuffix("-SESS")]
        realm, nonce = challenge["realm"], challenge["nonce"]
        cnonce = secrets.token_hex(8)
        secret = hashed(f"{user}:{realm}:{password}")
        if algorithm.upper().endswith("-SESS"):
            secret = hashed(f"{secret}:{nonce}:{cnonce}")
        asked = hashed(f"{method}:{uri}")
        parts = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
        if "qop" in challenge:
            count = f"{self._count:08x}"
            parts["response"] = hashed(f"{secret}:{nonce}:{count}:{cnonce}:auth:{asked}")
            parts["cnonce"] = cnonce
        else:
            parts["response"] = hashed(f"{secret}:{nonce}:{asked}")
        if "opaque" in challenge:
            parts["opaque"] = challenge["opaque"]
        said = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        if "algorithm" in challenge:
            said += f", algorithm={algorithm}"
        return f"Digest {said}" + (f", qop=auth, nc={count}" if "qop" in challenge else "")


def _digests(challenges: list[str]) -> list[dict[str, str]]:
    """Give what can be answered, the strongest first."""
    known = []
    for scheme, rest in _schemes(challenges):
        # As it stands between the quotation marks, and so it is hashed and repeated.
        parts = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        algorithm = parts.get("algorithm", "MD5").upper()
        qop = [one.strip().lower() for one in parts.get("qop", "auth").split(",")]
        if scheme == "digest" and algorithm in _STRONGEST_FIRST and "auth" in qop:
            parts.setdefault("realm", "")
            if "nonce" in parts:
                known.append(parts)
    order = _STRONGEST_FIRST.index
    return sorted(known, key=lambda parts: order(parts.get("algorithm", "MD5").upper()))


def _has_basic(challenges: list[str]) -> bool:
    return any(scheme == "basic" for scheme, _ in _schemes(challenges))


def _schemes(challenges: list[str]) -> Iterator[tuple[str, str]]:
    """Take apart headers, each of which may hold several challenges."""
    for header in challenges:
        found = list(_CHALLENGE.finditer(header))
        for at, one in enumerate(found):
            end = found[at + 1].start() if at + 1 < len(found) else len(header)
            yield one[1].lower(), header[one.end() : end]


def require_success(head: Head, sign_in: SignIn | None) -> None:
    """Say why a source refuses, if it does.

    Raises:
        SourceUnavailable: it refuses.
    """
    match head.status:
        case 200 | 206:
            return
        case 401 if sign_in is not None:
            raise sign_in.refusal()
        case 401 | 403:
            raise SourceUnavailable(
                f"The source refuses access (status {head.status}). Check what its user may see.",
                definite=True,
            )
        case 404 | 410:
            raise SourceUnavailable(
                "The source has no such stream. Check the path of its address.", definite=True
            )
        case 300 | 301 | 302 | 303 | 305 | 307 | 308:
            raise SourceUnavailable(
                "The source redirects to elsewhere, which is not followed. Give the address that"
                " it redirects to.",
                definite=True,
            )
        case 429 | 453 | 503:
            raise SourceUnavailable(
                f"The source is busy (status {head.status}). Try again later, or let fewer others"
                " watch it."
            )
        case 461:
            raise SourceUnavailable(
                "The source does not send over TCP. Switch on RTSP over TCP in its settings.",
                definite=True,
            )
        case _:
            raise SourceUnavailable(
                f"The source refuses (status {head.status}). Try its address in a player."
            )
