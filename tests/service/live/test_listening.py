"""Who listens to a live search is given what it tells, on record, until it ends or they may not."""

from pathlib import Path

import pytest

from likeness.access import Grant
from likeness.errors import Denied, NotFound
from likeness.service.govern.keys import create_key, disable_key
from likeness.service.live import listening
from likeness.service.live.listening import Listening
from likeness.service.live.manage import LiveState
from likeness.service.live.sightings import SightingsPage
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import stop_job
from likeness.terms import Principal, Role

from .telling import begin, end, register, tell


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    register(sqlite_home, tmp_path)
    return sqlite_home


def caller(home: Home) -> Caller:
    return Caller(home.somebody, "ListenToSightings")


def numbers(page: SightingsPage | None) -> list[int]:
    assert page is not None
    return [one.number for one in page.sightings]


def test_it_is_given_in_order_as_it_is_told_until_the_end(home: Home) -> None:
    job = begin(home)
    tell(home, job, 1, 2)
    listener = Listening(home, caller(home), job.id)

    assert numbers(listener.first()) == [1, 2]
    assert listener.more() is None
    tell(home, job, 3)
    assert numbers(listener.more()) == [3]
    tell(home, job, 4)
    end(home, job)
    assert numbers(listener.more()) == [4]
    last = listener.more()
    assert numbers(last) == []
    assert last is not None
    assert last.of.state is LiveState.STOPPED


def test_who_comes_again_goes_on_behind_the_last_that_came(home: Home) -> None:
    job = begin(home)
    tell(home, job, *range(1, 6))
    assert numbers(Listening(home, caller(home), job.id, after=3).first()) == [4, 5]


def test_much_is_given_page_by_page(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_AT_ONCE", 2)
    job = begin(home)
    tell(home, job, 1, 2, 3)
    listener = Listening(home, caller(home), job.id)
    assert [numbers(listener.first()), numbers(listener.more())] == [[1, 2], [3]]


def test_each_page_is_a_use_of_its_own(home: Home) -> None:
    job = begin(home)
    tell(home, job, 1)
    listener = Listening(home, caller(home), job.id)
    first = listener.first().sightings[0].receipt
    tell(home, job, 2)
    page = listener.more()
    assert page is not None
    assert None not in (first, page.sightings[0].receipt)
    assert first != page.sightings[0].receipt


def test_to_others_there_is_no_such_search(home: Home) -> None:
    job = begin(home)
    other = Caller(Principal("key:other", Role.OPERATOR), "ListenToSightings")
    with pytest.raises(NotFound, match="No job of yours"):
        Listening(home, other, job.id).first()


def test_a_search_that_is_gone_ends_it(home: Home) -> None:
    job = begin(home)
    listener = Listening(home, caller(home), job.id)
    listener.first()
    stop_job(home, caller(home), job.id)
    last = listener.more()
    assert last is not None
    assert (numbers(last), last.of.state) == ([], LiveState.STOPPED)


@pytest.mark.parametrize("told", [False, True])
def test_a_key_that_is_disabled_is_given_nothing_more(home: Home, told: bool) -> None:
    made = create_key(home, caller(home), "desk", Grant(Role.OPERATOR)).key.principal
    job = begin(home, Caller(made, "StartLiveSearch"))
    tell(home, job, 1)
    listener = Listening(home, Caller(made, "ListenToSightings"), job.id)
    assert numbers(listener.first()) == [1]
    assert listener.more() is None

    disable_key(home, caller(home), "desk", last_admin_too=False)
    if told:
        tell(home, job, 2)
    listener._asked_s = 0.0  # that was long ago
    with pytest.raises(Denied, match="disabled"):
        listener.more()
