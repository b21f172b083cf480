"""What jobs keep: segments, results in pages, and whom they mention; and how people leave them."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from likeness.errors import Conflict
from likeness.jobs import (
    CORRECTION,
    SHOT,
    Job,
    JobState,
    JobStopped,
    Mention,
    Result,
    cancel_job,
    drop_results,
    end_job,
    forget_collection,
    forget_people,
    get_job,
    keep_mentions,
    keep_results,
    keep_segment,
    list_jobs,
    mentions_of,
    replace_result,
    results_of,
    segment_of,
    segments_kept,
)
from likeness.jobs.tables import MENTIONS, RESULTS
from tests.jobs.jobbing import Bench


def looks(count: int, owners: int = 3) -> list[Result]:
    return [Result("look", n, n % owners, 40 * n, b"look %d" % n) for n in range(count)]


def keep(bench: Bench, job: Job, results: list[Result]) -> None:
    bench.write(lambda c: keep_results(c, bench.keyring, job.id, results, runner="runner 1"))


def mention(bench: Bench, job: Job, *mentions: Mention) -> None:
    bench.write(lambda c: keep_mentions(c, bench.keyring, job.id, mentions, runner="runner 1"))


def read(
    bench: Bench,
    job: Job,
    part: str = "look",
    *,
    by_owner: bool = False,
    after: tuple[int, int] | None = None,
    limit: int = 1000,
) -> list[Result]:
    return bench.read(
        lambda c: results_of(
            c, bench.keyring, job.id, part, by_owner=by_owner, after=after, limit=limit
        )
    )


def test_segments_are_kept_and_replaced(bench: Bench) -> None:
    job = bench.running()
    assert bench.read(lambda c: segments_kept(c, job.id)) == 0
    for number, content in ((0, b"zero"), (1, b"one"), (1, b"one again"), (3, b"three")):
        bench.write(
            lambda c, number=number, content=content: keep_segment(
                c, bench.keyring, job.id, number, content, runner="runner 1"
            )
        )

    assert bench.read(lambda c: segments_kept(c, job.id)) == 2
    opened = [bench.read(lambda c, n=n: segment_of(c, bench.keyring, job.id, n)) for n in range(4)]
    assert opened == [b"zero", b"one again", None, b"three"]


@pytest.mark.parametrize("how", ["waiting", "cancelled", "another's"])
def test_only_the_runner_of_a_job_keeps_anything(bench: Bench, how: str) -> None:
    job = bench.add() if how == "waiting" else bench.running()
    if how == "cancelled":
        bench.write(lambda c: cancel_job(c, bench.keyring, job.id, bench.now))
    runner = "runner 2" if how == "another's" else "runner 1"

    for attempt in (
        lambda c: keep_segment(c, bench.keyring, job.id, 0, b"", runner=runner),
        lambda c: keep_results(c, bench.keyring, job.id, looks(1), runner=runner),
        lambda c: keep_mentions(c, bench.keyring, job.id, [], runner=runner),
        lambda c: drop_results(c, job.id, runner=runner),
    ):
        with pytest.raises(JobStopped):
            bench.write(attempt)


def test_results_come_in_pages_by_number_and_by_owner(bench: Bench) -> None:
    job, other = bench.running(), bench.running()
    results = looks(10)
    keep(bench, job, results[::-1])
    keep(bench, job, [Result("person", 0, 0, 0, b"somebody")])
    keep(bench, other, looks(20))

    def paged(by_owner: bool) -> list[int]:
        numbers, after = [], None
        while page := read(bench, job, by_owner=by_owner, after=after, limit=4):
            numbers += [one.number for one in page]
            after = page[-1].owner, page[-1].number
        return numbers

    assert paged(by_owner=False) == list(range(10))
    assert paged(by_owner=True) == [0, 3, 6, 9, 1, 4, 7, 2, 5, 8]
    (one,) = read(bench, job, limit=1)
    assert (one.part, one.number, one.owner, one.at_ms, one.content) == ("look", 0, 0, 0, b"look 0")
    (person,) = read(bench, job, "person")
    assert person.content == b"somebody"


def test_dropped_results_can_be_kept_again(bench: Bench) -> None:
    job = bench.running()
    for _ in range(2):
        bench.write(lambda c: drop_results(c, job.id, runner="runner 1"))
        keep(bench, job, looks(3))
        mention(bench, job, Mention(0, 0, uuid4(), None, b"ana"))

    assert len(read(bench, job)) == 3
    assert len(bench.read(lambda c: mentions_of(c, bench.keyring, job.id))) == 1


def test_result_of_another_place_is_left_out(bench: Bench) -> None:
    job = bench.running()
    keep(bench, job, looks(2))

    def swap(connection: object) -> None:
        sealed = select(RESULTS.c.sealed).where(RESULTS.c.number == 1).scalar_subquery()
        connection.execute(  # type: ignore[attr-defined]
            RESULTS.update().where(RESULTS.c.number == 0).values(sealed=sealed)
        )

    bench.write(swap)

    # The next takes its place, so whoever reads page by page comes to the end.
    assert [one.number for one in read(bench, job, limit=1)] == [1]


def test_job_that_did_not_succeed_keeps_no_results(bench: Bench) -> None:
    done, failed = bench.running(), bench.running()
    for job, state in ((done, JobState.SUCCEEDED), (failed, JobState.FAILED)):
        keep(bench, job, looks(3))
        mention(bench, job, Mention(0, 0, uuid4(), None, b"ana"))
        bench.write(
            lambda c, job=job, state=state: end_job(
                c, bench.keyring, job.id, "runner 1", state, bench.now
            )
        )

    assert (len(read(bench, done)), len(read(bench, failed))) == (3, 0)
    assert bench.read(lambda c: mentions_of(c, bench.keyring, failed.id)) == []


def test_mentions_come_by_owner_and_rank(bench: Bench) -> None:
    job = bench.running()
    ana, ben = uuid4(), uuid4()
    mention(
        bench,
        job,
        Mention(2, 0, ana, None, b"ana of 2"),
        Mention(1, 1, None, ana, b"ana of 1"),
        Mention(1, 0, ben, None, b"ben of 1"),
    )

    found = bench.read(lambda c: mentions_of(c, bench.keyring, job.id))
    assert [one.content for one in found] == [b"ben of 1", b"ana of 1", b"ana of 2"]
    one = found[0]
    assert (one.owner, one.rank, one.reference_id, one.subject_id) == (1, 0, ben, None)


def test_erased_people_leave_every_job_with_pictures_of_who_resembles_them(bench: Bench) -> None:
    ana, anas_picture, ben = uuid4(), uuid4(), uuid4()
    jobs = [bench.running(), bench.running()]
    for job in jobs:
        for part in (SHOT, CORRECTION):
            keep(bench, job, [Result(part, n, n, 0, b"%d" % n) for n in range(4)])
        keep(bench, job, looks(8, owners=4))
        mention(
            bench,
            job,
            Mention(0, 0, anas_picture, None, b"ana"),
            Mention(0, 1, ben, None, b"ben"),
            Mention(1, 0, None, ana, b"ana"),
            Mention(2, 0, ben, None, b"ben"),
        )

    bench.write(lambda c: forget_people(c, [ana, anas_picture, uuid4()]))

    for job in jobs:
        left = bench.read(lambda c, job=job: mentions_of(c, bench.keyring, job.id))
        assert [(one.owner, one.reference_id) for one in left] == [(0, ben), (2, ben)]
        for part in (SHOT, CORRECTION):
            assert [one.owner for one in read(bench, job, part)] == [2, 3]
        assert len(read(bench, job)) == 8


def test_a_result_is_replaced_once_the_job_has_succeeded(bench: Bench) -> None:
    job = bench.running()
    keep(bench, job, looks(2))

    def replace(content: bytes, **more: bool) -> None:
        one = Result(CORRECTION, 1, 1, 0, content)
        bench.write(lambda c: replace_result(c, bench.keyring, job.id, one, **more))

    with pytest.raises(Conflict, match="has not succeeded"):
        replace(b"too early")
    end = JobState.SUCCEEDED
    bench.write(lambda c: end_job(c, bench.keyring, job.id, "runner 1", end, bench.now))
    for content in (b"Rosa", b"Greta"):
        replace(content)
        assert [one.content for one in read(bench, job, CORRECTION)] == [content]
    replace(b"", keep=False)
    assert read(bench, job, CORRECTION) == []
    assert len(read(bench, job)) == 2


def test_erased_collection_takes_its_jobs_along(bench: Bench) -> None:
    erased: UUID = uuid4()
    gone = [bench.running(collection_id=erased), bench.add(collection_id=erased)]
    keep(bench, gone[0], looks(2))
    stays = bench.running(collection_id=uuid4())
    keep(bench, stays, looks(2))

    bench.write(lambda c: forget_collection(c, erased))

    assert [one.id for one in bench.read(lambda c: list_jobs(c, bench.keyring, limit=9))] == [
        stays.id
    ]
    assert bench.read(lambda c: get_job(c, bench.keyring, stays.id)).id == stays.id
    assert len(read(bench, stays)) == 2
    assert bench.read(lambda c: c.execute(select(func.count()).select_from(RESULTS)).scalar()) == 2
    assert bench.read(lambda c: c.execute(select(MENTIONS)).all()) == []
