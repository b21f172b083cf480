"""Standing searches: on stated grounds, until they expire, telling whoever wants to know."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select, update

from likeness.errors import InvalidRequest, NotFound
from likeness.notify import WebhookSecret
from likeness.review import (
    Arrival,
    Case,
    Grounds,
    NewWatch,
    Owed,
    Probe,
    Verdict,
    Watch,
    begin_watch,
    claim_notices,
    delete_notice,
    delete_watch,
    expired_watches,
    get_watch,
    grounds_of,
    keeper_of,
    live_watches,
    open_watch_cases,
    probe_crop,
)
from likeness.review.matches import MOST_ATTEMPTS, Claimed
from likeness.review.tables import OUTBOX, WATCHES
from likeness.review.watches import webhook_of
from likeness.terms import Calibration, CohortStatistics, Principal, Role, Template

from .judging import COLLECTION, CROP, Desk

CALIBRATION = Calibration("net", "cohort", (-2.0, -1.0, -0.1), (1.0, 0.1, 1e-5), 10**6, "seeds")
SEARCHER = Principal("key:searcher", Role.OPERATOR, "Thorn", "charity", "US", ("missing-persons",))
URL = "https://hooks.example/likeness?token=t"


def template(seed: int, model: str = "net") -> Template:
    drawn = np.random.default_rng(seed).normal(size=128)
    vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    return Template(vector, model, CohortStatistics(0.0, "cohort"))


def watch_of(desk: Desk, seed: int = 1, **changed: Any) -> tuple[Watch, WebhookSecret | None]:
    new = NewWatch(
        COLLECTION,
        SEARCHER,
        "missing-persons",
        Grounds("Court 7", "missing since May, on the list of the ministry"),
        Owed(1),
        0.0,
        template(seed),
        CROP,
        desk.now + timedelta(days=30),
        URL,
    )
    return desk.database.write(
        lambda c: begin_watch(c, desk.keyring, replace(new, **changed), desk.now)
    )


def test_keeper_is_known_as_they_were_when_the_watch_was_admitted(desk: Desk) -> None:
    watch, _ = watch_of(desk)
    kept = desk.database.read(lambda c: keeper_of(c, desk.keyring, watch))
    assert kept == SEARCHER
    desk.database.write(lambda c: c.execute(update(WATCHES).values(sealed_keeper=None)))
    assert desk.database.read(lambda c: keeper_of(c, desk.keyring, watch)) is None


def enrol(desk: Desk, *seeds: int, collection_id: UUID = COLLECTION, **at_hand: Any) -> list[Case]:
    arrivals = [Arrival(uuid4(), uuid4(), template(seed)) for seed in seeds]
    return desk.database.write(
        lambda c: open_watch_cases(
            c,
            desk.keyring,
            collection_id,
            arrivals,
            CALIBRATION,
            at_least=90.0,
            owed_of=lambda watch, similarity: Owed(watch.reviews, watch.separately),
            use_id=uuid4(),
            now=desk.now,
            expires_at=desk.now + timedelta(days=30),
            **at_hand,
        )
    )


def claim(desk: Desk) -> Claimed:
    return desk.database.write(lambda c: claim_notices(c, desk.keyring, desk.now))


def test_later_enrolment_that_resembles_a_watch_opens_a_case(desk: Desk) -> None:
    watch, _ = watch_of(desk, seed=1)
    (case,) = enrol(desk, 5, 1, 6)
    assert (case.watch_id, case.purpose, case.reviews) == (watch.id, "missing-persons", 1)
    (candidate,) = desk.candidates(case)
    assert candidate.similarity >= 99
    assert desk.database.read(lambda c: probe_crop(c, desk.keyring, case)) == CROP


def test_of_whom_too_many_here_are_as_alike_a_case_is_opened_and_nobody_told(desk: Desk) -> None:
    watch, _ = watch_of(desk, seed=1)
    asked: list[tuple[Template, Arrival]] = []

    def nobody(watched: Template, arrival: Arrival) -> bool:
        asked.append((watched, arrival))
        return False

    (case,) = enrol(desk, 5, 1, 6, is_named=nobody)

    assert case.watch_id == watch.id
    assert desk.database.read(lambda c: c.execute(select(OUTBOX)).all()) == []
    ((watched, arrival),) = asked  # of those alone who resemble the watch
    assert watched.vector.tolist() == arrival.template.vector.tolist()
    enrol(desk, 1)
    assert len(desk.database.read(lambda c: c.execute(select(OUTBOX)).all())) == 1


def test_watch_that_another_cohort_evened_out_looks_once_it_is_evened_out_anew(
    desk: Desk,
) -> None:
    older = Template(template(1).vector, "net", CohortStatistics(9.0, ""))
    watch_of(desk, seed=1, template=older)

    def as_evened_out(probes: Sequence[Probe]) -> list[Probe]:
        return [replace(one, template=template(1)) for one in probes]

    assert enrol(desk, 1) == []
    assert len(enrol(desk, 1, as_evened_out=as_evened_out)) == 1


def test_every_enrolment_that_resembles_a_watch_has_a_case_of_its_own(desk: Desk) -> None:
    watch_of(desk, seed=1)
    assert len({case.id for case in enrol(desk, 1, 1)}) == 2


def test_who_registered_a_watch_does_not_decide_its_cases(desk: Desk) -> None:
    watch_of(desk, seed=1, keeper=replace(SEARCHER, id="key:ada"))
    (case,) = enrol(desk, 1)
    with pytest.raises(Exception, match="your own use"):
        desk.decide(case, "ada", Verdict.SAME)


def test_watch_matches_nothing_elsewhere_of_another_model_or_after_its_end(desk: Desk) -> None:
    watch, _ = watch_of(desk, seed=1)
    watch_of(desk, seed=2, template=template(2, model="another"))
    assert enrol(desk, 1, collection_id=uuid4()) == []
    assert enrol(desk, 2) == []
    desk.database.write(lambda c: delete_watch(c, watch))
    assert enrol(desk, 1) == []


def test_expired_watch_matches_nothing_even_before_it_is_swept(desk: Desk) -> None:
    watch, _ = watch_of(desk, seed=1)
    desk.pass_hours(30 * 24)
    assert enrol(desk, 1) == []
    with pytest.raises(NotFound):
        desk.database.read(lambda c: get_watch(c, watch.id, desk.now))
    assert desk.database.read(lambda c: live_watches(c, desk.now)) == []
    assert desk.database.read(lambda c: expired_watches(c, desk.now)) == [watch]
    desk.database.write(lambda c: delete_watch(c, watch))
    assert desk.database.read(lambda c: c.execute(select(WATCHES)).all()) == []


BAD = [
    ({"grounds": Grounds("", "criteria")}, "an authority"),
    ({"grounds": Grounds("Court", " ")}, "criteria"),
    ({"purpose": ""}, "a purpose"),
    ({"url": "http://user:password@hooks.example/"}, "no user"),
    ({"owed": Owed(0)}, "one reviewer at least"),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_watch_without_what_it_needs_is_refused(
    desk: Desk, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        watch_of(desk, **changed)


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_watch_needs_an_expiry_to_come_within_a_year(desk: Desk, days: int) -> None:
    with pytest.raises(InvalidRequest, match="366 days"):
        watch_of(desk, expires_at=desk.now + timedelta(days=days))


def test_grounds_and_webhook_are_sealed_and_open_again(desk: Desk) -> None:
    watch, secret = watch_of(desk)
    row = desk.database.read(lambda c: c.execute(select(WATCHES)).one())
    kept = b"".join(value for value in row if isinstance(value, bytes))
    assert b"Court" not in kept
    assert b"token" not in kept
    grounds = desk.database.read(lambda c: grounds_of(c, desk.keyring, watch))
    assert grounds.authority == "Court 7"
    webhook = desk.database.read(lambda c: webhook_of(c, desk.keyring, watch))
    assert webhook is not None
    assert (webhook.url, webhook.secret) == (URL, secret)


def test_notice_holds_ids_and_a_time_alone(desk: Desk) -> None:
    watch, _ = watch_of(desk)
    (case,) = enrol(desk, 1)
    (notice,) = claim(desk).notices
    assert json.loads(notice.body) == {
        "type": "case.opened",
        "timestamp": desk.now.isoformat(),
        "data": {
            "case_id": str(case.id),
            "watch_id": str(watch.id),
            "collection_id": str(COLLECTION),
        },
    }


def test_watch_without_a_webhook_tells_nobody(desk: Desk) -> None:
    _, secret = watch_of(desk, url=None)
    assert secret is None
    assert len(enrol(desk, 1)) == 1
    assert claim(desk) == Claimed((), 0)
    assert desk.database.read(lambda c: c.execute(select(OUTBOX)).all()) == []


def test_notice_is_tried_ever_less_often_and_then_given_up(desk: Desk) -> None:
    watch_of(desk, expires_at=desk.now + timedelta(days=300))
    enrol(desk, 1)
    started, attempts = desk.now, []
    while True:
        claimed = claim(desk)
        attempts += [(desk.now - started).total_seconds() for _ in claimed.notices]
        if claimed.given_up:
            break
        assert claim(desk) == Claimed((), 0)  # until it is due again
        desk.now = desk.database.read(lambda c: c.execute(select(OUTBOX.c.due_at)).scalar_one())
    assert len(attempts) == MOST_ATTEMPTS
    waits = [b - a for a, b in pairwise(attempts)]
    assert waits == sorted(waits)
    assert waits[0] == 5
    assert desk.database.read(lambda c: c.execute(select(OUTBOX)).all()) == []


def test_notice_that_arrived_is_gone(desk: Desk) -> None:
    watch_of(desk)
    enrol(desk, 1)
    (notice,) = claim(desk).notices
    desk.database.write(lambda c: delete_notice(c, notice.id))
    desk.pass_hours(24)
    assert claim(desk) == Claimed((), 0)


def test_ended_watch_tells_nothing_more(desk: Desk) -> None:
    watch, _ = watch_of(desk)
    enrol(desk, 1)
    desk.database.write(lambda c: delete_watch(c, watch))
    assert claim(desk) == Claimed((), 0)


def test_a_damaged_watch_keeps_no_other_from_matching(desk: Desk) -> None:
    damaged, _ = watch_of(desk)
    sound, _ = watch_of(desk)
    change = update(WATCHES).where(WATCHES.c.id == damaged.id).values(sealed_vector=b"nothing")
    desk.database.write(lambda c: c.execute(change))
    (case,) = enrol(desk, 1)
    assert case.watch_id == sound.id
