"""Changing models: what is there serves until what comes is whole, and then all of it switches."""

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Table, func, insert, select

from likeness.errors import AlreadyExists, Conflict, InvalidRequest, ModelMismatch
from likeness.gallery import By, Change, FoundAgain, Gallery, erasure_rows, staging
from likeness.gallery.erasing import Erasing
from likeness.gallery.tables import CHANGES, COHORTS, REFERENCES, STAGED
from likeness.index.exact_index import ExactIndex
from likeness.storage import Scrubbing
from likeness.terms import CohortStatistics, Template
from tests.gallery import erase
from tests.gallery.changing import (
    NEW_COHORT,
    NEW_LEFT,
    NEW_MODEL,
    OWN_COHORT,
    OWN_MEAN,
    begin_model,
    discard,
    fill,
    new_template,
    run,
    stage,
    take_cohort_along,
)
from tests.gallery.galleries import (
    COHORT,
    MODEL,
    Home,
    at,
    face,
    length,
    make,
    new,
    template,
    vector,
)

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LIKENESS_KILLS", "3"))


def names(gallery: Gallery, probe: Template, by: By = By.BEST, limit: int = 1) -> list[str]:
    return [one.subject.name for one in gallery.search("staff", probe, limit, by) if one.subject]


def rows(home: Home, table: Table) -> int:
    counted = select(func.count()).select_from(table)
    return home.database.read(lambda c: c.execute(counted).scalar_one())


def changed(home: Home, gallery: Gallery) -> Change:
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    gallery.switch(change)
    return change


def test_nothing_is_other_than_before_until_everything_is(home: Home, gallery: Gallery) -> None:
    fill(gallery)
    seal = gallery.open("staff")[1].seal
    before = home.database.read(lambda c: at(c, seal).references.page())
    change = begin_model(home, gallery)
    stage(home, gallery, change)

    for by in By:
        assert names(gallery, template(14), by) == ["person 7"]
    assert home.database.read(lambda c: at(c, seal).references.page()) == before

    assert gallery.switch(change) == []

    collection = gallery.collection("staff")
    assert (collection.model, collection.dimensions, collection.cohort_version) == (
        change.model,
        change.dimensions,
        change.cohort_version,
    )
    for by in (By.BEST, By.REFERENCE):
        for person in range(20):
            (best, *_) = gallery.search("staff", new_template(2 * person), 1, by)
            assert best.subject is not None and best.subject.name == f"person {person}"
    after = home.database.read(lambda c: at(c, seal).references.page())
    assert [(one.number, one.id, one.subject_number) for one in after] == [
        (one.number, one.id, one.subject_number) for one in before
    ]
    assert {one.cohort.version for one in after} == {change.cohort_version}
    assert {one.details.face.box.left for one in after} == {NEW_LEFT}
    assert [rows(home, table) for table in (STAGED, CHANGES)] == [0, 0]
    gallery.close()
    with home.open() as again:
        assert names(again, new_template(14)) == ["person 7"]


def test_reference_enrolled_meanwhile_keeps_the_switch_back(home: Home, gallery: Gallery) -> None:
    fill(gallery, 3)
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    (late,) = gallery.enrol("staff", [new(50, "late", external_id="50")])

    with pytest.raises(Conflict, match="1 references of collection"):
        gallery.switch(change)

    assert names(gallery, template(50)) == ["late"]
    assert gallery.collection("staff").cohort_version == COHORT
    assert gallery.collection("staff").read(lambda rows: rows.changes.unstaged(change)) == [
        late.number
    ]
    assert stage(home, gallery, change) == 1
    gallery.switch(change)
    assert names(gallery, new_template(50)) == ["late"]


def test_templates_of_the_old_model_are_refused_after_the_switch(
    home: Home, gallery: Gallery
) -> None:
    fill(gallery, 3)
    collection, opened = gallery.open("staff")
    changed(home, gallery)

    with pytest.raises(ModelMismatch, match="net@2"):
        gallery.search("staff", template(0), 1)
    with pytest.raises(ModelMismatch, match="net@2"):
        gallery.enrol("staff", [new(50)])
    with pytest.raises(ModelMismatch, match="net@2"):  # and to those who read it before
        home.database.write(
            lambda c: at(c, opened.seal, collection).references.enrol([new(50)], home.clock.now)
        )
    gallery.enrol("staff", [new(50, "late", template=new_template(50))])
    assert names(gallery, new_template(50)) == ["late"]


