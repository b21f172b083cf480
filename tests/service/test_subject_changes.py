"""Subjects who are renamed, merged and split: all that is kept of them follows, and is undone."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import Table, select

from likeness.errors import AlreadyExists, Conflict, Denied, InvalidRequest, NotFound
from likeness.gallery import By, Collections, NewReference, Size
from likeness.gallery.tables import CHANGED_SUBJECTS, SUBJECT_CHANGES, TAKEN_UP
from likeness.jobs import Mention, keep_mentions, mentions_of
from likeness.ledger.tables import SUBJECT_KEYS
from likeness.policy import enable_pack, read_pack
from likeness.review import Found, SampleFace, Search, Verdict, told_apart_from
from likeness.review.tables import CANDIDATES
from likeness.service.enrol import subject_changes as acts
from likeness.service.enrol.subject_changes import ChangedSubject
from likeness.service.enrol.subjects import list_references, list_subjects
from likeness.service.erase.certificates import verify_certificate
from likeness.service.erase.erase import erase_references
from likeness.service.erase.subjects import erase_subject
from likeness.service.govern.subject_report import report_on_subject
from likeness.service.move.export import export_collection
from likeness.service.move.import_ import import_collection, read_export
from likeness.service.uses import Caller, Home, NoSuchSubject, Rows
from likeness.terms import Box, Principal, Role
from likeness.vision.cohorts.cohort import Cohort
from tests.gallery.galleries import enrol
from tests.jobs.jobbing import Bench
from tests.review.judging import Desk
from tests.service.accounting import FACTS, NO_SEARCH
from tests.service.people import make, person


def caller(home: Home, operation: str = "test") -> Caller:
    return Caller(home.somebody, operation)


def people(home: Home, **seeds: list[int]) -> dict[str, list[UUID]]:
    """Enrol somebody of each name, with a reference for each seed."""
    new = [person(home, seed, name) for name, some in seeds.items() for seed in some]
    enrolled = iter(enrol(home.gallery, "staff", new))
    return {name: [next(enrolled).id for _ in some] for name, some in seeds.items()}


def rows(home: Home, table: Table) -> list[Any]:
    return home.database.read(lambda connection: list(connection.execute(select(table))))


def who_has(home: Home) -> dict[str, list[UUID]]:
    """Give everybody's references, by name."""
    found: dict[str, list[UUID]] = {}
    page = list_subjects(home, caller(home), "staff", after=lambda of: 0, limit=100)
    for one in page.listed:
        theirs = list_references(
            home,
            caller(home),
            "staff",
            subject=one.subject.name,
            after=lambda of: 0,
            limit=100,
        )
        assert len(theirs.listed) == one.references
        found[one.subject.name] = [each.reference.id for each in theirs.listed]
    assert page.total == len(found)
    return found


def named_by(home: Home, seed: int) -> str:
    """Say who a search by whole subjects, and one by references, name for a seed."""
    of, probe = home.gallery.collection("staff"), person(home, seed).template
    (best,) = of.search(probe, 1)
    names = {one.subject.name for one in of.search(probe, 1, By.SUBJECT) if one.subject}
    assert best.subject and names == {best.subject.name}
    return best.subject.name


def id_of(home: Home, name: str) -> UUID:
    return home.gallery.collection("staff").read(lambda its: its.subjects.get(name)).id


def rename(home: Home, subject: str, name: str) -> ChangedSubject:
    return acts.rename_subject(home, caller(home), "staff", subject, name)


def merge(home: Home, subject: str, into: str) -> ChangedSubject:
    return acts.merge_subjects(home, caller(home), "staff", subject, into)


def merge_all(home: Home, subjects: list[str], into: str) -> ChangedSubject:
    return acts.merge_subjects(home, caller(home), "staff", subjects, into)


def split(home: Home, subject: str, name: str, ids: list[UUID]) -> ChangedSubject:
    return acts.split_subject(home, caller(home), "staff", subject, name, ids)


def move(home: Home, subject: str, to: str, ids: list[UUID]) -> ChangedSubject:
    return acts.move_references(home, caller(home), "staff", subject, to, ids)


def name(home: Home, subject: str, ids: list[UUID]) -> ChangedSubject:
    return acts.name_references(home, caller(home), "staff", subject, ids)


def nobodys(home: Home, *seeds: int) -> list[UUID]:
    return [one.id for one in enrol(home.gallery, "staff", [person(home, one) for one in seeds])]


