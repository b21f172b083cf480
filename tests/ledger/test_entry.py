"""Entries' bytes: golden, the same both ways, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger import Entry, Kind, Rules, read_entry
from likeness.ledger.entry import Owed
from likeness.terms import Action, CollectionFacts, Duty, LiveStatement, Principal, Role, Use

AT = datetime(2026, 11, 23, 3, 0, 0, 42, tzinfo=UTC)
USE = Use(
    Principal("key:1", Role.CLIENT, "harbour-police", "law-enforcement", "US-WA"),
    Action.SEARCH,
    "SearchFacesByImage",
    UUID(int=7),
    CollectionFacts(purpose="missing-person"),
    "missing-person",
    case="Y2FzZQ",
    live=True,
    id=UUID(int=9),
)
ENTRY = Entry(
    AT,
    Kind.DONE,
    USE,
    Rules("ab12", ("p.one",), (), (Owed(Duty.SIMILARITY, 99.0, "p.two"),)),
    {"faces": 1, "candidates": 0},
    {"review": UUID(int=3)},
    ("c3ViamVjdA",),
    (),
    {"verdict": "not-same"},
    clock=AT - timedelta(hours=1),
)
GOLDEN = (
    b'{"action":"search","at":"2026-11-23T03:00:00.000042Z","case":"Y2FzZQ",'
    b'"clock":"2026-11-23T02:00:00.000042Z","collection":{"footage":"undeclared",'
    b'"id":"00000000-0000-0000-0000-000000000007","jurisdiction":"undeclared",'
    b'"notice":"undeclared","purpose":"missing-person","sector":"undeclared"},'
    b'"counts":{"candidates":0,"faces":1},"details":{"verdict":"not-same"},'
    b'"ids":{"review":"00000000-0000-0000-0000-000000000003"},"kind":"done","live":true,'
    b'"operation":"SearchFacesByImage","principal":{"id":"key:1","jurisdiction":"US-WA",'
    b'"organisation":"harbour-police","role":"client","sector":"law-enforcement"},'
    b'"purpose":"missing-person","rules":{"allowed_by":["p.one"],"digest":"ab12",'
    b'"owed":[{"amount":"99","duty":"similarity","rule":"p.two"}],"refused_by":[]},'
    b'"subjects":["c3ViamVjdA"],"use":"00000000-0000-0000-0000-000000000009","version":1}'
)


def test_an_entry_is_written_as_ever() -> None:
    assert ENTRY.to_bytes() == GOLDEN
    assert read_entry(GOLDEN) == ENTRY


def test_an_entry_says_what_its_caller_stated_of_the_source_of_pictures() -> None:
    entry = replace(ENTRY, use=replace(USE, footage="body-camera"))
    written = GOLDEN.replace(b'"ids"', b'"footage":"body-camera","ids"')
    assert entry.to_bytes() == written
    assert read_entry(written) == entry


STATED = LiveStatement("cGxhY2U", "YXV0aA", None, datetime(2027, 5, 1, 18, tzinfo=UTC))
OF_LIVE_SEARCH = GOLDEN.replace(
    b'"operation"',
    b'"live_search":{"authority":"YXV0aA","ends_at":"2027-05-01T18:00:00.000000Z",'
    b'"place":"cGxhY2U"},"operation"',
)


def test_an_entry_says_what_was_stated_of_a_live_search() -> None:
    entry = replace(ENTRY, use=replace(USE, live_search=STATED))
    assert entry.to_bytes() == OF_LIVE_SEARCH
    assert read_entry(OF_LIVE_SEARCH) == entry
    silent = replace(ENTRY, use=replace(USE, live_search=LiveStatement()))
    assert b'"live_search":{},' in silent.to_bytes()
    assert read_entry(silent.to_bytes()) == silent


@pytest.mark.parametrize(
    ("said", "otherwise"),
    [
        (b'"place"', b'"county"'),
        (b'"cGxhY2U"', b'""'),
        (b"18:00:00.000000Z", b"18:00:00Z"),
        (b"18:00:00.000000Z", b"20:00:00.000000+02:00"),
    ],
)
def test_a_live_search_that_is_stated_otherwise_is_no_entry(said: bytes, otherwise: bytes) -> None:
    with pytest.raises(LedgerBroken, match="Not an entry of version 1"):
        read_entry(OF_LIVE_SEARCH.replace(said, otherwise))


WITH_TRUE_POSITIVES = GOLDEN.replace(
    b'"refused_by":[]}', b'"refused_by":[],"true_positives":"98.77"}'
)


def test_an_entry_says_what_report_cards_said_of_the_model() -> None:
    assert ENTRY.rules is not None
    entry = replace(ENTRY, rules=replace(ENTRY.rules, true_positives=Decimal("98.7700")))
    assert entry.to_bytes() == WITH_TRUE_POSITIVES
    assert read_entry(WITH_TRUE_POSITIVES) == entry


@pytest.mark.parametrize(
    "text", ["0", "98.770", "100.0001", "-1", "NaN", "Infinity", "1E+2", "1e999999", "98,7", ""]
)
def test_what_is_no_percentage_in_its_one_form_is_no_entry(text: str) -> None:
    with pytest.raises(LedgerBroken, match="Not an entry of version 1"):
        read_entry(WITH_TRUE_POSITIVES.replace(b"98.77", text.encode()))


@given(
    kind=st.sampled_from(Kind),
    action=st.sampled_from(Action),
    texts=st.lists(
        st.text(st.characters(categories=("L", "N", "P", "S")), max_size=20), min_size=3
    ),
    counts=st.dictionaries(st.sampled_from("abc"), st.integers(0, 2**63)),
    at=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),
)
def test_an_entry_is_read_as_it_was_written(
    kind: Kind, action: Action, texts: list[str], counts: dict[str, int], at: datetime
) -> None:
    organisation, operation, purpose = texts[:3]
    use = Use(Principal("local:me", Role.ADMIN, organisation), action, operation, purpose=purpose)
    entry = Entry(at, kind, use, None, counts, {}, (), tuple(texts), {})
    assert read_entry(entry.to_bytes()) == entry
    assert entry.to_bytes().isascii()


@pytest.mark.parametrize(
    "damage",
    [
        lambda it: b"",
        lambda it: b"[]",
        lambda it: b"[" * 100_000,
        lambda it: b"\xff",
        lambda it: it + b"\n",
        lambda it: it.replace(b":", b": ", 1),
        lambda it: it.replace(b'"version":1', b'"version":2'),
        lambda it: it.replace(b'"version":1', b'"version":1,"version":1'),
        lambda it: it.replace(b'"version":1', b'"unknown":1,"version":1'),
        lambda it: it.replace(b'"live":true', b'"live":NaN'),
        lambda it: it.replace(b'"kind":"done"', b'"kind":"other"'),
        lambda it: it.replace(b"03:00:00.000042Z", b"03:00:00.000042+00:00"),
        lambda it: it.replace(b'"99"', b'"99.0"'),
        lambda it: it.replace(b'"role":"client"', b'"role":"king"'),
    ],
)
def test_what_is_written_otherwise_is_no_entry(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(LedgerBroken, match="Not an entry of version 1"):
        read_entry(damage(GOLDEN))


@pytest.mark.parametrize("text", ["two\nlines", "x" * 301, "\u202eturned", "\x1b[2J", "\ud800"])
def test_a_text_that_is_not_fit_to_be_read_is_refused(text: str) -> None:
    use = Use(Principal("key:1", Role.CLIENT, text), Action.SEARCH, "search")
    with pytest.raises(InvalidRequest, match="does not fit in a ledger entry"):
        Entry(AT, Kind.DONE, use, None, {}, {}, (), (), {}).to_bytes()