def test_a_cohort_that_came_along_evens_out_what_is_enrolled_and_searched(
    home: Home, gallery: Gallery
) -> None:
    assert gallery.kept_cohort(gallery.collection("staff")) is None
    take_cohort_along(home, gallery)
    gallery.enrol("staff", [new(50, "late")])

    kept = gallery.kept_cohort(gallery.collection("staff"))
    assert kept is not None and kept.calibration.measured_on == "itself"
    versions = home.database.read(
        lambda c: set(c.execute(select(REFERENCES.c.cohort_version)).scalars())
    )
    assert versions == {OWN_COHORT}
    for by in By:
        (best,) = gallery.search("staff", template(51), 1, by)
        distance = 1.0 - float(vector(50) @ vector(51))
        assert best.comparison.score == pytest.approx(-distance / (1.0 - OWN_MEAN), abs=1e-5)
    with pytest.raises(ModelMismatch):
        gallery.search("staff", template(50, model="other"), 1)


def test_another_model_leaves_the_cohort_that_came_along_behind(
    home: Home, gallery: Gallery
) -> None:
    take_cohort_along(home, gallery)
    fill(gallery, 3)
    changed(home, gallery)

    assert rows(home, COHORTS) == 0
    assert gallery.kept_cohort(gallery.collection("staff")) is None
    assert names(gallery, new_template(2)) == ["person 1"]


def test_face_is_known_again_where_the_new_model_sees_it(home: Home, gallery: Gallery) -> None:
    fill(gallery, 2)
    changed(home, gallery)
    again = new(1, "another", template=new_template(1), face=face(NEW_LEFT), external_id="1")

    with pytest.raises(AlreadyExists):
        gallery.enrol("staff", [again])


def test_reference_keeps_its_place_where_another_has_the_new_one(
    home: Home, gallery: Gallery
) -> None:
    """Two faces of one sample, and the new model sees the one where the other was."""
    one, other = gallery.enrol(
        "staff",
        [new(1, "Ada", external_id="1"), new(1, "Bo", face=face(NEW_LEFT), external_id="1")],
    )
    change = begin_model(home, gallery)
    seal = gallery.open("staff")[1].seal
    found = [
        FoundAgain(one, new_template(1), face(NEW_LEFT)),
        FoundAgain(other, new_template(2), face(NEW_LEFT)),
    ]
    home.database.write(lambda c: at(c, seal).changes.stage(change, found))
    gallery.switch(change)

    numbers = [each.number for each in (one, other)]
    kept = home.database.read(lambda c: at(c, seal).references.by_numbers(numbers))
    assert {each.id: each.details.face.box.left for each in kept.values()} == {
        one.id: face().box.left,
        other.id: NEW_LEFT,
    }
    assert names(gallery, new_template(1)) == ["Ada"]


# What may go wrong


def test_one_change_at_a_time(home: Home, gallery: Gallery) -> None:
    fill(gallery, 2)
    change = begin_model(home, gallery)

    assert begin_model(home, gallery) == change
    with pytest.raises(Conflict, match="is changing to net@2"):
        begin_model(home, gallery, cohort="another")
    stage(home, gallery, change)
    gallery.switch(change)
    with pytest.raises(InvalidRequest, match="nothing to do"):
        begin_model(home, gallery)
    with pytest.raises(Conflict, match="was ended"):
        gallery.switch(change)


def test_what_is_staged_has_to_be_of_the_new_model(home: Home, gallery: Gallery) -> None:
    fill(gallery, 1)
    change = begin_model(home, gallery)
    seal = gallery.open("staff")[1].seal
    (reference, _) = home.database.read(lambda c: at(c, seal).references.page())

    other_cohort = Template(new_template(1).vector, NEW_MODEL, CohortStatistics(0, COHORT))
    too_short = Template(vector(1), NEW_MODEL, CohortStatistics(0, NEW_COHORT))
    for wrong in (template(1), other_cohort, too_short):
        found = [FoundAgain(reference, wrong, face())]
        with pytest.raises(ModelMismatch):
            home.database.write(lambda c, found=found: at(c, seal).changes.stage(change, found))
    assert rows(home, STAGED) == 0


