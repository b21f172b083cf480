"""Stream processors as rows: found by name, what they define sealed, started one at a time."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from likeness import sources
from likeness.errors import AlreadyExists, Conflict, KeyUnusable, LimitReached, NotFound
from likeness.secrets import KeyFiles, Keyring
from likeness.sources import Processor, ProcessorDefinition
from likeness.sources import processors as processors_module
from likeness.sources.tables import PROCESSORS
from tests.sources.registering import NOW, Bench

JOB, ANOTHER_JOB = "0a" * 32, "0b" * 32


def processor(name: str = "gate-search") -> Processor:
    defined = ProcessorDefinition(
        source="gate",
        collection="missing",
        video_arn="arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1234567890",
        data_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/frames",
        threshold=92.5,
        role_arn="arn:aws:iam::123456789012:role/streams",
        tags={"likeness:authority": "Order 7 of the court", "team": "north"},
    )
    return Processor(uuid4(), name, defined, NOW, "key:ada", NOW)


def add(bench: Bench, name: str = "gate-search") -> Processor:
    new = processor(name)
    return bench.database.write(lambda c: sources.add_processor(c, bench.keyring, new))


def get(bench: Bench, name: str = "gate-search") -> Processor:
    return bench.database.read(lambda c: sources.get_processor(c, bench.keyring, name))


def test_a_processor_is_found_as_it_was_defined(bench: Bench) -> None:
    assert add(bench) == get(bench)


def test_processors_are_listed_in_the_order_they_were_made(bench: Bench) -> None:
    made = [replace(processor(name), made_at=NOW.replace(hour=h)) for h, name in enumerate("cab")]
    for one in reversed(made):
        bench.database.write(lambda c, one=one: sources.add_processor(c, bench.keyring, one))
    listed = bench.database.read(lambda c: sources.list_processors(c, bench.keyring))
    assert listed == made


def test_no_row_holds_what_is_defined_in_the_clear(bench: Bench) -> None:
    add(bench)
    row = bench.database.read(lambda c: c.execute(select(PROCESSORS)).one())
    kept = b" ".join(str(one).encode() if not isinstance(one, bytes) else one for one in row)
    assert b"gate-search" in kept
    for secret in (b"missing", b"Order 7", b"arn:aws", b"north"):
        assert secret not in kept


def test_a_name_is_taken_once(bench: Bench) -> None:
    add(bench)
    with pytest.raises(AlreadyExists, match="'gate-search' already"):
        add(bench)


def test_there_are_no_more_than_so_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors_module, "MOST_PROCESSORS", 1)
    add(bench)
    with pytest.raises(LimitReached, match="Delete one"):
        add(bench, "another")


def test_of_two_starts_one_counts(bench: Bench) -> None:
    seen = add(bench)
    started = bench.database.write(lambda c: sources.note_start(c, seen, JOB, NOW))
    assert started == get(bench) == replace(seen, job_id=JOB)
    with pytest.raises(Conflict, match="meanwhile"):
        bench.database.write(lambda c: sources.note_start(c, seen, ANOTHER_JOB, NOW))
    assert get(bench).job_id == JOB
    again = bench.database.write(lambda c: sources.note_start(c, started, ANOTHER_JOB, NOW))
    assert get(bench) == again


def test_one_that_was_started_meanwhile_is_not_deleted(bench: Bench) -> None:
    seen = add(bench)
    started = bench.database.write(lambda c: sources.note_start(c, seen, JOB, NOW))
    with pytest.raises(Conflict, match="meanwhile"):
        bench.database.write(lambda c: sources.remove_processor(c, seen))
    bench.database.write(lambda c: sources.remove_processor(c, started))
    with pytest.raises(NotFound, match="'gate-search'"):
        get(bench)
    with pytest.raises(Conflict):
        bench.database.write(lambda c: sources.note_start(c, started, ANOTHER_JOB, NOW))


def test_tags_take_the_place_of_those_before(bench: Bench) -> None:
    seen = add(bench)
    bench.database.write(
        lambda c: sources.change_tags(c, bench.keyring, seen, {"likeness:place": "North gate"})
    )
    assert get(bench) == replace(
        seen, defined=replace(seen.defined, tags={"likeness:place": "North gate"})
    )
    bench.database.write(lambda c: sources.remove_processor(c, seen))
    with pytest.raises(NotFound):
        bench.database.write(lambda c: sources.change_tags(c, bench.keyring, seen, {}))


def test_a_newer_key_of_the_installation_seals_them_anew(bench: Bench) -> None:
    added = add(bench)
    bench.add("gate")
    older = bench.keyring.key_ids[0]
    bench.keyring.rotate()
    assert bench.database.write(lambda c: sources.rewrap_keys(c, bench.keyring)) == 2
    counted = bench.database.read(sources.counts_by_key)
    assert counted == {bench.keyring.key_ids[0]: 2}
    bench.keyring.retire(older)
    assert get(bench) == added


def test_another_installations_keys_open_none(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    add(bench)
    other = Keyring(KeyFiles(tmp_path_factory.mktemp("keys")))
    with pytest.raises(KeyUnusable):
        bench.database.read(lambda c: sources.get_processor(c, other, "gate-search"))
