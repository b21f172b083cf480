"""Topics are told of jobs that ended: once where they listen, again later where they do not."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from likeness.errors import NotifierUnavailable
from likeness.jobs import MOST_ATTEMPTS, Job, JobState, cancel_job, end_job
from likeness.notify import SnsTopics
from likeness.secrets import KeyFiles, Keyring
from likeness.service.review.upkeep import Told
from likeness.service.video import notices
from likeness.service.video.notices import tell_of_jobs
from likeness.storage import migrate, open_database
from tests.jobs.jobbing import Bench
from tests.service.acts import rows_of
from tests.services.moto import KEY_ID, REGION, SECRET, Topic, moto

TOPIC = "arn:aws:sns:us-east-1:123456789012:secret-topic"
Ended = tuple[Bench, Job]


class Topics:
    """Topics that take messages, or not."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.away = False

    def publish(self, topic_arn: str, message: str) -> None:
        if self.away:
            raise NotifierUnavailable("The SNS endpoint took no message.")
        self.told.append((topic_arn, message))


def word(job: Job, request: bytes) -> str:
    return f"{job.id} {job.state.value} {request.decode()}"


def tell(bench: Bench, topics: Any) -> Told:
    rows = rows_of(bench.database, bench.keyring, SimpleNamespace(), clock=lambda: bench.now)
    return tell_of_jobs(rows, topics, word)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_database(f"sqlite:///{tmp_path / 'jobs.db'}") as database:
        migrate(database)
        yield Bench(database, Keyring(KeyFiles(tmp_path / "keys")))


def ended(bench: Bench, told: bytes | None = TOPIC.encode()) -> Job:
    job = bench.running(request=b"secret-clip", told=told)
    bench.write(
        lambda c: end_job(c, bench.keyring, job.id, "runner 1", JobState.SUCCEEDED, bench.now)
    )
    return job


def test_each_topic_is_told_once_and_of_what_asked_for_it_alone(bench: Bench) -> None:
    topics = Topics()
    running, silent = bench.running(told=b"a topic"), ended(bench, told=None)
    jobs = [ended(bench) for _ in range(3)]
    assert tell(bench, topics) == Told(arrived=3, put_off=0, given_up=0)
    assert topics.told == [(TOPIC, f"{job.id} succeeded secret-clip") for job in jobs]
    assert tell(bench, topics) == Told(0, 0, 0)

    bench.write(lambda c: cancel_job(c, bench.keyring, running.id, bench.now))
    assert tell(bench, topics).arrived == 1
    assert topics.told[-1] == ("a topic", f"{running.id} cancelled do this")
    assert silent.id not in str(topics.told)


def test_what_a_topic_did_not_take_comes_again_later(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    topics = Topics()
    topics.away = True
    job = ended(bench)
    assert tell(bench, topics) == Told(arrived=0, put_off=1, given_up=0)
    assert tell(bench, topics) == Told(0, 0, 0)
    assert f"job {job.id}: its topic was not told" in caplog.text
    topics.away = False
    bench.later(seconds=5)
    assert tell(bench, topics).arrived == 1
    assert "secret" not in caplog.text


def test_a_topic_that_never_listens_is_given_up(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    topics = Topics()
    topics.away = True
    job = ended(bench)
    for _ in range(MOST_ATTEMPTS):
        assert tell(bench, topics).put_off == 1
        bench.later(days=1)
    assert tell(bench, topics) == Told(arrived=0, put_off=0, given_up=1)
    assert f"job {job.id}: its topic is not told any more" in caplog.text
    bench.later(days=30)
    assert tell(bench, topics) == Told(0, 0, 0)


def test_a_slow_endpoint_leaves_some_for_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_MOST_S", 0.0)
    topics = Topics()
    for _ in range(3):
        ended(bench)
    assert [tell(bench, topics).arrived for _ in range(4)] == [1, 1, 1, 0]


@pytest.mark.slow
def test_who_subscribed_to_the_topic_hears_of_the_job(bench: Bench) -> None:
    with moto() as endpoint:
        topic = Topic(endpoint, "ended")
        topics = SnsTopics(endpoint, region=REGION, access_key_id=KEY_ID, secret_access_key=SECRET)
        job, nobody = ended(bench, topic.arn.encode()), ended(bench)
        assert tell(bench, topics) == Told(arrived=1, put_off=1, given_up=0)
        assert topic.heard() == [f"{job.id} succeeded secret-clip"]
        assert nobody.id != job.id
