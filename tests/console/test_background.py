"""Acts that take longer than anybody waits for a page: begun once, one at a time, ended for all."""

import threading
from collections.abc import Iterator

import pytest

from likeness.console.background import Background, Tell
from likeness.errors import NotFound, TooBusy


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as background:
        yield background


def test_an_act_ends_with_its_answer_or_its_error(background: Background) -> None:
    def fail(tell: Tell) -> None:
        raise NotFound("Nobody.")

    done, failed = background.begin("one", lambda tell: 3), background.begin("two", fail)
    for work in (done, failed):
        work.wait(10)
        assert work.has_ended
    assert (done.answer, done.error) == (3, None)
    assert isinstance(failed.error, NotFound)
    assert background.find("one") is done
    assert background.find("three") is None


def test_one_that_runs_is_not_begun_again_and_others_wait(background: Background) -> None:
    goes, ends, order = threading.Event(), threading.Event(), []

    def act(tell: Tell) -> str:
        order.append("one")
        tell(1, 2)
        goes.set()
        assert ends.wait(10)
        return "done"

    first = background.begin("one", act)
    assert goes.wait(10)
    assert (first.done, first.total, first.has_ended) == (1, 2, False)
    assert background.begin("one", act) is first
    second = background.begin("two", lambda tell: order.append("two"))
    assert order == ["one"]
    ends.set()
    second.wait(10)
    assert (first.answer, order) == ("done", ["one", "two"])
    again = background.begin("one", lambda tell: "again")
    again.wait(10)
    assert again.answer == "again"


def test_too_many_that_wait_are_refused(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.console.background._MOST_WAITING", 2)
    ends = threading.Event()
    for key in ("one", "two"):
        background.begin(key, lambda tell: ends.wait(10))
    with pytest.raises(TooBusy):
        background.begin("three", lambda tell: None)
    ends.set()


def test_what_ended_longest_ago_is_forgotten(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.console.background._MOST_KEPT", 2)
    for number in range(4):
        background.begin(number, lambda tell: None).wait(10)
    assert [background.find(number) is None for number in range(4)] == [True, True, False, False]


def test_closing_stops_what_runs_and_begins_nothing(background: Background) -> None:
    goes = threading.Event()

    def act(tell: Tell) -> None:
        goes.set()
        while True:  # until telling says that the server closes
            tell(1, 2)

    work, waiting = background.begin("one", act), background.begin("two", lambda tell: None)
    assert goes.wait(10)
    background.close()
    assert isinstance(work.error, TooBusy)
    assert isinstance(waiting.error, TooBusy)
    with pytest.raises(TooBusy):
        background.begin("three", act)


def test_what_does_not_tell_is_left_behind_when_a_server_closes(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.console.background._CLOSES_WITHIN_S", 0.01)
    ends = threading.Event()
    work = background.begin("one", lambda tell: ends.wait(10))
    background.close()
    assert not work.has_ended
    ends.set()
    work.wait(10)
    assert work.has_ended


def test_what_was_never_foreseen_ends_an_act_too(background: Background) -> None:
    work = background.begin("one", lambda tell: 1 // 0)
    work.wait(10)
    assert isinstance(work.error, ZeroDivisionError)


def test_one_person_leaves_as_many_places_to_others(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.console.background._MOST_WAITING", 4)
    ends = threading.Event()
    for key in ("one", "two"):
        background.begin(key, lambda tell: ends.wait(10), "Ada")
    with pytest.raises(TooBusy):
        background.begin("three", lambda tell: None, "Ada")
    other = background.begin("three", lambda tell: 3, "Bo")
    ends.set()
    other.wait(10)
    assert other.answer == 3
