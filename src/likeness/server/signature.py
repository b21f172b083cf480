"""Proves who sent a request: AWS Signature Version 4, in the `Authorization` header.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. What is checked, in
this order; 1 to 8 need no body, so nothing of one is read for a request that fails them, and
strangers take no memory:

1. There is one Authorization header, of AWS4-HMAC-SHA256: no presigned, chunked or asymmetric form.
2. It has Credential, SignedHeaders and Signature, each once and well formed.
3. The credential's scope is this service, any region, and the day of the request.
4. X-Amz-Date is there once and within five minutes of our clock.
5. The signed headers are there, in order, with host, x-amz-date and, where sent, x-amz-target.
6. There is no session token: keys of ours have none.
7. The key is known and enabled; ids are random, so that nobody guesses one.
8. Where X-Amz-Content-SHA256 declares the body's hash, the signature is that of the canonical
   request with it, compared in constant time.
9. A declared hash is that of the body which came.
10. The signature is that of the canonical request, compared in constant time.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

from likeness.access import Credential
from likeness.server.errors import (
    NotSigned,
    SignatureIncomplete,
    SignatureInvalid,
    Unauthenticated,
    UnknownKey,
)

SERVICE = "rekognition"
"""What requests are signed for, at every door."""
SKEW = timedelta(minutes=5)

_ALGORITHM = "AWS4-HMAC-SHA256"
_MOMENT = "%Y%m%dT%H%M%SZ"
_PARAMETERS = ("Credential", "SignedHeaders", "Signature")
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_HASH = _SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOMENT_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)


class Keys(Protocol):
    """Knows the access keys."""

    def find(self, access_key_id: str) -> Credential | None:
        """Look up a key; None where there is none of that id."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request but for its body, as it was sent: `path` and `query` are percent-encoded still.

    Headers are in order, their names in lower case; a name may come several times.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """Read what ASGI hands over."""
        return cls(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        )

    @property
    def declared_bytes(self) -> int:
        """How long the body is said to be; 0 where nothing is said that can be read."""
        declared = self.values("content-length")
        return int(declared[0]) if declared and declared[0].isdecimal() else 0

    def values(self, name: str) -> list[str]:
        """Give all values of a header."""
        return [value for known, value in self.headers if known == name]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature; nothing of it is proven."""

    access_key_id: str
    moment: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """What the signing key is good for."""
        return f"{self.moment[:8]}/{self.region}/{self.service}/aws4_request"


def read_claim(head: Head, service: str, now: datetime) -> Claim:
    """Read what a request says of its signature: checks 1 to 6.

    Raises:
        Unauthenticated: one of them fails.
    """
    parameters = _parameters(_authorization(head))
    credential = parameters["Credential"]
    access_key_id, *scope = credential.split("/")
    _require(
        len(scope) == 4 and access_key_id.isalnum() and credential.isascii(),
        "Credential must have exactly 5 slash-delimited elements, e.g."
        " keyid/date/region/service/term.",
    )
    day, region, *end = scope
    moment = _moment(head, now)
    _require(
        end == [service, "aws4_request"],
        f"Credential should be scoped to correct service: '{service}'.",
        SignatureInvalid,
    )
    _require(
        _REGION.fullmatch(region),
        "Credential should be scoped to a valid region.",
        SignatureInvalid,
    )
    _require(
        day == moment[:8],
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from"
        f" HTTP: '{day}' != '{moment[:8]}', from '{moment}'.",
        SignatureInvalid,
    )
    signed = _signed_headers(parameters["SignedHeaders"], head)
    _require(
        not head.values("x-amz-security-token"),
        "The request has a session token, and keys of this service have none."
        " Unset AWS_SESSION_TOKEN.",
        UnknownKey,
    )
    _require(
        _SIGNATURE.fullmatch(parameters["Signature"]),
        "Signature in the Authorization header must be 64 lower-case hex digits.",
    )
    return Claim(access_key_id, moment, region, service, signed, parameters["Signature"])


def verify_head(head: Head, claim: Claim, keys: Keys) -> bool:
    """Prove a claim as far as that needs no body: checks 7 and 8; says whether that is proof.

    Raises:
        Unauthenticated: one of them fails.
    """
    credential = require_key(claim, keys)
    declared = head.values("x-amz-content-sha256")
    if not declared:
        return False
    _require(
        len(declared) == 1 and _HASH.fullmatch(declared[0]),
        "The value of X-Amz-Content-SHA256 must be the hash of the body: 64 lower-case hex digits,"
        " once. Unsigned payloads are not served.",
        SignatureInvalid,
    )
    _require_signature(head, claim, declared[0], credential.secret)
    return True


def require_key(claim: Claim, keys: Keys) -> Credential:
    """Find the key that a claim names: check 7.

    Raises:
        UnknownKey: it fails.
    """
    credential = keys.find(claim.access_key_id)
    if credential is None or not credential.enabled:
        raise UnknownKey("The security token included in the request is invalid.")
    return credential


def verify(head: Head, claim: Claim, body_sha256: str, keys: Keys) -> Credential:
    """Prove a claim: check 7, for a key may be disabled while a body comes, 9 and 10.

    Args:
        head: the request that makes the claim.
        claim: as `read_claim` gave it.
        body_sha256: what the body that came hashes to, in hex.
        keys: those that may sign.

    Raises:
        Unauthenticated: one of them fails.
    """
    credential = require_key(claim, keys)
    for declared in head.values("x-amz-content-sha256"):
        _require(
            hmac.compare_digest(declared.encode(), body_sha256.encode()),
            "The value of X-Amz-Content-SHA256 is not the hash of the body that came.",
            SignatureInvalid,
        )
    _require_signature(head, claim, body_sha256, credential.secret)
    return credential


def sign(head: Head, claim: Claim, body_sha256: str, secret: str) -> str:
    """Compute the signature that a request with this claim must have."""
    canonical = canonical_request(head, claim.signed_headers, body_sha256)
    text = "\n".join(
        (_ALGORITHM, claim.moment, claim.scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in (*claim.scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def canonical_request(head: Head, signed_headers: Sequence[str], body_sha256: str) -> str:
    """Write the text whose hash is signed."""
    lines = [
        f"{name}:{','.join(' '.join(value.split()) for value in head.values(name))}"
        for name in signed_headers
    ]
    return "\n".join(
        (
            head.method,
            _canonical_path(head.path),
            _canonical_query(head.query),
            *lines,
            "",
            ";".join(signed_headers),
            body_sha256,
        )
    )


def _require_signature(head: Head, claim: Claim, body_sha256: str, secret: str) -> None:
    _require(
        hmac.compare_digest(sign(head, claim, body_sha256, secret), claim.signature),
        "The request signature we calculated does not match the signature you provided. Check"
        " your AWS Secret Access Key and signing method. Consult the service documentation for"
        f" details. The request came with Host {head.values('host')[0]!r}: a proxy must pass it on"
        " as it was signed.",
        SignatureInvalid,
    )


def _require(
    holds: object, message: str, error: type[Unauthenticated] = SignatureIncomplete
) -> None:
    if not holds:
        raise error(message)


def _authorization(head: Head) -> str:
    given = head.values("authorization")
    _require(
        given or "x-amz-signature=" not in head.query.lower(),
        "Presigned requests are not served. Sign with the Authorization header.",
    )
    _require(given, "Missing Authentication Token", NotSigned)
    _require(len(given) == 1, "There are several Authorization headers. Send one.")
    _require(
        not given[0].startswith("AWS4-ECDSA-P256-SHA256"),
        f"Signature Version 4A is not served. Sign with {_ALGORITHM}.",
    )
    _require(
        not any(value.startswith("STREAMING-") for value in head.values("x-amz-content-sha256")),
        "Chunked signatures are not served. Sign the body as a whole.",
    )
    _require(
        given[0].startswith(f"{_ALGORITHM} "),
        f"The Authorization header must begin with '{_ALGORITHM}'.",
    )
    return given[0].removeprefix(f"{_ALGORITHM} ")


def _parameters(text: str) -> dict[str, str]:
    pairs = [part.strip().partition("=") for part in text.split(",")]
    parameters = {name: value for name, equals, value in pairs if equals}
    missing = [name for name in _PARAMETERS if not parameters.get(name)]
    _require(
        not missing,
        " ".join(f"Authorization header requires '{name}' parameter." for name in missing),
    )
    _require(
        len(pairs) == len(_PARAMETERS),
        f"The Authorization header must have {', '.join(_PARAMETERS)}, each once.",
    )
    return parameters


def _moment(head: Head, now: datetime) -> str:
    given = head.values("x-amz-date")
    _require(given, "Authorization header requires existence of a 'X-Amz-Date' header.")
    try:
        if len(given) > 1 or not _MOMENT_FORM.fullmatch(given[0]):
            raise ValueError
        moment = datetime.strptime(given[0], _MOMENT).replace(tzinfo=UTC)
    except ValueError as error:
        raise SignatureIncomplete(
            "Date must be in ISO-8601 'basic format', once in the header X-Amz-Date."
        ) from error
    earliest, latest = now - SKEW, now + SKEW
    _require(
        moment >= earliest,
        f"Signature expired: {given[0]} is now earlier than {earliest.strftime(_MOMENT)}"
        f" ({now.strftime(_MOMENT)} - 5 min.)",
        SignatureInvalid,
    )
    _require(
        moment <= latest,
        f"Signature not yet current: {given[0]} is still later than"
        f" {latest.strftime(_MOMENT)} ({now.strftime(_MOMENT)} + 5 min.)",
        SignatureInvalid,
    )
    return given[0]


def _signed_headers(text: str, head: Head) -> tuple[str, ...]:
    names = text.split(";")
    _require(
        names == sorted(set(names)) and all(map(_NAME.fullmatch, names)),
        "SignedHeaders must be lower-case names, sorted, each once, parted by ';'.",
    )
    sent = {name for name, _ in head.headers}
    needed = {"host", "x-amz-date"} | ({"x-amz-target"} & sent)
    for name in sorted(needed - set(names)):
        raise SignatureInvalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    for name in names:
        _require(
            name in sent,
            f"The signed header '{name}' is missing. Send every header that is signed.",
            SignatureInvalid,
        )
    for name in needed & sent:
        _require(
            len(head.values(name)) == 1,
            f"The header '{name}' came several times. Send it once.",
            SignatureInvalid,
        )
    return tuple(names)


def _canonical_path(path: str) -> str:
    """Resolve dots, drop empty segments, and encode what is encoded once more."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    tail = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return quote("/" + "/".join(kept) + tail, safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")