def undo(home: Home, subject: str) -> ChangedSubject:
    return acts.undo_subject_change(home, caller(home), "staff", subject)


def test_the_id_that_a_client_chose_for_faces_means_whose_they_are(home: Home) -> None:
    chosen = [(1, "Ada", "badge-1"), (2, "Ada L.", "badge-2"), (3, "Bob", "all"), (4, "Eve", "all")]
    of = [replace(person(home, seed, name), external_id=its) for seed, name, its in chosen]
    enrol(home.gallery, "staff", [*of, replace(person(home, 5), external_id="nobody")])

    acts.merge_subjects(home, caller(home), "staff", "badge-2", "badge-1")
    assert acts.rename_subject(home, caller(home), "staff", "badge-2", "A").subject.name == "A"
    assert acts.undo_subject_change(home, caller(home), "staff", "badge-1").subject.name == "Ada"
    with pytest.raises(Conflict, match=r"people.*: 'Bob', 'Eve'"):
        acts.rename_subject(home, caller(home), "staff", "all", "C")
    for name in ("nobody", "badge-3"):
        with pytest.raises(NoSuchSubject):
            acts.rename_subject(home, caller(home), "staff", name, "C")


def test_changes_are_searched_at_once_and_undone_by_one_act(home: Home) -> None:
    ids = people(home, Ada=[1, 2], Lovelace=[3, 4], Bo=[5])
    before, ada, lovelace = who_has(home), id_of(home, "Ada"), id_of(home, "Lovelace")
    assert named_by(home, 3) == "Lovelace"

    merged = merge(home, "Lovelace", "Ada")
    assert who_has(home) == {"Ada": [*ids["Ada"], *ids["Lovelace"]], "Bo": ids["Bo"]}
    assert home.gallery.collection("staff").size == Size(2, 5)
    assert (merged.references, set(merged.moved)) == (4, set(ids["Lovelace"]))
    assert [named_by(home, seed) for seed in (1, 3, 5)] == ["Ada", "Ada", "Bo"]
    with pytest.raises(NoSuchSubject):
        merge(home, "Lovelace", "Ada")

    undone = undo(home, "Ada")
    assert who_has(home) == before
    assert (undone.references, undone.other_references) == (2, 2)
    assert (id_of(home, "Ada"), id_of(home, "Lovelace")) == (ada, lovelace)
    assert [named_by(home, seed) for seed in (1, 3, 5)] == ["Ada", "Lovelace", "Bo"]

    divided = split(home, "Ada", "Byron", ids["Ada"][1:])
    assert divided.other is not None
    assert (divided.references, divided.other_references) == (1, 1)
    assert [named_by(home, seed) for seed in (1, 2)] == ["Ada", "Byron"]
    undo(home, "Byron")  # by either of the two
    assert who_has(home) == before
    assert named_by(home, 2) == "Ada"

    rename(home, "Ada", "Ada King")
    assert named_by(home, 1) == "Ada King"
    assert (id_of(home, "Ada King"), set(who_has(home))) == (ada, {"Ada King", "Lovelace", "Bo"})
    undo(home, "Ada King")
    assert who_has(home) == before

    with pytest.raises(NotFound, match="can be undone"):
        undo(home, "Ada")


def test_several_are_merged_and_undone_as_one_change(home: Home) -> None:
    ids = people(home, Ada=[1], Lovelace=[2], King=[3, 4], Bo=[5])
    before, there = who_has(home), {name: id_of(home, name) for name in ("Lovelace", "King")}
    both = acts.merge_subjects(home, caller(home), "staff", ["Lovelace", "King"], "Ada")
    assert [one.subject.name for one in both.others] == ["Lovelace", "King"]
    assert who_has(home) == {"Ada": [*ids["Ada"], *ids["Lovelace"], *ids["King"]], "Bo": ids["Bo"]}
    assert [named_by(home, seed) for seed in (1, 2, 4)] == ["Ada"] * 3

    undone = undo(home, "Ada")
    assert [one.references for one in undone.others] == [1, 2]
    assert who_has(home) == before
    assert {name: id_of(home, name) for name in there} == there
    assert [named_by(home, seed) for seed in (1, 2, 4)] == ["Ada", "Lovelace", "King"]


