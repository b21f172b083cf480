"""Standing watches see who is seen in clips that are searched, and people decide about them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from likeness.policy import enable_pack, read_pack
from likeness.review import Case, ClipFace, Sighting, Standing, Verdict, Watch, delete_case
from likeness.review.tables import CANDIDATES, CASES, OUTBOX, PROBES
from likeness.service.review import cases as review
from likeness.service.review.upkeep import sweep_review
from likeness.service.uses import Caller, Home, Outcome
from likeness.service.watch.sightings import watch_seen
from likeness.terms import Action, Box, Principal, Role, Template, Use
from tests.service.accounting import FACTS
from tests.service.people import BLUE, RED, draw, home_at, make, template_of
from tests.service.test_enrolment_on_record import entries, rows, watch_for

CLIP = hashlib.sha256(b"a clip").digest()
SEARCHER = Principal("key:searcher", Role.CLIENT, sector="commerce")
REVIEWER = Principal("key:reviewer", Role.REVIEWER)
SHOT = b"\xff\xd8 a shot \xff\xd9"


@pytest.fixture
def home(database_url: str, tmp_path: Path, standards: Path) -> Iterator[Home]:
    with home_at(tmp_path, database_url, standards, crops="on") as home:
        make(home)
        yield home


@pytest.fixture
def red(home: Home, tmp_path: Path) -> Template:
    """The fused template of a person who looks like whom is watched for."""
    return template_of(home, draw(tmp_path / "seen.png", RED))


def sighting(template: Template, first: int = 10, last: int = 20, clip: bytes = CLIP) -> Sighting:
    looks = tuple((number, Box(100, 100, 200, 220)) for number in range(first, last))
    return Sighting(ClipFace(clip, looks), template, SHOT)


def search(home: Home, *seen: Sighting, footage: str = "undeclared") -> list[Case]:
    """End a search of a clip, in which some people were seen."""
    of = home.gallery.collection("staff")
    use = Use(SEARCHER, Action.SEARCH, "StartFaceSearch", of.id, footage=footage)
    with home.desk.record(use) as record:
        return record.write(
            lambda c: watch_seen(c, home, of, seen, use=record.use, now=home.clock()),
            lambda opened: Outcome(len(seen)),
        )


def watched(home: Home, tmp_path: Path) -> Watch:
    return watch_for(home, draw(tmp_path / "probe.png", RED, side=120))


def decide(home: Home, case: Case, verdict: Verdict) -> review.SeenCase:
    caller = Caller(REVIEWER, "DecideCase")
    return review.decide_case(home, caller, case.id, None, verdict, "the ears")


def test_a_watch_opens_a_case_for_a_person_seen_in_a_clip(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watch = watched(home, tmp_path)
    other = template_of(home, draw(tmp_path / "other.png", BLUE))
    (case,) = search(home, sighting(other, 30, 40), sighting(red))
    assert (case.watch_id, case.operation) == (watch.id, "Watch")
    assert str(case.use_id) == entries(home)[-1]["use"]
    assert str(case.id) in "".join(row.payload for row in rows(home, OUTBOX))

    seen = review.show_case(home, Caller(REVIEWER, "ShowCase"), case.id)
    (candidate,) = seen.candidates
    assert (candidate.reference_id, candidate.subject_id) == (None, None)
    assert candidate.sighting_id is not None
    assert candidate.picture
    caller = Caller(REVIEWER, "ShowFace")
    assert review.show_face(home, caller, case.id, candidate.number) == SHOT
    assert review.show_face(home, caller, case.id, None) == b"crop"
    # Sealed, and looks are known by digests alone.
    assert SHOT not in b"".join(row.sealed_crop for row in rows(home, CANDIDATES))
    assert CLIP not in {row.sample_digest for row in rows(home, PROBES)}


def test_another_run_over_the_clip_opens_no_other_case(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watched(home, tmp_path)
    search(home, sighting(red))
    assert search(home, sighting(red, 12, 30)) == []
    assert len(rows(home, OUTBOX)) == 1
    assert len(search(home, sighting(red, 50, 60))) == 1  # later in the clip: somebody, again
    assert len(search(home, sighting(red, clip=hashlib.sha256(b"another").digest()))) == 1


def test_whom_people_told_apart_is_not_proposed_again(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watched(home, tmp_path)
    (case,) = search(home, sighting(red))
    (candidate,) = decide(home, case, Verdict.NOT_SAME).candidates
    assert candidate.standing is Standing.REJECTED
    said = entries(home)[-1]["details"]
    assert (said["verdict"], said["sighting_id"]) == ("not-same", str(candidate.sighting_id))
    home.database.write(lambda c: delete_case(c, case))
    assert search(home, sighting(red, 5, 15)) == []
    # Whoever watches for the face anew asks another question.
    watched(home, tmp_path)
    assert len(search(home, sighting(red, 5, 15))) == 1


def test_who_keeps_the_watch_learns_whom_people_confirmed(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watch = watched(home, tmp_path)
    (case,) = search(home, sighting(red))
    keeper = Caller(Principal(watch.principal_id, Role.ADMIN), "ShowCase")
    assert review.show_case(home, keeper, case.id).candidates == ()
    decide(home, case, Verdict.SAME)
    (candidate,) = review.show_case(home, keeper, case.id).candidates
    assert candidate.standing is Standing.CONFIRMED


def test_a_rule_about_the_source_that_was_stated_reaches_watches(
    home: Home, tmp_path: Path, red: Template
) -> None:
    rule = (
        '@id("no-drones") @source("a test") @effective("2000-01-01")'
        ' forbid(principal, action == Action::"watch", resource)'
        ' when { context.footage == Footage::"drone" };'
    )
    pack = read_pack("of-a-test", FACTS, rule)
    home.database.write(lambda c: enable_pack(c, pack, {}, by="local:test", now=datetime.now(UTC)))
    watched(home, tmp_path)
    assert search(home, sighting(red), footage="drone") == []
    assert rows(home, CASES) == rows(home, PROBES) == []
    assert len(search(home, sighting(red), footage="fixed-camera")) == 1


def test_a_search_of_this_moment_is_one_for_watches_too(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watched(home, tmp_path)
    of, now = home.gallery.collection("staff"), home.clock()
    live = Use(SEARCHER, Action.SEARCH, "StartFaceSearch", of.id, live=True)
    opened = home.database.write(
        lambda c: watch_seen(c, home, of, [sighting(red)], use=live, now=now)
    )
    assert opened == []  # the pack `real-time` is in force from the beginning


def test_nobody_is_compared_while_pictures_are_not_kept(
    database_url: str, tmp_path: Path, standards: Path
) -> None:
    with home_at(tmp_path, database_url, standards, crops="off") as home:
        make(home)
        watched(home, tmp_path)
        template = template_of(home, draw(tmp_path / "seen.png", RED))
        assert search(home, sighting(template)) == []


def test_a_sighting_goes_with_its_case(home: Home, tmp_path: Path, red: Template) -> None:
    watched(home, tmp_path)
    search(home, sighting(red))
    later = replace(home, clock=lambda: datetime(2100, 1, 1, tzinfo=UTC))
    sweep_review(later)
    assert left(home, CASES, CANDIDATES, PROBES) == [0, 0, 0]


def test_a_pair_that_was_told_apart_is_known_once_its_case_is_swept(
    home: Home, tmp_path: Path, red: Template
) -> None:
    watched(home, tmp_path)
    (case,) = search(home, sighting(red))
    decide(home, case, Verdict.NOT_SAME)
    home.database.write(lambda c: delete_case(c, case))
    assert left(home, CASES, CANDIDATES, PROBES) == [0, 0, 10]


def left(home: Home, *tables: Any) -> Sequence[int]:
    return home.database.read(lambda c: [len(c.execute(select(one)).all()) for one in tables])