def test_discarded_change_leaves_everything_as_it_was(home: Home, gallery: Gallery) -> None:
    fill(gallery, 3)
    gallery.snapshot("staff")
    change = begin_model(home, gallery)
    stage(home, gallery, change)

    discard(home, gallery, change)
    gallery.erasing.finish([])

    assert [rows(home, table) for table in (STAGED, CHANGES)] == [0, 0]
    assert names(gallery, template(2)) == ["person 1"]
    assert list(home.snapshots.rglob("*.rows"))
    assert begin_model(home, gallery).ended_at is None


def test_references_left_out_are_erased_with_a_certificate(home: Home, gallery: Gallery) -> None:
    fill(gallery, 3)
    change = begin_model(home, gallery)
    stage(home, gallery, change, at_most=5)
    seal = gallery.open("staff")[1].seal
    left = gallery.collection("staff").read(lambda rows: rows.changes.unstaged(change))
    (reference,) = home.database.read(lambda c: at(c, seal).references.by_numbers(left)).values()

    (certificate,) = gallery.switch(change, [reference.id])

    assert certificate.erased.reference_numbers == (reference.number,)
    assert gallery.erasing.verify(certificate).holds
    assert gallery.size("staff").references == 5
    assert names(gallery, new_template(4)) == ["person 2"]


# Erasure


def test_erased_subject_is_staged_no_more(home: Home, gallery: Gallery) -> None:
    fill(gallery, 3)
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    seal = gallery.open("staff")[1].seal
    person = home.database.read(lambda c: at(c, seal).subjects.get("person 1"))
    statement = select(STAGED).order_by(STAGED.c.reference_number)
    staged = home.database.read(lambda c: c.execute(statement).all())

    certificate = erase.subject(gallery, "staff", person.id)

    assert gallery.erasing.verify(certificate).holds
    assert rows(home, STAGED) == 4
    gallery.switch(change)
    assert "person 1" not in names(gallery, new_template(2), limit=5)

    gone = [row._asdict() for row in staged if row.reference_number in (3, 4)]
    gallery.enrol("staff", [new(seed, template=new_template(seed)) for seed in (90, 91)])
    back = home.database.read(
        lambda c: c.execute(select(REFERENCES).where(REFERENCES.c.number > 6)).all()
    )
    home.database.write(lambda c: came_back(c, [row._asdict() for row in back], gone))
    assert gallery.erasing.verify(certificate).rows == 4


def came_back(connection: Any, back: list[dict[str, Any]], staged: list[dict[str, Any]]) -> None:
    """Put an erased person's rows back, as from a backup."""
    connection.execute(REFERENCES.delete().where(REFERENCES.c.number > 6))
    for row, number in zip(back, (3, 4), strict=True):
        connection.execute(insert(REFERENCES), {**row, "number": number})
    connection.execute(insert(STAGED), staged)


def test_erased_collection_takes_its_change_and_its_cohort_along(
    home: Home, gallery: Gallery
) -> None:
    take_cohort_along(home, gallery)
    fill(gallery, 3)
    stage(home, gallery, begin_model(home, gallery))
    cohort = home.database.read(lambda c: c.execute(select(COHORTS)).one())._asdict()

    certificate = erase.collection(gallery, "staff")

    assert gallery.erasing.verify(certificate).holds
    assert [rows(home, table) for table in (STAGED, CHANGES, COHORTS)] == [0, 0, 0]
    home.database.write(lambda c: c.execute(insert(COHORTS), cohort))
    assert gallery.erasing.verify(certificate).rows == 1


# Bytes


