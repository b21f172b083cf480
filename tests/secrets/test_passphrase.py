"""What is sealed with a passphrase opens with it alone, whole and in order, or not at all."""

import io

import pytest

from likeness.errors import InvalidRequest
from likeness.secrets import SEALED_MAGIC, opened_stream, passphrase, sealed_stream

WORDS = "correct horse battery"
HEADER = len(SEALED_MAGIC) + 1 + 16
CHUNK = 32 + 16


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key costs nothing, and chunks are short."""
    monkeypatch.setattr(passphrase, "_SCRYPT_COST", 2)
    monkeypatch.setattr(passphrase, "_CHUNK_BYTES", 32)


def seal(content: bytes, words: str = WORDS) -> bytes:
    pieces = [content[at : at + 7] for at in range(0, len(content), 7)]
    return b"".join(sealed_stream(pieces, words))


def opened(sealed: bytes, words: str = WORDS) -> bytes:
    assert sealed.startswith(SEALED_MAGIC)
    file = io.BytesIO(sealed)
    file.seek(len(SEALED_MAGIC))
    return b"".join(opened_stream(file, words))


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 1000])
def test_what_was_sealed_is_opened(size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    assert opened(seal(content)) == content
    assert content[:8] not in seal(content) or size < 8


def test_one_content_is_never_sealed_alike_twice() -> None:
    assert seal(b"same")[HEADER:] != seal(b"same")[HEADER:]


def test_a_letter_composed_in_two_ways_is_one_letter() -> None:
    assert opened(seal(b"content", "Zoe\u0308 has a red bicycle"), "Zo\u00eb has a red bicycle")


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(InvalidRequest, match="Try the passphrase again"):
        opened(seal(b"content"), "incorrect horse battery")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="12 are the least"):
        seal(b"content", "short")


def test_another_version_is_named() -> None:
    sealed = bytearray(seal(b"content"))
    sealed[len(SEALED_MAGIC)] = 2
    with pytest.raises(InvalidRequest, match="version 2"):
        opened(bytes(sealed))


def test_no_changed_byte_and_no_cut_passes() -> None:
    sealed = seal(bytes(100))
    for at in range(len(SEALED_MAGIC), len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(InvalidRequest):
            opened(changed)
        with pytest.raises(InvalidRequest):
            opened(sealed[:at])
    with pytest.raises(InvalidRequest):
        opened(sealed + b"x")


def test_chunks_stay_in_their_places() -> None:
    sealed = seal(bytes(100))
    header, chunks = sealed[:HEADER], [sealed[at : at + CHUNK] for at in (HEADER, HEADER + CHUNK)]
    rest = sealed[HEADER + 2 * CHUNK :]
    for others in ([*reversed(chunks)], [chunks[0]], [chunks[0], chunks[0]], [*chunks, chunks[1]]):
        with pytest.raises(InvalidRequest, match=r"damaged|does not"):
            opened(header + b"".join(others) + rest)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_stream_cut_between_chunks_is_cut(kept: int) -> None:
    sealed = seal(bytes(130))
    with pytest.raises(InvalidRequest):
        opened(sealed[: HEADER + kept * CHUNK])


@pytest.mark.slow
def test_the_key_costs_what_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passphrase._SCRYPT_COST * 8 * 128 == 128 << 20
    assert opened(seal(b"content")) == b"content"