def test_faces_are_moved_to_somebody_else_and_back(home: Home) -> None:
    ids = people(home, Ada=[1, 2, 3], Bo=[4])
    before = who_has(home)
    moved = move(home, "Ada", "Bo", ids["Ada"][1:])
    assert (moved.references, moved.other_references) == (1, 3)
    assert [named_by(home, seed) for seed in (1, 2, 4)] == ["Ada", "Bo", "Bo"]
    assert who_has(home) == {"Ada": ids["Ada"][:1], "Bo": [*ids["Ada"][1:], *ids["Bo"]]}

    undo(home, "Bo")  # by either of the two
    assert who_has(home) == before
    assert [named_by(home, seed) for seed in (1, 2, 4)] == ["Ada", "Ada", "Bo"]


def test_faces_that_are_nobodys_are_named_and_unnamed_again(home: Home) -> None:
    ids = people(home, Ada=[1])
    known, new = nobodys(home, 2), nobodys(home, 3, 4)
    assert name(home, "Ada", known).references == 2
    made = name(home, "Eve", new)
    assert (made.references, made.others, made.is_gone) == (2, (), False)
    assert [named_by(home, seed) for seed in (1, 2, 4)] == ["Ada", "Ada", "Eve"]
    with pytest.raises(Conflict, match="somebody's already"):
        name(home, "Bo", new)

    assert not undo(home, "Ada").is_gone
    assert undo(home, "Eve").is_gone
    assert who_has(home) == ids
    assert home.gallery.collection("staff").size == Size(1, 4)
    assert rows(home, SUBJECT_CHANGES) == []
    assert name(home, "Eve", [*known, *new]).references == 3


def test_somebody_named_stays_who_has_got_another_face_since(sqlite_home: Home) -> None:
    home = sqlite_home
    name(home, "Eve", nobodys(home, 1))
    (later,) = people(home, Eve=[2])["Eve"]
    assert not undo(home, "Eve").is_gone
    assert who_has(home) == {"Eve": [later]}


def test_a_change_is_undone_until_the_next_of_the_same_subject(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1], Lovelace=[2], King=[3], Bo=[4])
    merge(home, "Lovelace", "Ada")
    merge(home, "Ada", "King")
    rename(home, "Bo", "Beau")

    undo(home, "King")
    assert who_has(home) == {
        "Ada": [*ids["Ada"], *ids["Lovelace"]],
        "King": ids["King"],
        "Beau": ids["Bo"],
    }
    for name in ("Ada", "King"):
        with pytest.raises(NotFound, match="can be undone"):
            undo(home, name)
    undo(home, "Beau")  # of which nobody else's change takes anything
    # Whoever was taken up stays so: an erasure of Ada takes Lovelace's id along.
    assert [row.by_id for row in rows(home, TAKEN_UP)] == [id_of(home, "Ada")]


