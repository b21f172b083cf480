"""Report cards: what a report found, signed, so that anybody can check it with a public key.

A card is an in-toto Statement v1 with the predicate test-result v0.1 in a DSSE envelope, signed by
Ed25519. Its subjects are the digests of each system and of the report; its configuration begins
with one document of ours, which says system, version, date, thresholds, figures, and data with
their provenance, version and digest. ADR 15 says why.

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
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.json_format import ParseDict
from google.protobuf.json_format import ParseError as NotOfItsForm
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI, Statement
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from securesystemslib.dsse import Envelope
from securesystemslib.signer import (  # type: ignore[attr-defined]  # it says so by a star
    Signature,
    SSlibKey,
)

from likeness.errors import InvalidRequest
from likeness.secrets import VerifyingKey
from likeness.service.evaluate.cards.figures import facts_of, figures_of, warnings_of
from likeness.service.evaluate.findings import Estimate, Report, SystemFacts

SCHEMA = "likeness-card/1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
LARGEST_CARD = 5_000_000

_DOCUMENT = "likeness report card"
_REPORT = "report"
_SIGNATURE_BYTES = 64
_HUNDRED = Decimal(100)


class CardKind(StrEnum):
    """Where the figures of a card come from."""

    REPORT = "report"
    """A report of Likeness."""
    NIST = "nist-frte"
    """What somebody copied from a publication of NIST's."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a card, under a name that says what it is of and at which threshold."""

    name: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class SystemOnCard:
    """A system that was tested, and what came of it.

    `digest` is the system's SHA-256 (see `system_digest`). `facts`, by name, say what was tested,
    on which data and how; `figures` what was found, in the report's order.
    """

    name: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    data_digest: str
    provenance: str
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NistFigures:
    """What NIST published of an algorithm, as somebody copied it, and what they say that is here.

    `groups` are the error rates of `measure` by group, as decimals; `document` is the SHA-256 of
    the publication that they were copied from. `same_because` says why `model`, by its full name,
    is the algorithm that NIST tested.
    """

    algorithm: str
    model: str
    same_because: str
    test: str
    measure: str
    at: str
    dataset: str
    title: str
    url: str
    published: date
    document: str
    copied_by: str
    groups: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        """Refuse what is no set of rates.

        Raises:
            ValueError: there are fewer than two groups, or a rate is not between 0 and 1.
        """
        if len(self.groups) < 2:
            raise ValueError("fewer than two groups are given, and NIST lists more")
        for group, rate in self.groups.items():
            if not (rate.is_finite() and 0 <= rate <= 1):
                raise ValueError(f"the rate of {group[:80]!r} is no share between 0 and 1")

    @property
    def least_true_positives(self) -> Decimal:
        """Percent of true positives in the group with the fewest."""
        return _HUNDRED - _HUNDRED * max(self.groups.values())

    @property
    def worst_group(self) -> str:
        """The group with the fewest true positives."""
        return max(self.groups, key=lambda name: self.groups[name])


# Of what it holds, too: 1e999 is a number of JSON.
@with_config(ConfigDict(allow_inf_nan=False))
@dataclass(frozen=True, slots=True)
class Card:
    """What a card says; `report` is the SHA-256 of the report's JSON or of NIST's publication."""

    kind: CardKind
    title: str
    made_at: datetime
    made_by: str
    report: str
    systems: tuple[SystemOnCard, ...]
    nist: NistFigures | None = None
    schema: str = SCHEMA


_CARD = TypeAdapter(Card)


def system_digest(system: SystemFacts) -> str:
    """Give what tells a system from others: of Likeness its model, whose name pins its weights.

    Of any other it is the digest of all that the report says of it.
    """
    if system.kind == "likeness":
        return model_digest(system.model)
    return sha256(_canonical(asdict(system))).hexdigest()


def model_digest(model: str) -> str:
    """Give the digest of a model's name, which says detector, recogniser and chips to the byte."""
    return sha256(f"likeness model {model}".encode()).hexdigest()


def card_of_report(report: Report, report_json: bytes) -> Card:
    """Make the card of a report; `report_json` is the file that it was read from."""
    systems = []
    for number, findings in enumerate(report.findings):
        data = findings.data
        systems.append(
            SystemOnCard(
                findings.system.name,
                system_digest(findings.system),
                tuple(facts_of(report, number).items()),
                data.digest,
                data.provenance,
                tuple(Figure(name, one) for name, one in figures_of(findings).items()),
                warnings_of(findings),
                findings.limits,
            )
        )
    return Card(
        CardKind.REPORT,
        report.title,
        report.made_at,
        report.made_by,
        sha256(report_json).hexdigest(),
        tuple(systems),
    )


def card_of_nist(figures: NistFigures, *, now: datetime, by: str) -> Card:
    """Make the card of figures that were copied from NIST; `by` is who has it signed."""
    system = SystemOnCard(
        figures.algorithm,
        model_digest(figures.model),
        (
            ("model", figures.model),
            ("is the algorithm because", figures.same_because),
            ("data", figures.dataset),
            ("copied by", figures.copied_by),
        ),
        figures.document,
        figures.url,
        # The worst group first.
        tuple(
            Figure(f"{group}: {figures.measure} at {figures.at}", Estimate(float(rate)))
            for group, rate in sorted(figures.groups.items(), key=lambda item: -item[1])
        ),
        (),
        ("NIST signs no figures: somebody copied them, and says that the model is the algorithm.",),
    )
    return Card(CardKind.NIST, figures.title, now, by, figures.document, (system,), figures)


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
    payload = _canonical(statement)
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


def same_report(card: Card, content: bytes) -> bool:
    """Say whether a card is of a report, or of a publication, with these bytes."""
    return card.report == sha256(content).hexdigest()


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


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


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
