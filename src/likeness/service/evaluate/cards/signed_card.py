"""Report cards as files: signed, so that anybody can check them with a public key.

A card is an in-toto Statement v1 with the predicate test-result v0.1 in a DSSE envelope, signed by
Ed25519. Its subjects are the digests of each system and of the report; its configuration begins
with one document of ours, the `Card`. ADR 15 says why.

What is read was written by anybody, until a key vouches for it:

1. The envelope is JSON of a bounded size, without a key twice, with one signature.
2. Payload and signature are base64 in the one way there is.
3. The key signed the payload together with its type (DSSE's pre-authentication encoding).
4. Only then the payload is read: it has to be such a Statement, its subjects those of its document.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.json_format import ParseDict
from google.protobuf.json_format import ParseError as NotOfItsForm
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI, Statement
from pydantic import TypeAdapter, ValidationError
from securesystemslib.dsse import Envelope
from securesystemslib.signer import (  # type: ignore[attr-defined]  # it says so by a star
    Signature,
    SSlibKey,
)

from likeness.errors import InvalidRequest
from likeness.secrets import VerifyingKey
from likeness.service.evaluate.cards.card import SCHEMA, Card, CardKind, canonical, model_digest

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
LARGEST_CARD = 5_000_000
_DOCUMENT = "likeness report card"
_REPORT = "report"
_SIGNATURE_BYTES = 64
_CARD = TypeAdapter(Card)


def payload_of(card: Card) -> bytes:
    """Write the Statement that is signed.

    Raises:
        InvalidRequest: data are not pinned by a digest, or it would be longer than cards may be.
    """
    for one in card.systems:
        if not _is_digest(one.data_digest):
            raise InvalidRequest(
                f"The report does not pin the data of {one.name[:80]!r} by a SHA-256, so a card"
                " would not say what was tested. Make the report again with `likeness evaluate` or"
                " `audit`."
            )
    warned = [f"{one.name}: {warning}" for one in card.systems for warning in one.warnings]
    statement = {
        "_type": STATEMENT_TYPE_URI,
        "subject": _subjects(card),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "WARNED" if warned else "PASSED",
            "configuration": [
                {"name": _DOCUMENT, "annotations": _CARD.dump_python(card, mode="json")},
                *(
                    {"name": f"data of {one.name}", "digest": {"sha256": one.data_digest}}
                    for one in card.systems
                ),
            ],
            "passedTests": [one.name for one in card.systems if not one.warnings],
            "warnedTests": warned,
        },
    }
    _require_form(statement)
    payload = canonical(statement)
    if len(payload) > LARGEST_CARD // 2:
        raise InvalidRequest(
            f"The card would have {len(payload):,} bytes, more than cards may. Make a report of"
            " fewer groups."
        )
    return payload


def encoded_for_signing(payload: bytes) -> bytes:
    """Give the bytes that are signed: DSSE's pre-authentication encoding of a Statement."""
    encoded: bytes = Envelope(payload, PAYLOAD_TYPE, {}).pae()
    return encoded


def envelope_of(payload: bytes, key: VerifyingKey, signature: bytes) -> bytes:
    """Write a card: the Statement with its signature, whose key is named as other tools name it."""
    key_id = key_id_of(key)
    signed = Envelope(payload, PAYLOAD_TYPE, {key_id: Signature(key_id, signature.hex())})
    return json.dumps(signed.to_dict(), indent=1).encode() + b"\n"


def key_id_of(key: VerifyingKey) -> str:
    """Name a key as `securesystemslib` does."""
    named: str = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw)).keyid
    return named


