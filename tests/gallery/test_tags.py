"""Tags of a collection: sealed, few, and gone with it."""

import pytest
from sqlalchemy import select

from likeness.errors import InvalidRequest
from likeness.gallery import Gallery
from likeness.gallery.tables import TAGS
from tests.gallery import erase
from tests.gallery.galleries import Home, at, make


def put(home: Home, gallery: Gallery, some: dict[str, str], name: str = "staff") -> dict[str, str]:
    """Give a collection tags, and read all that it then has."""
    seal = gallery.open(name)[1].seal
    home.database.write(lambda c: at(c, seal).tags.put(some))
    return home.database.read(lambda c: at(c, seal).tags.all())


def test_tags_come_back_as_they_went_and_a_key_has_one_value(home: Home, gallery: Gallery) -> None:
    assert put(home, gallery, {}) == {}
    assert put(home, gallery, {"likeness:sector": "ngo", "b": ""}) == {
        "b": "",
        "likeness:sector": "ngo",
    }
    assert put(home, gallery, {"b": "Zoë 🙂", "a": "x" * 256}) == {
        "a": "x" * 256,
        "b": "Zoë 🙂",
        "likeness:sector": "ngo",
    }
    make(gallery, "visitors")
    assert put(home, gallery, {}, "visitors") == {}


def test_removed_tags_are_gone_and_others_stay(home: Home, gallery: Gallery) -> None:
    put(home, gallery, {"a": "1", "b": "2"})
    seal = gallery.open("staff")[1].seal

    home.database.write(lambda c: at(c, seal).tags.remove(["a", "never there"]))

    assert put(home, gallery, {}) == {"b": "2"}


def test_tags_beyond_fifty_are_refused_and_none_of_the_call_stays(
    home: Home, gallery: Gallery
) -> None:
    held = {f"key {n}": "value" for n in range(49)}
    put(home, gallery, held)

    with pytest.raises(InvalidRequest, match="would have 51 of at most 50"):
        put(home, gallery, {"key 50": "", "key 51": ""})

    assert put(home, gallery, {"key 3": "new"}) == held | {"key 3": "new"}
    assert len(put(home, gallery, {"key 50": ""})) == 50


@pytest.mark.parametrize(
    "tag", [("", "v"), ("k" * 129, "v"), ("k", "v" * 257), ("a\nb", "v"), ("k", "\ud800")]
)
def test_tag_that_cannot_be_kept_is_refused(
    home: Home, gallery: Gallery, tag: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        put(home, gallery, dict([tag]))
    assert "\n" not in str(caught.value)


def test_tags_are_sealed_and_go_with_their_collection(home: Home, gallery: Gallery) -> None:
    put(home, gallery, {"Cipher": "Fisherman"})
    (row,) = home.database.read(lambda c: c.execute(select(TAGS)).all())
    assert b"Cipher" not in row.sealed_tag + row.key_digest
    assert b"Fisherman" not in row.sealed_tag

    certificate = erase.collection(gallery, "staff")

    assert home.database.read(lambda c: c.execute(select(TAGS)).all()) == []
    assert gallery.erasing.verify(certificate).holds
