"""What an entry says, in words: of a live search, and of faces."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from likeness.cli.ledger_in_words import entry_lines
from likeness.ledger import Entry, Kind
from likeness.service.govern.ledger import ShownEntry
from likeness.terms import Action, LiveStatement, Principal, Role, Use

AT = datetime(2027, 5, 1, 12, tzinfo=UTC)
USE = Use(Principal("key:1", Role.CLIENT), Action.SEARCH, "StartLiveSearch", live=True)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            LiveStatement("cGxhY2U", "YXV0aA", "Y3JpdA", AT),
            "a live search that states a place, an authority, criteria,"
            " its end at 2027-05-01 12:00 UTC",
        ),
        (LiveStatement(), "a live search that states nothing"),
    ],
)
def test_what_was_stated_is_named_and_commitments_are_not_shown(
    stated: LiveStatement, said: str
) -> None:
    entry = Entry(AT, Kind.INTENT, replace(USE, live_search=stated), None, {}, {}, (), (), {})
    shown = "\n".join(entry_lines(ShownEntry(3, "3-abc", entry.to_bytes())))
    assert said in " ".join(shown.split())
    assert "cGxhY2U" not in shown


def test_a_count_is_a_number_also_where_an_older_entry_holds_true() -> None:
    entry = Entry(AT, Kind.DONE, USE, None, {"faces": True}, {}, (), (), {})
    shown = "\n".join(entry_lines(ShownEntry(3, "3-abc", entry.to_bytes())))
    assert "faces 1" in shown
    assert "True" not in shown