def test_what_was_replaced_is_on_the_disk_no_more(tmp_path: Path) -> None:
    home = Home(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with home.database, home.open() as gallery:
        make(gallery)
        fill(gallery, 40)
        gallery.snapshot("staff")
        replaced = sealed_vectors(home)
        segments = list(home.snapshots.rglob("*.rows"))
        assert all(piece in home.bytes_on_disk() for piece in replaced)

        changed(home, gallery)

        content = home.bytes_on_disk()
        assert all(piece in content for piece in sealed_vectors(home))
        assert not any(piece[-16:] in content for piece in replaced)
        assert not any(path.exists() for path in segments)


def sealed_vectors(home: Home) -> list[bytes]:
    statement = select(REFERENCES.c.sealed_vector)
    return [
        bytes(one) for one in home.database.read(lambda c: c.execute(statement).scalars().all())
    ]


# While others search


def test_searches_go_on_through_a_switch(home: Home, gallery: Gallery) -> None:
    fill(gallery, 30)
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    done = threading.Event()
    wrong: list[object] = []

    def search(by: By) -> None:
        while not done.is_set():
            for probe in (template(14), new_template(14)):
                try:
                    found = names(gallery, probe, by)
                except ModelMismatch:
                    continue  # the probe is of the other model
                except Exception as error:
                    wrong.append(error)
                else:
                    if found != ["person 7"]:
                        wrong.append(found)

    threads = [threading.Thread(target=search, args=(by,)) for by in By]
    for thread in threads:
        thread.start()
    gallery.switch(change)
    done.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert names(gallery, new_template(14)) == ["person 7"]


# A crash in between


class Crash(BaseException):
    """What a kill looks like from inside."""


class CountingIndex(ExactIndex):
    """Counts the vectors that it was given, by model."""

    given: ClassVar[Counter[str]] = Counter()

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        self.given[self.model] += len(ids)
        super().add(ids, vectors)


def make_counting(name: str, model: str, dimensions: int) -> CountingIndex:
    return CountingIndex(model, dimensions)


def test_indexes_of_the_new_model_are_made_before_the_switch(home: Home) -> None:
    CountingIndex.given.clear()
    with home.open(make_counting) as gallery:
        make(gallery)
        fill(gallery)
        change = begin_model(home, gallery)
        stage(home, gallery, change)
        gallery.switch(change)
        assert CountingIndex.given[NEW_MODEL] == 40 + 20

        for by in By:
            assert names(gallery, new_template(14), by) == ["person 7"]

        assert CountingIndex.given[NEW_MODEL] == 40 + 20


def test_what_happens_while_a_switch_is_prepared_is_in_the_new_indexes(
    home: Home, gallery: Gallery
) -> None:
    """Erased, taken, enrolled: the indexes that were made too early follow."""
    fill(gallery, 5)
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    gallery.enrol("staff", [new(50, "late", external_id="50")])
    with pytest.raises(Conflict, match="1 references of collection"):
        gallery.switch(change)
    seal = gallery.open("staff")[1].seal

    def theirs(name: str) -> tuple[UUID, list[UUID]]:
        subject = home.database.read(lambda c: at(c, seal).subjects.get(name))
        held = home.database.read(lambda c: at(c, seal).references.of_subject(subject.id))
        return subject.id, [one.id for one in held]

    erase.some_references(gallery, "staff", theirs("person 1")[1][:1])
    somebody, held = theirs("person 2")
    gallery.take_references("staff", somebody, held[:1])
    gallery.enrol("staff", [new(9, "person 4", external_id="90", face=face(200.0))])
    stage(home, gallery, change)

    gallery.switch(change)

    for seed, name in ((3, "person 1"), (5, "person 2"), (50, "late")):
        (best,) = gallery.search("staff", new_template(seed), 1, By.SUBJECT)
        assert best.subject is not None and best.subject.name == name
        assert best.comparison.raw_score > 0.999
    own = [new_template(seed).vector for seed in (8, 9, 90)]
    (best,) = gallery.search("staff", new_template(90), 1, By.SUBJECT)
    fused = np.sum(own, axis=0) / np.linalg.norm(np.sum(own, axis=0))
    assert best.comparison.raw_score == pytest.approx(float(fused @ own[2]), abs=1e-4)
    opened = gallery.open("staff")[1]
    assert (length(opened.references), length(opened.subjects)) == (11, 6)


@pytest.mark.parametrize("then", ["discarded", "erased"])
def test_indexes_that_were_prepared_in_vain_are_forgotten(home: Home, then: str) -> None:
    dropped = []

    class Dropped(ExactIndex):
        def drop(self) -> None:
            dropped.append(self.model)

    with home.open(lambda name, model, dimensions: Dropped(model, dimensions)) as gallery:
        make(gallery)
        fill(gallery, 3)
        change = begin_model(home, gallery)
        stage(home, gallery, change)
        gallery.enrol("staff", [new(50, "late", external_id="50")])
        with pytest.raises(Conflict):
            gallery.switch(change)
        if then == "erased":
            erase.collection(gallery, "staff")
            assert sorted(dropped) == sorted([MODEL, MODEL, NEW_MODEL, NEW_MODEL])
        else:
            discard(home, gallery, change)
            gallery.erasing.finish([])
            assert dropped == [NEW_MODEL, NEW_MODEL]
            assert names(gallery, template(2)) == ["person 1"]


@pytest.mark.parametrize("at", ["_forget_replaced", "scrub"])
def test_clearing_away_is_finished_at_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise Crash

    first = home.open()
    make(first)
    fill(first, 5)
    first.snapshot("staff")
    replaced = list(home.snapshots.rglob("*.rows"))
    change = begin_model(home, first)
    stage(home, first, change)
    with monkeypatch.context() as patch:
        patch.setattr(*((Erasing, at) if at == "_forget_replaced" else (staging, at)), crash)
        with pytest.raises(Crash):
            first.switch(change)
    first._lock.release()

    with home.open() as again:
        assert rows(home, CHANGES) == 0
        assert names(again, new_template(6)) == ["person 3"]
    assert replaced and not any(path.exists() for path in replaced)


def test_reader_in_the_way_of_clearing_away_is_told_of(
    home: Home, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(gallery, 2)
    change = begin_model(home, gallery)
    stage(home, gallery, change)
    with monkeypatch.context() as patch:
        patch.setattr(staging, "scrub", lambda *_: Scrubbing("a program reads", ()))
        with pytest.raises(Conflict, match="a program reads"):
            gallery.switch(change)

    assert names(gallery, new_template(2)) == ["person 1"]
    with pytest.raises(Conflict, match="is changing to"):
        begin_model(home, gallery, cohort="another")
    gallery.erasing.finish([])
    assert rows(home, CHANGES) == 0
    assert home.database.read(erasure_rows.pending) == []


def test_kill_9_leaves_a_collection_wholly_what_it_was_or_is_to_be(home: Home) -> None:
    with home.open() as gallery:
        make(gallery)
        fill(gallery)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.gallery.changing"])
    draw = random.Random(home.url[:6])
    for number in range(KILLS):
        hears, says = context.Pipe(duplex=False)
        program = context.Process(target=run, args=(home.url, home.folder, says))
        program.start()
        says.close()
        said = [hears.recv()]
        if number % 2:  # around the switch
            while said[-1] not in ("switching", "switched"):
                said.append(hears.recv())
        time.sleep(draw.random() * 0.03)
        program.kill()
        try:
            while True:
                said.append(hears.recv())
        except EOFError:
            hears.close()
        program.join()
        assert program.exitcode == -9
        with home.open() as again:
            is_new = check_whole(home, again)
            assert is_new or "switched" not in said
            if is_new:
                back_to_the_start(home, again)


def check_whole(home: Home, gallery: Gallery) -> bool:
    """See that everything is of one model and cohort; say whether of the new."""
    collection = gallery.collection("staff")
    is_new = collection.cohort_version != COHORT
    versions = home.database.read(
        lambda c: set(c.execute(select(REFERENCES.c.cohort_version)).scalars())
    )
    assert versions == {collection.cohort_version}
    assert collection.model == (NEW_MODEL if is_new else MODEL)
    for by in (By.BEST, By.REFERENCE):
        for person in range(20):
            probe = new_template(2 * person) if is_new else template(2 * person)
            assert names(gallery, probe, by) == [f"person {person}"]
    assert length(gallery.open("staff")[1].references) == 40
    assert rows(home, STAGED) <= (0 if is_new else 40)
    assert len(list(home.snapshots.glob("*/*"))) <= 1
    return is_new


def back_to_the_start(home: Home, gallery: Gallery) -> None:
    erase.collection(gallery, "staff")
    make(gallery)
    fill(gallery)