def test_what_was_enrolled_or_moved_since_stays_where_it_is(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1], Lovelace=[2, 3])
    merge(home, "Lovelace", "Ada")
    (later,) = people(home, Ada=[4])["Ada"]
    of = home.gallery.collection("staff")
    taken = ids["Lovelace"][0]
    home.database.write(lambda c: of.within(c).take(id_of(home, "Ada"), [taken]))

    undo(home, "Ada")

    assert who_has(home) == {"Ada": [ids["Ada"][0], later], "Lovelace": ids["Lovelace"][1:]}


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda home, ids: merge(home, "Ada", "Ada"), InvalidRequest),
        (lambda home, ids: merge(home, "Ada", "Nobody"), NoSuchSubject),
        (lambda home, ids: merge(home, "Nobody", "Ada"), NoSuchSubject),
        (lambda home, ids: merge(home, "Ada", "Guest"), NoSuchSubject),
        (lambda home, ids: rename(home, "Ada", "Bo"), AlreadyExists),
        (lambda home, ids: rename(home, "Ada", "Ada"), AlreadyExists),
        (lambda home, ids: rename(home, "Ada", "Jose\u0301"), AlreadyExists),
        (lambda home, ids: rename(home, "Ada", "two\nlines"), InvalidRequest),
        (lambda home, ids: rename(home, "Ada", ""), InvalidRequest),
        (lambda home, ids: rename(home, "Ada", 300 * "a"), InvalidRequest),
        (lambda home, ids: rename(home, "Nobody", "Ada King"), NoSuchSubject),
        (lambda home, ids: split(home, "Ada", "Eve", []), InvalidRequest),
        (lambda home, ids: split(home, "Ada", "Eve", 2 * ids["Ada"]), InvalidRequest),
        (lambda home, ids: split(home, "Ada", "Eve", [uuid4()]), NotFound),
        (lambda home, ids: split(home, "Ada", "Eve", ids["Bo"]), Conflict),
        (lambda home, ids: split(home, "Ada", "Bo", ids["Ada"][:1]), AlreadyExists),
        (lambda home, ids: split(home, "Ada", "Ada", ids["Ada"][:1]), AlreadyExists),
        (lambda home, ids: merge_all(home, ["Ada", "Bo"], "Bo"), InvalidRequest),
        (lambda home, ids: merge_all(home, [], "Bo"), InvalidRequest),
        (lambda home, ids: merge_all(home, ["Bo", "Nobody"], "Ada"), NoSuchSubject),
        (lambda home, ids: move(home, "Ada", "Ada", ids["Ada"][:1]), InvalidRequest),
        (lambda home, ids: move(home, "Ada", "Bo", []), InvalidRequest),
        (lambda home, ids: move(home, "Ada", "Bo", ids["Ada"]), InvalidRequest),
        (lambda home, ids: move(home, "Ada", "Bo", ids["Bo"]), Conflict),
        (lambda home, ids: move(home, "Ada", "Nobody", ids["Ada"][:1]), NoSuchSubject),
        (lambda home, ids: name(home, "Eve", ids["Ada"]), Conflict),
        (lambda home, ids: name(home, "Eve", []), InvalidRequest),
        (lambda home, ids: name(home, "Eve", [uuid4()]), NotFound),
        (lambda home, ids: undo(home, "Ada"), NotFound),
        (lambda home, ids: undo(home, "Nobody"), NoSuchSubject),
    ],
)
def test_what_cannot_be_changes_nothing(
    sqlite_home: Home,
    act: Callable[[Home, dict[str, list[UUID]]], object],
    error: type[Exception],
) -> None:
    ids = people(sqlite_home, Ada=[1, 2], Bo=[3], **{"José": [4]})
    make(sqlite_home, "visitors")
    enrol(sqlite_home.gallery, "visitors", [person(sqlite_home, 5, "Guest")])
    before = who_has(sqlite_home)

    with pytest.raises(error):
        act(sqlite_home, ids)

    assert who_has(sqlite_home) == before


def test_a_name_that_is_taken_since_keeps_a_change_from_being_undone(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1], Lovelace=[2])
    merge(home, "Lovelace", "Ada")
    people(home, Lovelace=[3])

    with pytest.raises(AlreadyExists, match="by now"):
        undo(home, "Ada")

    rename(home, "Lovelace", "Another Lovelace")
    undo(home, "Ada")
    assert set(who_has(home)) == {"Ada", "Lovelace", "Another Lovelace"}


def test_a_merge_of_people_who_do_not_look_alike_is_remarked_on(sqlite_home: Home) -> None:
    home = sqlite_home
    ada, again, bo = (person(home, seed, name) for seed, name in ((1, "Ada"), (1, "A."), (2, "Bo")))
    enrol(home.gallery, "staff", [ada, like(again), bo])

    assert merge(home, "A.", "Ada").remarks == ()
    (remark,) = merge(home, "Bo", "Ada").remarks
    assert remark.startswith("All merged references look like none of the others.")

    off = [one for one in who_has(home)["Ada"] if one != who_has(home)["Ada"][-1]]
    undo(home, "Ada")
    (remark,) = split(home, "Ada", "Adele", off[:1]).remarks
    assert remark.startswith("All references split off look like some of the others.")


def test_where_nobody_may_search_a_change_tells_nothing_of_looks(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sqlite_home
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    people(home, Ada=[1], Bo=[2])
    rules = read_pack("no-search", FACTS, NO_SEARCH)
    home.database.write(lambda c: enable_pack(c, rules, {}, by="local:test", now=datetime.now(UTC)))

    assert merge(home, "Bo", "Ada").remarks == ()


def like(one: NewReference) -> NewReference:
    """Another picture of the same person."""
    vector = one.template.vector + np.float32(0.01)
    vector /= np.linalg.norm(vector)
    return replace(
        one, template=replace(one.template, vector=vector), sample_sha256=bytes(31) + b"2"
    )


def test_verdicts_and_candidates_follow_and_come_back(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1, 2], Lovelace=[3])
    ada, lovelace = id_of(home, "Ada"), id_of(home, "Lovelace")
    collection_id = home.gallery.collection("staff").id
    desk = Desk(home.database, home.keyring, home.clock())
    face = SampleFace(b"somebody", Box(0, 0, 50, 50))
    search = Search("key:searcher", collection_id, "SearchFaces", "missing-persons", (), face)
    case = desk.open([Found(ids["Lovelace"][0], lovelace, 90.0)], search)
    desk.decide(case, "ada", Verdict.NOT_SAME, 1)
    waiting = desk.open([Found(None, lovelace, 90.0)], replace(search, probe=b"another"))

    def apart(*some: UUID) -> set[UUID]:
        return home.database.read(
            lambda c: told_apart_from(
                c, home.keyring, collection_id, probe=face, candidate_ids=some, owed=1
            )
        )

    def candidates() -> set[UUID]:
        return {row.subject_id for row in rows(home, CANDIDATES)}

    assert apart(ada, lovelace) == {lovelace}
    merge(home, "Lovelace", "Ada")
    assert apart(ada) == {ada}
    assert candidates() == {ada}
    assert [one.id for one in desk.candidates(waiting)] == [ada]

    undo(home, "Ada")
    assert apart(ada, lovelace) == {lovelace}
    assert candidates() == {lovelace}

    merge(home, "Lovelace", "Ada")
    divided = split(home, "Ada", "Byron", ids["Lovelace"])
    assert divided.other is not None
    assert apart(divided.other.id, ada) == {divided.other.id, ada}


