"""Report cards: standard tools check them, and nobody else's signature, text or subject passes."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from likeness.errors import InvalidRequest
from likeness.evaluation import Estimate
from likeness.secrets import SigningKey, VerifyingKey
from likeness.service.evaluate.cards.card import (
    NistFigures,
    card_of_nist,
    card_of_report,
    model_digest,
    same_report,
)
from likeness.service.evaluate.cards.signed_card import (
    LARGEST_CARD,
    SignedCard,
    encoded_for_signing,
    envelope_of,
    read_signed_card,
    sign_with,
)
from likeness.service.evaluate.findings import Rate, to_json

from .report_of_a_test import DIGEST, findings, report

KEY, OTHER = SigningKey.new(), SigningKey.new()
MODEL = "model@1+finder@2+upright+one"
FIGURES = NistFigures(
    "vendor-007",
    MODEL,
    "delivered under this name",
    "FRTE 1:1",
    "FNMR",
    "FMR 1e-5",
    "Visa and border photographs",
    "Report card of vendor-007",
    "https://pages.nist.gov/frvt/reportcards/11/vendor_007.html",
    date(2026, 3, 1),
    DIGEST,
    "Jane Doe",
    {"women, West Africa": Decimal("0.013"), "men, West Africa": Decimal("0.0098")},
)


def with_key(key: SigningKey) -> Any:
    return lambda message: (key.verifying_key, key.sign(message))


def signed(key: SigningKey = KEY) -> SignedCard:
    content = to_json(report())
    return sign_with(card_of_report(report(), content), with_key(key))


def nist(figures: NistFigures = FIGURES) -> SignedCard:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    return sign_with(card_of_nist(figures, now=now, by="local:ada"), with_key(KEY))


def signing(payload: bytes, key: SigningKey = KEY) -> SignedCard:
    """A card around any payload, well signed."""
    text = envelope_of(payload, key.verifying_key, key.sign(encoded_for_signing(payload)))
    return read_signed_card(text, "a forgery")


SIGNED = signed()
FILE = SIGNED.text.encode()


def sslib(key: VerifyingKey) -> SSlibKey:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw))


def test_a_card_says_what_was_tested_on_what_and_what_came_of_it() -> None:
    card = signed().card(KEY.verifying_key)
    (system,) = card.systems
    facts = dict(system.facts)
    assert (facts["version"], facts["data"]) == ("0.2.0", "LFW View 1")
    assert (system.data_digest, system.provenance) == (DIGEST, "University")
    figures = {one.name: one.estimate for one in system.figures}
    assert figures["1:1 FNMR at FMR 0.0001"].value == 0.03
    assert figures["sex female: FNMR at FMR 0.0001"].value == 0.06
    assert figures["1:1 threshold at FMR 0.0001"] == Estimate(0.42, 0.40, 0.44)
    assert system.limits == ("The data carry no FMR of 1e-6.",)
    assert same_report(card, to_json(report()))
    assert not same_report(card, to_json(replace(report(), title="Another")))


def test_a_card_survives_its_file() -> None:
    made = signed()
    read = read_signed_card(made.text.encode(), "the file")
    assert read.card(KEY.verifying_key) == made.card(KEY.verifying_key)
    assert read.digest == made.digest


def test_securesystemslib_checks_a_card() -> None:
    envelope = Envelope.from_dict(json.loads(signed().text))
    assert envelope.verify([sslib(KEY.verifying_key)], 1)
    with pytest.raises(VerificationError):
        envelope.verify([sslib(OTHER.verifying_key)], 1)


def test_in_toto_reads_a_card() -> None:
    statement = Statement.copy_from_pb(Parse(signed().payload, statement_pb2.Statement()))
    statement.validate()
    assert statement.pb.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    digests = [one.digest["sha256"] for one in statement.pb.subject]
    assert digests == [model_digest(MODEL), sha256(to_json(report())).hexdigest()]


def test_the_encoding_that_is_signed_is_that_of_the_dsse_specification() -> None:
    payload_type = b"application/vnd.in-toto+json"
    assert encoded_for_signing(b"hello") == b"DSSEv1 28 %b 5 hello" % payload_type


def test_a_card_warns_where_the_headline_has_no_value() -> None:
    found = findings()
    assert found.verification is not None
    headline = replace(
        found.verification.headline, fnmr=Rate(0, 0, None, note="too few comparisons")
    )
    found = replace(found, verification=replace(found.verification, headline=headline))
    card = sign_with(card_of_report(report(found), b"{}"), with_key(KEY))
    predicate = json.loads(card.payload)["predicate"]
    assert predicate["result"] == "WARNED"
    assert predicate["warnedTests"] == ["Likeness: 1:1 headline: too few comparisons"]
    assert json.loads(signed().payload)["predicate"]["result"] == "PASSED"


def test_two_systems_are_both_subjects() -> None:
    other = replace(findings(), system=replace(findings().system, kind="scores", name="theirs"))
    card = sign_with(card_of_report(report(findings(), other), b"{}"), with_key(KEY))
    names = [one["name"] for one in json.loads(card.payload)["subject"]]
    assert names == ["Likeness", "theirs", "report"]


def test_data_without_a_digest_are_not_signed() -> None:
    found = replace(findings(), data=replace(findings().data, digest=""))
    with pytest.raises(InvalidRequest, match="does not pin the data"):
        sign_with(card_of_report(report(found), b"{}"), with_key(KEY))


def test_the_group_with_the_fewest_true_positives_counts() -> None:
    card = nist().card(KEY.verifying_key)
    assert card.nist is not None
    assert card.nist.least_true_positives == Decimal("98.7")
    assert card.nist.worst_group == "women, West Africa"
    assert card.systems[0].digest == model_digest(MODEL)


# Attackers.


def test_a_card_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="did not sign"):
        signed(OTHER).card(KEY.verifying_key)


def test_a_card_that_was_signed_again_is_another_keys() -> None:
    forged = signing(nist().payload.replace(b"0.013", b"0.001"), OTHER)
    with pytest.raises(InvalidRequest, match="did not sign"):
        forged.card(KEY.verifying_key)


def test_no_byte_of_what_is_signed_can_be_changed() -> None:
    made = signed()
    for place in range(0, len(made.payload), max(1, len(made.payload) // 200)):
        changed = bytearray(made.payload)
        changed[place] ^= 1
        assert not replace(made, payload=bytes(changed)).is_signed_by(KEY.verifying_key)


def test_a_card_that_is_cut_off_is_no_card() -> None:
    text = signed().text.encode()
    for end in range(0, len(text) - 2, max(1, len(text) // 100)):
        with pytest.raises(InvalidRequest, match="Not a report card"):
            read_signed_card(text[:end], "cut")


def test_a_huge_file_is_no_card() -> None:
    with pytest.raises(InvalidRequest, match="Not a report card"):
        read_signed_card(signed().text.encode() + b" " * LARGEST_CARD, "huge")


def changed_envelope(**changed: Any) -> bytes:
    return json.dumps({**json.loads(signed().text), **changed}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"signatures": NaN}',
        changed_envelope(payloadType="text/plain"),
        changed_envelope(signatures=[]),
        changed_envelope(signatures=json.loads(signed().text)["signatures"] * 2),
        changed_envelope(signatures=[{"sig": "AAAA"}]),
        changed_envelope(signatures=["x"]),
        changed_envelope(signatures=[{"sig": 5}]),
        changed_envelope(payload="not base64!"),
        changed_envelope(payload="QQ"),
        changed_envelope(payload=None),
        changed_envelope(more=1),
        signed().text.encode().replace(b"{", b'{"payload": "AAAA",', 1),
    ],
    ids=range(18),
)
def test_what_is_no_envelope_is_no_card(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Not a report card"):
        read_signed_card(text, "a file")


def changed_statement(made: SignedCard, *path: Any, value: Any) -> bytes:
    statement = json.loads(made.payload)
    inner = statement
    for each in path[:-1]:
        inner = inner[each]
    inner[path[-1]] = value
    return json.dumps(statement).encode()


DOCUMENT = ("predicate", "configuration", 0, "annotations")
_FIGURE = (*DOCUMENT, "systems", 0, "figures", 0, "estimate", "value")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        changed_statement(nist(), "_type", value="https://in-toto.io/Statement/v0.1"),
        changed_statement(nist(), "predicateType", value="https://slsa.dev/provenance/v1"),
        changed_statement(nist(), "predicate", "result", value=7),
        changed_statement(nist(), "subject", value=[]),
        changed_statement(nist(), "subject", 0, "digest", "sha256", value=model_digest("other")),
        changed_statement(nist(), *DOCUMENT, "nist", "model", value=5),
        changed_statement(nist(), *DOCUMENT, "nist", value=None),
        changed_statement(nist(), *DOCUMENT, "nist", "groups", value={}),
        changed_statement(nist(), *DOCUMENT, "nist", "groups", value={"a": "NaN", "b": "0.1"}),
        changed_statement(nist(), *DOCUMENT, "nist", "groups", value={"a": "-1", "b": "0.1"}),
        changed_statement(nist(), *DOCUMENT, "schema", value="likeness-card/2"),
        changed_statement(nist(), *DOCUMENT, "kind", value="report"),
        changed_statement(nist(), *_FIGURE, value=12.5).replace(b"12.5", b"1e999"),
    ],
    ids=range(16),
)
def test_what_is_signed_and_is_no_card_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no report card"):
        signing(payload).card(KEY.verifying_key)


def test_a_model_other_than_the_subject_is_refused() -> None:
    payload = changed_statement(nist(), *DOCUMENT, "systems", 0, "digest", value="00" * 32)
    with pytest.raises(InvalidRequest, match="no report card"):
        signing(payload).card(KEY.verifying_key)


def test_the_key_id_of_a_card_vouches_for_nothing() -> None:
    envelope = json.loads(signed(OTHER).text)
    envelope["signatures"][0]["keyid"] = json.loads(signed().text)["signatures"][0]["keyid"]
    forged = read_signed_card(json.dumps(envelope).encode(), "a forgery")
    assert not forged.is_signed_by(KEY.verifying_key)
    assert base64.b64decode(envelope["payload"]) == forged.payload


@given(st.data())
def test_whatever_becomes_of_a_file_no_other_card_passes(data: st.DataObject) -> None:
    text = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_signed_card(bytes(text), "a file")
    except InvalidRequest:
        return
    if read.is_signed_by(KEY.verifying_key):
        assert read.payload == SIGNED.payload
