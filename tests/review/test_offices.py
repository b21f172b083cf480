"""What services do with cases and watches: notices that arrive, sweeps on record, enrolments."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.gallery.stored_collections import StoredCollection
from likeness.notify import WebhookSender
from likeness.reachable import read_networks
from likeness.review import Arrival, Case, Owed, open_crop
from likeness.service.enrol.review import ReviewOfEnrolments
from likeness.service.review.upkeep import Swept, Told, sweep_review, tell
from likeness.service.uses import Ongoing
from likeness.service.uses.home import Rows
from likeness.service.uses.record import Outcome
from likeness.terms import Action, Principal, Role, Template, Use
from tests.notify.receiver import receiving
from tests.service.acts import rows_of

from .judging import COLLECTION, Desk, found, other
from .test_watches import CALIBRATION, template, watch_of

SENDER = WebhookSender(read_networks("127.0.0.0/8"))


class Staff(StoredCollection):
    """A collection whose cohort changes nothing, and whose strangers were not measured."""

    def as_evened_out(self, templates: Sequence[Template]) -> Sequence[Template]:
        return templates

    def measured(self) -> None:
        return None

    def own_score_of(self, one: Template, other: Template, subject_id: object) -> None:
        return None


STAFF = Staff(COLLECTION, "staff", "model", 128, "cohort", None, datetime(2100, 1, 1, tzinfo=UTC))


def rows(desk: Desk, recording: object = None) -> Rows:
    """The rows that services act on, at the time of a desk."""
    return rows_of(desk.database, desk.keyring, recording, clock=lambda: desk.now)


@dataclass
class RecordingDesk:
    """Admits everything but for one purpose, and remembers what was recorded of it."""

    desk: Desk
    denied_purpose: str = ""
    entries: list[tuple[Use, Outcome]] = field(default_factory=list)

    @contextmanager
    def record(self, use: Use, ongoing: Ongoing | None = None) -> Iterator["RecordingDesk"]:
        if use.purpose == self.denied_purpose:
            raise Denied("a rule forbids it")
        self.use = use
        yield self

    def write(self, act: object, outcome: object) -> object:
        def both(connection: Connection) -> object:
            result = act(connection)  # type: ignore[operator]
            self.entries.append((self.use, outcome(result)))  # type: ignore[operator]
            return result

        return self.desk.database.write(both)


def enrol(desk: Desk, *seeds: int, keeps_crops: bool = True) -> tuple[list[Arrival], list[Case]]:
    reviewing = ReviewOfEnrolments(
        desk.keyring,
        keeps_crops,
        1e-3,
        timedelta(days=30),
        lambda _: CALIBRATION,
        lambda connection, watch, *_: Owed(watch.reviews, watch.separately),
        fpir=0.999,  # the rate among any strangers decides alone
    )
    arrivals = [Arrival(uuid4(), None, template(seed)) for seed in seeds]
    opened = desk.database.write(
        lambda c: reviewing.arrived(
            c,
            STAFF,
            arrivals,
            {
                one.reference_id: b"crop %d" % seed
                for one, seed in zip(arrivals, seeds, strict=True)
            },
            use=Use(Principal("key:ada", Role.CLIENT), Action.ENROL, "IndexFaces"),
            now=desk.now,
        )
    )
    return arrivals, opened


def test_enrolment_keeps_faces_and_opens_cases(desk: Desk) -> None:
    watch, _ = watch_of(desk, seed=1)
    (alike, unlike), (case,) = enrol(desk, 1, 2)
    assert case.watch_id == watch.id
    (candidate,) = desk.candidates(case)
    assert candidate.reference_id == alike.reference_id
    kept = desk.database.read(lambda c: open_crop(c, desk.keyring, COLLECTION, unlike.reference_id))
    assert kept == b"crop 2"


def test_enrolment_keeps_nothing_while_crops_are_off(desk: Desk) -> None:
    watch_of(desk, seed=1)
    (arrival,), opened = enrol(desk, 1, keeps_crops=False)
    assert opened == []
    assert (
        desk.database.read(lambda c: open_crop(c, desk.keyring, COLLECTION, arrival.reference_id))
        is None
    )


def test_notice_reaches_its_receiver_once_with_a_signature_that_holds(desk: Desk) -> None:
    with receiving() as receiver:
        watch, secret = watch_of(desk, seed=1, url=receiver.url)
        _, (case,) = enrol(desk, 1)
        assert tell(rows(desk), SENDER) == Told(1, 0, 0)
        assert secret is not None
        (body,) = receiver.verified(secret)
        assert json.loads(body)["data"]["case_id"] == str(case.id)
        assert json.loads(body)["data"]["watch_id"] == str(watch.id)
        desk.pass_hours(1000)
        assert tell(rows(desk), SENDER) == Told(0, 0, 0)
        assert len(receiver.came) == 1


def test_slow_receivers_leave_notices_for_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.service.review.upkeep._MOST_S", 0.0)
    with receiving() as receiver:
        watch_of(desk, seed=1, url=receiver.url)
        enrol(desk, 1, 1)
        assert tell(rows(desk), SENDER) == Told(1, 0, 0)
        assert tell(rows(desk), SENDER) == Told(1, 0, 0)
        assert tell(rows(desk), SENDER) == Told(0, 0, 0)


def test_notice_that_was_not_taken_comes_again_under_the_same_id(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving() as receiver:
        receiver.status = 503
        watch, _ = watch_of(desk, seed=1, url=receiver.url)
        enrol(desk, 1)
        assert tell(rows(desk), SENDER) == Told(0, 1, 0)
        assert tell(rows(desk), SENDER) == Told(0, 0, 0)
        receiver.status = 200
        desk.now += timedelta(seconds=5)
        assert tell(rows(desk), SENDER) == Told(1, 0, 0)
        first, second = (headers["webhook-id"] for headers, _ in receiver.came)
        assert first == second
    assert f"watch {watch.id} was not told: it answered with status 503" in caplog.text
    assert "token" not in caplog.text


def test_every_deletion_is_on_record_with_its_reason(desk: Desk) -> None:
    recording = RecordingDesk(desk)
    late = desk.open(found(), authorisation_hours=24)
    old = desk.open(found(), other(purpose="another"), days=1)
    stays = desk.open(found(), other(purpose="third"))
    watch, _ = watch_of(desk, expires_at=desk.now + timedelta(hours=3))
    desk.pass_hours(24)

    swept = sweep_review(rows(desk, recording))

    assert [one.id for one in swept.unauthorised] == [late.id]
    assert {one.id for one in swept.cases} == {late.id, old.id}
    said = [(use.operation, *outcome.details.values()) for use, outcome in recording.entries]
    assert sorted(said) == sorted(
        [
            ("EndCase", str(late.id), "unauthorised"),
            ("EndCase", str(old.id), "expired"),
            ("EndWatch", str(watch.id), "expired"),
        ]
    )
    assert desk.find(other(purpose="third")) == stays


def test_what_a_rule_keeps_holds_up_no_other_deletion(desk: Desk) -> None:
    recording = RecordingDesk(desk, denied_purpose="a word no rule knows")
    cases = [
        desk.open(found(), other(purpose=purpose), days=1)
        for purpose in ("one", "a word no rule knows", "another")
    ]
    watch, _ = watch_of(desk, expires_at=desk.now + timedelta(hours=3))
    desk.pass_hours(24)

    with pytest.raises(Denied):
        sweep_review(rows(desk, recording))

    deleted = {next(iter(outcome.details.values())) for _, outcome in recording.entries}
    assert deleted == {str(cases[0].id), str(cases[2].id), str(watch.id)}


def test_sweep_of_nothing_leaves_no_entry(desk: Desk) -> None:
    recording = RecordingDesk(desk)
    swept = sweep_review(rows(desk, recording))
    assert (swept, recording.entries) == (Swept((), ()), [])