def test_what_was_said_of_several_who_are_merged_comes_back(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1], Lovelace=[2], King=[3])
    ada, lovelace, king = (id_of(home, one) for one in ("Ada", "Lovelace", "King"))
    collection_id = home.gallery.collection("staff").id
    desk = Desk(home.database, home.keyring, home.clock())
    face = SampleFace(b"somebody", Box(0, 0, 50, 50))
    search = Search("key:searcher", collection_id, "SearchFaces", "missing-persons", (), face)
    for number, one in enumerate((lovelace, king)):
        case = desk.open(
            [Found(None, one, 90.0)], replace(search, parameters=(("n", str(number)),))
        )
        desk.decide(case, "ada", Verdict.NOT_SAME, 1)

    def apart() -> set[UUID]:
        return home.database.read(
            lambda c: told_apart_from(
                c,
                home.keyring,
                collection_id,
                probe=face,
                candidate_ids=[ada, lovelace, king],
                owed=1,
            )
        )

    assert apart() == {lovelace, king}
    merge_all(home, ["Lovelace", "King"], "Ada")
    assert apart() == {ada, lovelace, king}
    undo(home, "Ada")
    assert apart() == {lovelace, king}


def test_candidates_follow_faces_that_are_moved_or_named(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1, 2], Bo=[3])
    (unnamed,) = nobodys(home, 4)
    ada, bo = id_of(home, "Ada"), id_of(home, "Bo")
    desk = Desk(home.database, home.keyring, home.clock())
    face = SampleFace(b"somebody", Box(0, 0, 50, 50))
    collection_id = home.gallery.collection("staff").id
    search = Search("key:searcher", collection_id, "SearchFaces", "missing-persons", (), face)
    desk.open([Found(ids["Ada"][0], ada, 90.0), Found(unnamed, None, 80.0)], search)

    def candidates() -> dict[UUID, UUID | None]:
        return {row.reference_id: row.subject_id for row in rows(home, CANDIDATES)}

    move(home, "Ada", "Bo", ids["Ada"][:1])
    assert candidates() == {ids["Ada"][0]: bo, unnamed: None}
    undo(home, "Ada")
    name(home, "Bo", [unnamed])
    assert candidates() == {ids["Ada"][0]: ada, unnamed: bo}
    undo(home, "Bo")
    assert candidates() == {ids["Ada"][0]: ada, unnamed: None}


def test_results_of_jobs_follow(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1], Lovelace=[2])
    bench = Bench(home.database, home.keyring)
    job = bench.running()
    bench.write(
        lambda c: keep_mentions(
            c,
            home.keyring,
            job.id,
            [Mention(1, 0, ids["Lovelace"][0], id_of(home, "Lovelace"), b"alike")],
            runner="runner 1",
        )
    )
    lovelace = id_of(home, "Lovelace")

    def subject() -> UUID | None:
        (mention,) = bench.read(lambda c: mentions_of(c, home.keyring, job.id))
        return mention.subject_id

    merge(home, "Lovelace", "Ada")
    assert subject() == id_of(home, "Ada")
    undo(home, "Ada")
    assert subject() == lovelace