@dataclass(frozen=True, slots=True)
class SignedCard:
    """A card as it was read, whose signature is still to be checked; what it claims is not read."""

    payload: bytes
    signature: bytes
    text: str
    where: str = field(compare=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of what is signed: the card's name in the ledger."""
        return sha256(self.payload).hexdigest()

    def is_signed_by(self, key: VerifyingKey) -> bool:
        """Say whether the key signed it."""
        return key.verifies(encoded_for_signing(self.payload), self.signature)

    def card(self, key: VerifyingKey) -> Card:
        """Read what it says, once the key has vouched for it.

        Raises:
            InvalidRequest: the key did not sign it, or it signed something else than a card.
        """
        if not self.is_signed_by(key):
            raise InvalidRequest(
                f"The key did not sign this card: {self.where}. It was changed, forged, or signed"
                " by another key. Give the signer's by --key."
            )
        return self.unchecked()

    def unchecked(self) -> Card:
        """Read what it claims, whoever signed it.

        Raises:
            InvalidRequest: it is no report card.
        """
        return _read_payload(self.payload, self.where)


def read_signed_card(text: bytes, where: str) -> SignedCard:
    """Read a card's envelope; `where` names the file.

    Raises:
        InvalidRequest: it is none, a damaged one, or too large.
    """
    try:
        if len(text) > LARGEST_CARD:
            raise ValueError("too large")
        envelope = _read_json(text)
        (signature,) = envelope["signatures"]
        if (
            set(envelope) != {"payload", "payloadType", "signatures"}
            or envelope["payloadType"] != PAYLOAD_TYPE
            or not {"sig"} <= set(signature) <= {"sig", "keyid"}
        ):
            raise ValueError("another form")
        signed, payload = _decoded(signature["sig"]), _decoded(envelope["payload"])
        if len(signed) != _SIGNATURE_BYTES:
            raise ValueError("no Ed25519 signature")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest(
            f"Not a report card, or a damaged one: {where}. Give the file as `likeness report sign`"
            " wrote it."
        ) from error
    return SignedCard(payload, signed, text.decode(), where)


def is_card(text: bytes) -> bool:
    """Say whether a file looks like a card and not like a report's JSON."""
    if len(text) > LARGEST_CARD or b'"payloadType"' not in text:
        return False
    try:
        return "payloadType" in json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return True  # a damaged one, as `read_signed_card` says


def sign_with(card: Card, sign: Callable[[bytes], tuple[VerifyingKey, bytes]]) -> SignedCard:
    """Sign a card; `sign` gives the key that it signed with, and the signature.

    Raises:
        InvalidRequest: data are not pinned, or the card is too large.
    """
    payload = payload_of(card)
    key, signature = sign(encoded_for_signing(payload))
    return SignedCard(
        payload, signature, envelope_of(payload, key, signature).decode(), "the new card"
    )


def _read_payload(payload: bytes, where: str) -> Card:
    try:
        statement = _read_json(payload)
        _require_form(statement)
        if statement["predicateType"] != PREDICATE_TYPE:
            raise ValueError("another predicate")
        document = statement["predicate"]["configuration"][0]["annotations"]
        card = _CARD.validate_python(document)
        if card.schema != SCHEMA:
            raise ValueError("another schema")
        if _subjects(card) != statement["subject"]:
            raise ValueError("other subjects")
        if (card.kind is CardKind.NIST) != (card.nist is not None):
            raise ValueError("figures of another kind")
        if card.nist and [one.digest for one in card.systems] != [model_digest(card.nist.model)]:
            raise ValueError("figures of another model")
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        ValidationError,
        NotOfItsForm,
    ) as error:
        raise InvalidRequest(
            f"What was signed is no report card of the form {SCHEMA}: {where}. Give a card of this"
            " version of Likeness."
        ) from error
    return card


def _require_form(statement: Mapping[str, Any]) -> None:
    """See that a document is a Statement with a test result.

    Raises:
        ValueError, ParseError: it is not.
    """
    parsed = ParseDict(statement, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    ParseDict(statement["predicate"], test_result_pb2.TestResult())


def _subjects(card: Card) -> list[dict[str, Any]]:
    systems = [{"name": one.name, "digest": {"sha256": one.digest}} for one in card.systems]
    return [*systems, {"name": _REPORT, "digest": {"sha256": card.report}}]


def _read_json(text: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"no number: {constant}")

    return json.loads(text.decode(), object_pairs_hook=once, parse_constant=refuse)


def _decoded(encoded: str) -> bytes:
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if base64.b64encode(content).decode() != encoded:
        raise ValueError("not its one form")
    return content


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)
