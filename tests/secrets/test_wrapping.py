"""Sealed things open with their key, in their place, unchanged; in no other way."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import KeyUnusable
from likeness.secrets import OVERHEAD_BYTES, Digester, Key, key_id_of

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
SEALED_BY_THE_FIRST_VERSION = (
    "01330882e73ab1689fe8579898b0bbf07bcffaf53ccc190ea7e571c910cdab565deae951417c445465877a3ac0f5e1"
)


@given(plaintext=st.binary(max_size=600), context=st.binary(max_size=64))
def test_sealed_opens_to_what_it_was(plaintext: bytes, context: bytes) -> None:
    sealed = KEY.seal(plaintext, context)

    assert KEY.unseal(sealed, context) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert key_id_of(sealed) == KEY.id


@given(plaintext=st.binary(max_size=40), flip=st.integers(1, 255))
def test_no_byte_can_be_changed(plaintext: bytes, flip: int) -> None:
    sealed = KEY.seal(plaintext, b"here")
    for place in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[place] ^= flip
        with pytest.raises(KeyUnusable):
            KEY.unseal(bytes(tampered), b"here")


@given(plaintext=st.binary(max_size=40), data=st.data())
def test_nothing_can_be_cut_off_or_put_on(plaintext: bytes, data: st.DataObject) -> None:
    sealed = KEY.seal(plaintext, b"here")
    length = data.draw(st.integers(0, len(sealed) - 1))
    more = data.draw(st.binary(min_size=1, max_size=20))
    for changed in (sealed[:length], sealed + more):
        with pytest.raises(KeyUnusable):
            KEY.unseal(changed, b"here")


@given(here=st.binary(max_size=40), there=st.binary(max_size=40))
def test_sealed_opens_nowhere_else(here: bytes, there: bytes) -> None:
    sealed = KEY.seal(b"template", here)
    if here == there:
        assert KEY.unseal(sealed, there) == b"template"
        return
    with pytest.raises(KeyUnusable, match="damaged, or belongs elsewhere"):
        KEY.unseal(sealed, there)


def test_wrong_key_is_told_from_damage_by_both_names() -> None:
    with pytest.raises(KeyUnusable, match=rf"by key {KEY.id}, not by {OTHER.id}"):
        OTHER.unseal(KEY.seal(b"template", b""), b"")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 36, b"\x02" * 64, b"\x00" * 64])
def test_what_was_never_sealed_is_said_not_to_be(sealed: bytes) -> None:
    for open_it in (lambda: KEY.unseal(sealed, b""), lambda: key_id_of(sealed)):
        with pytest.raises(KeyUnusable, match="Nothing sealed of version"):
            open_it()


def test_one_thing_is_sealed_differently_each_time() -> None:
    assert len({KEY.seal(b"template", b"") for _ in range(100)}) == 100


def test_key_neither_shows_its_bytes_nor_travels() -> None:
    assert repr(KEY) == f"Key({KEY.id})"
    assert not KEY.id.startswith("00010203")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(KEY)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyUnusable, match=f"has {length} bytes"):
        Key(bytes(length))


def test_format_stays_what_it_is() -> None:
    # Sealed by the first version: rows and snapshots of installations look like this.
    sealed = bytes.fromhex(SEALED_BY_THE_FIRST_VERSION)

    assert KEY.unseal(sealed, b"collection 1, reference 2") == b"a template"


# Digests


@given(one=st.binary(max_size=60), two=st.binary(max_size=60))
def test_equal_contents_and_no_others_have_equal_digests(one: bytes, two: bytes) -> None:
    digester = Digester(KEY, "pictures")

    assert (digester.digest(one) == digester.digest(two)) == (one == two)


def test_digests_differ_by_key_and_purpose() -> None:
    digesters = [Digester(KEY, "pictures"), Digester(KEY, "names"), Digester(OTHER, "pictures")]

    assert len({digester.digest(b"same") for digester in digesters}) == 3
    assert Digester(KEY, "pictures").digest(b"same") == digesters[0].digest(b"same")