def test_an_erasure_after_a_merge_takes_all_that_was_merged(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1], Lovelace=[2], King=[3], Bo=[4])
    gone = {id_of(home, name) for name in ("Ada", "Lovelace", "King")}
    merge(home, "Lovelace", "King")
    merge(home, "King", "Ada")

    certificate = erase_subject(home, caller(home), "staff", "Ada", lambda spelt, references: None)

    assert set(certificate.erased.subject_ids) == gone
    assert (certificate.erased.subjects, certificate.erased.references) == (1, 3)
    assert verify_certificate(home, caller(home), certificate).holds
    assert set(who_has(home)) == {"Bo"}
    for table in (SUBJECT_CHANGES, CHANGED_SUBJECTS, TAKEN_UP):
        assert rows(home, table) == []
    assert not gone & {row.id for row in rows(home, SUBJECT_KEYS)}


def test_an_erased_reference_takes_what_would_undo_a_change(sqlite_home: Home) -> None:
    home = sqlite_home
    ids = people(home, Ada=[1], Lovelace=[2], Bo=[3])
    merge(home, "Lovelace", "Ada")
    rename(home, "Bo", "Beau")

    erase_references(home, caller(home), "staff", ids["Lovelace"], lambda of: None)

    with pytest.raises(NotFound, match="was erased since"):
        undo(home, "Ada")
    undo(home, "Beau")


def test_a_change_is_admitted_and_on_record(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1], Bo=[2])
    auditor = Caller(Principal("key:eve", Role.AUDITOR), "test")
    with pytest.raises(Denied):
        acts.merge_subjects(home, auditor, "staff", "Ada", "Bo")
    with pytest.raises(NoSuchSubject):
        merge(home, "Ada", "Nobody")
    assert set(who_has(home)) == {"Ada", "Bo"}

    by = caller(home, "MergeSubjects")
    acts.merge_subjects(home, by, "staff", "Ada", "Bo")
    assert by.proof.receipt is not None
    assert home.ledger.receipt(by.proof.receipt)


def test_an_import_does_not_bring_back_who_was_merged_into_somebody_erased(
    sqlite_home: Home,
) -> None:
    home = sqlite_home
    people(home, Ada=[1], Lovelace=[2], Bo=[3])
    file = io.BytesIO()
    export_collection(home, caller(home), "staff", file, passphrase=None)
    merge(home, "Lovelace", "Ada")
    certificate = erase_subject(home, caller(home), "staff", "Ada", lambda spelt, references: None)
    erase_subject(home, caller(home), "staff", "Bo", lambda spelt, references: None)

    file.seek(0)
    done = import_collection(home, caller(home), read_export(file, lambda: ""), "copy")

    assert (done.left_out, done.collection.size) == (Size(3, 3), Size(0, 0))
    assert verify_certificate(home, caller(home), certificate).holds


def test_of_two_changes_at_once_one_comes_first_and_the_other_sees_it(home: Home) -> None:
    people(home, Ada=[1], Bo=[2], Cy=[3])
    both = threading.Barrier(2)

    def at_once(subject: str, into: str) -> str:
        both.wait()
        try:
            return merge(home, subject, into).subject.name
        except NoSuchSubject:
            return "too late"

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(at_once, ("Ada", "Bo"), ("Bo", "Ada")))
    assert sorted(done)[1] == "too late"
    assert {name: len(some) for name, some in who_has(home).items()} == {
        sorted(done)[0]: 2,
        "Cy": 1,
    }


def test_who_asks_about_somebody_is_told_of_those_who_were_merged_into_them(
    sqlite_home: Home,
) -> None:
    home = sqlite_home
    people(home, Ada=[1], Lovelace=[2])
    earlier = caller(home, "earlier")
    acts.rename_subject(home, earlier, "staff", "Lovelace", "A. Lovelace")
    merge(home, "A. Lovelace", "Ada")

    (report,) = report_on_subject(home, caller(home), "staff", "Ada").reports

    assert "earlier" in [one.entry.use.operation for one in report.uses]


def test_a_change_beside_a_server_is_searched_there_at_once(home: Home) -> None:
    people(home, Ada=[1], Lovelace=[2])
    assert named_by(home, 2) == "Lovelace"
    parts = {each.name: getattr(home, each.name) for each in fields(Rows)}
    collections = Collections(
        home.database, home.keyring, home.standards.cohort_of, Cohort.from_bytes
    )
    rows = Rows(**{**parts, "collections": collections})

    acts.merge_subjects(rows, caller(home), "staff", "Lovelace", "Ada")
    assert named_by(home, 2) == "Ada"
    acts.undo_subject_change(rows, caller(home), "staff", "Ada")
    assert named_by(home, 2) == "Lovelace"
