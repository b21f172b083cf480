"""Sources as rows: found by name, their addresses sealed, gone when they are removed."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from likeness import sources
from likeness.errors import AlreadyExists, InvalidRequest, KeyUnusable, LimitReached, NotFound
from likeness.secrets import KeyFiles, Keyring
from likeness.sources import checked_source_name
from likeness.sources.tables import SOURCES
from tests.sources.registering import ADDRESS, Bench


def test_a_source_is_found_as_it_was_registered(bench: Bench) -> None:
    added = bench.add()

    found = bench.database.read(lambda c: sources.get_source(c, bench.keyring, "gate"))
    address = bench.database.read(lambda c: sources.address_of(c, bench.keyring, added.id))

    assert found == added
    assert address == ADDRESS


def test_sources_are_listed_by_name(bench: Bench) -> None:
    added = [bench.add("yard", place=None), bench.add("door"), bench.add("gate")]

    listed = bench.database.read(lambda c: sources.list_sources(c, bench.keyring))

    assert listed == sorted(added, key=lambda one: one.name)


def test_no_row_holds_an_address_or_a_place_in_the_clear(bench: Bench) -> None:
    bench.add(place="Harbour Street")

    row = bench.database.read(lambda c: c.execute(select(SOURCES)).one())

    kept = b" ".join(str(one).encode() if not isinstance(one, bytes) else one for one in row)
    assert b"gate" in kept
    for secret in (b"tide-and-time", b"ada:", b"camera.example", b"Harbour"):
        assert secret not in kept


def test_a_name_is_taken_once_and_free_again_after_removal(bench: Bench) -> None:
    first = bench.add()

    with pytest.raises(AlreadyExists, match=r"'gate' already.*likeness sources remove gate"):
        bench.add()
    removed = bench.database.write(lambda c: sources.remove_source(c, "gate"))
    second = bench.add()

    assert removed == first.id != second.id
    assert not bench.database.read(lambda c: sources.is_registered(c, first.id))
    assert bench.database.read(lambda c: sources.is_registered(c, second.id))


def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    for act in (
        lambda c: sources.get_source(c, bench.keyring, "gate"),
        lambda c: sources.address_of(c, bench.keyring, uuid4()),
        lambda c: sources.remove_source(c, "gate"),
    ):
        with pytest.raises(NotFound, match="`likeness sources list` shows what there is"):
            bench.database.write(act)


def test_a_removed_source_cannot_be_opened(bench: Bench) -> None:
    added = bench.add()
    bench.database.write(lambda c: sources.remove_source(c, "gate"))

    with pytest.raises(NotFound, match="was removed"):
        bench.database.read(lambda c: sources.address_of(c, bench.keyring, added.id))


def test_no_more_are_registered_than_may_be(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.sources.rows.MOST_SOURCES", 2)
    bench.add("one")
    bench.add("two")

    with pytest.raises(LimitReached, match="2 sources are registered"):
        bench.add("three")


def test_a_new_key_of_the_installation_opens_what_an_older_one_sealed(bench: Bench) -> None:
    added = [bench.add("one"), bench.add("two")]
    (old,) = bench.keyring.key_ids
    assert bench.database.read(sources.counts_by_key) == {old: 2}

    bench.keyring.rotate()
    rewrapped = bench.database.write(lambda c: sources.rewrap_keys(c, bench.keyring))
    again = bench.database.write(lambda c: sources.rewrap_keys(c, bench.keyring))
    bench.keyring.retire(old)

    assert (rewrapped, again) == (2, 0)
    assert bench.database.read(sources.counts_by_key) == {bench.keyring.key_ids[0]: 2}
    for one in added:
        opened = bench.database.read(
            lambda c, one=one: sources.address_of(c, bench.keyring, one.id)  # type: ignore[misc]
        )
        assert opened == ADDRESS


def test_a_source_whose_key_is_gone_can_be_removed(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bench.add()
    others = Keyring(KeyFiles(tmp_path_factory.mktemp("other") / "keys"))

    with pytest.raises(KeyUnusable):
        bench.database.read(lambda c: sources.get_source(c, others, "gate"))
    bench.database.write(lambda c: sources.remove_source(c, "gate"))

    assert bench.database.read(lambda c: sources.list_sources(c, others)) == []


@pytest.mark.parametrize("name", ["a", "north-gate_2.main", "A" * 128])
def test_names_of_letters_digits_and_three_marks_are_taken(name: str) -> None:
    assert checked_source_name(name) == name


@pytest.mark.parametrize("name", ["", "A" * 129, "north gate", "gate/1", "Tür", "gate\n", "\u0661"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 128 letters, digits"):
        checked_source_name(name)
