"""Signatures hold for one message and one key, and other programs can check them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from likeness.errors import InvalidRequest, KeyUnusable
from likeness.secrets import KeyFiles, Keyring, SigningKey, VerifyingKey


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(KeyFiles(tmp_path / "keys"))


def test_signature_holds_for_its_message_and_key_alone() -> None:
    key = SigningKey.new()
    signature = key.sign(b"exported")

    assert key.verifying_key.verifies(b"exported", signature)
    assert not key.verifying_key.verifies(b"Exported", signature)
    assert not key.verifying_key.verifies(b"exported", signature[:-1])
    assert not key.verifying_key.verifies(b"exported", bytes(64))
    assert not SigningKey.new().verifying_key.verifies(b"exported", signature)


def test_signing_key_survives_sealing_and_rotation(keyring: Keyring) -> None:
    key = SigningKey.new()
    kept = key.sealed(keyring, b"export")
    keyring.rotate()

    again = SigningKey.unsealed(keyring.rewrap(kept, b"export"), keyring, b"export")

    assert again.sign(b"x") == key.sign(b"x")
    with pytest.raises(KeyUnusable):
        SigningKey.unsealed(kept, keyring, b"ledger")


def test_other_secret_is_not_taken_for_a_signing_key(keyring: Keyring) -> None:
    with pytest.raises(KeyUnusable, match="not a signing key"):
        SigningKey.unsealed(keyring.seal(b"password", b"export"), keyring, b"export")


def test_public_key_travels_as_pem() -> None:
    key = SigningKey.new().verifying_key

    assert key.pem.startswith("-----BEGIN PUBLIC KEY-----")
    assert VerifyingKey.from_pem(key.pem) == key


def test_other_text_is_not_taken_for_a_public_key() -> None:
    of_another_kind = generate_private_key(SECP256R1()).public_key()
    pem = of_another_kind.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for text, message in (("hello", "in PEM"), (pem, "Ed25519")):
        with pytest.raises(InvalidRequest, match=message):
            VerifyingKey.from_pem(text)


def test_signature_is_that_of_rfc_8032(keyring: Keyring) -> None:
    # Section 7.1, test 1.
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = SigningKey.unsealed(keyring.seal(secret, b""), keyring, b"")

    assert key.verifying_key.raw.hex().startswith(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325"
    )
    assert (
        key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065")
    )
