"""Enrol, search, restart: the rows are the truth, and every index follows them."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, update

from likeness.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    KeyUnusable,
    ModelMismatch,
    NotFound,
    SnapshotUnusable,
)
from likeness.gallery import By, Candidate, Gallery, Size, stored_collections
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.index.exact_index import ExactIndex
from likeness.index.faiss_index import FaissIndex
from likeness.index.snapshot import FORMAT
from likeness.secrets import Keyring, TextKeys
from likeness.terms import CohortStatistics, Template
from tests.gallery import erase
from tests.gallery.galleries import (
    COHORT,
    MODEL,
    Home,
    at,
    face,
    length,
    make,
    make_exact,
    make_faiss,
    names_as_they_came,
    new,
    template,
    vector,
)


def names(candidates: list[Candidate]) -> list[str | None]:
    return [each.subject.name if each.subject else None for each in candidates]


# Collections


def test_collection_is_found_by_its_name(home: Home, gallery: Gallery) -> None:
    found = gallery.collection("staff")

    assert gallery.collections() == [found]
    assert found.created_at == home.clock.now
    with pytest.raises(NotFound, match="No such collection 'Staff'"):
        gallery.collection("Staff")


def test_collection_of_a_name_in_use_is_refused(gallery: Gallery) -> None:
    with pytest.raises(AlreadyExists, match=r"'staff' exists\. Choose another"):
        make(gallery)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "a\x00", "\ud800", "a\u2028b"])
def test_name_that_does_not_fit_a_line_is_refused(gallery: Gallery, name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make(gallery, name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidRequest):
        gallery.enrol("staff", [new(1, name)])
    with pytest.raises(InvalidRequest):
        gallery.collection(name)


@pytest.mark.parametrize("name", ["x" * 255, "Zoë 김민준 🙂", " staff", "O'Neil; DROP TABLE"])
def test_any_other_name_is_kept_as_it_is(gallery: Gallery, name: str) -> None:
    make(gallery, name)
    gallery.enrol(name, [new(1, name)])

    assert names(gallery.search(name, template(1), 1)) == [name]


# Composed (NFC) and decomposed (NFD).
COMPOSED, DECOMPOSED = "\u00dcnal", "U\u0308nal"


def test_a_name_is_found_in_either_spelling_and_kept_composed(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, DECOMPOSED), new(2, COMPOSED)])
    collection = gallery.collection("staff")
    assert collection.size == Size(1, 2)
    for name in (COMPOSED, DECOMPOSED):
        found = collection.read(lambda rows, name=name: rows.subjects.find(name))
        assert found is not None and found.name == COMPOSED
    make(gallery, DECOMPOSED)
    assert gallery.collection(COMPOSED).name == gallery.collection(DECOMPOSED).name == COMPOSED
    with pytest.raises(AlreadyExists):
        make(gallery, COMPOSED)


def test_an_external_id_is_kept_composed(gallery: Gallery) -> None:
    enrolled = gallery.enrol("staff", [new(1, external_id=DECOMPOSED)])
    assert enrolled[0].details.external_id == COMPOSED


def test_a_name_that_is_kept_decomposed_is_found_and_is_enrolled_further(
    gallery: Gallery,
) -> None:
    with names_as_they_came():
        gallery.enrol("staff", [new(1, DECOMPOSED)])
    gallery.enrol("staff", [new(2, COMPOSED)])
    assert gallery.size("staff") == Size(1, 2)


def test_two_subjects_that_differ_in_spelling_alone_stay_two_and_each_is_found_by_its_own(
    home: Home, gallery: Gallery
) -> None:
    collection = gallery.collection("staff")
    with names_as_they_came():
        gallery.enrol("staff", [new(1, DECOMPOSED), new(2, COMPOSED)])
    gallery.enrol("staff", [new(3, DECOMPOSED), new(4, COMPOSED)])
    assert gallery.size("staff") == Size(2, 4)
    for name in (COMPOSED, DECOMPOSED):
        found = collection.read(lambda rows, name=name: rows.subjects.find(name))
        assert found is not None and found.name == name


def test_keys_are_rewrapped_when_the_installations_is_rotated(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada")])
    keyring = home.keyring()
    (old,) = keyring.key_ids
    keyring.rotate()
    gallery.close()

    assert home.database.read(stored_collections.counts_by_key) == {old: 1}
    assert home.database.write(lambda c: stored_collections.rewrap_keys(c, keyring)) == 1
    assert home.database.write(lambda c: stored_collections.rewrap_keys(c, keyring)) == 0
    assert home.database.read(stored_collections.counts_by_key) == {keyring.key_ids[0]: 1}
    keyring.retire(old)

    with home.open() as again:
        assert names(again.search("staff", template(1), 1)) == ["Ada"]


# Enrolling


def test_enrolled_face_comes_back_as_it_went(home: Home, gallery: Gallery) -> None:
    given = new(1, "Ada", external_id="badge 7", expires_at=home.clock.now)

    (enrolled,) = gallery.enrol("staff", [given])

    collection, opened = gallery.open("staff")
    (read,) = home.database.read(lambda c: at(c, opened.seal).references.page())
    assert read == enrolled
    assert (read.details.face, read.details.external_id) == (given.face, "badge 7")
    kept = home.database.read(
        lambda c: at(c, opened.seal, collection).references.templates([read.number])
    )[read.number]
    assert (kept.vector == given.template.vector).all()
    assert (kept.model, kept.cohort) == (given.template.model, given.template.cohort)


def test_subject_is_made_once(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada")])
    gallery.enrol("staff", [new(3, "Ada"), new(4, "ada"), new(5)])

    seal = gallery.open("staff")[1].seal
    ada = home.database.read(lambda c: at(c, seal).subjects.get("Ada"))
    found = home.database.read(lambda c: at(c, seal).references.of_subject(ada.id))
    assert len(found) == 3
    size = gallery.size("staff")
    assert (size.subjects, size.references) == (2, 5)


def test_pages_hold_everything_once(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(7)])
    staff = gallery.collection("staff")

    for kind in ("references", "subjects"):
        seen = [0]
        while found := staff.read(
            lambda rows, kind=kind, after=seen[-1]: getattr(rows, kind).page(after=after, limit=3)
        ):
            seen += [each.number for each in found]
        assert len(seen) == 1 + 7
        assert seen == sorted(set(seen))


def test_pages_are_of_one_subject_or_of_some_ids(home: Home, gallery: Gallery) -> None:
    enrolled = gallery.enrol("staff", [new(seed, f"subject {seed % 2}") for seed in range(6)])
    make(gallery, "visitors")
    (visitor,) = gallery.enrol("visitors", [new(1)])
    seal = gallery.open("staff")[1].seal

    def page(**chosen: Any) -> list[int]:
        found = home.database.read(lambda c: at(c, seal).references.page(**chosen))
        return [enrolled.index(one) for one in found]

    odd = enrolled[1].subject_number
    assert page(subject_number=odd) == [1, 3, 5]
    assert page(subject_number=odd, after=enrolled[1].number, limit=1) == [3]
    assert page(ids=[enrolled[4].id, enrolled[1].id, uuid4(), visitor.id]) == [1, 4]
    assert page(ids=[enrolled[4].id, enrolled[1].id], subject_number=odd) == [1]
    assert page(ids=[]) == []


def test_sizes_of_subjects_are_counted(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(seed, "Ada" if seed else "Bo") for seed in range(3)])
    seal = gallery.open("staff")[1].seal
    home.database.write(lambda c: at(c, seal).subjects.create("Cy", home.clock.now))
    everybody = {
        one.name: one.number for one in home.database.read(lambda c: at(c, seal).subjects.page())
    }

    sizes = home.database.read(lambda c: at(c, seal).subjects.sizes(everybody.values()))

    assert sizes == {everybody["Bo"]: 1, everybody["Ada"]: 2}
    assert gallery.size("staff") == Size(3, 3)


def test_face_enrolled_twice_is_refused_and_nothing_with_it_stays(gallery: Gallery) -> None:
    (first,) = gallery.enrol("staff", [new(1, "Ada")])

    with pytest.raises(AlreadyExists, match=str(first.id)):
        gallery.enrol("staff", [new(2, "Bo"), new(1, "Bo")])

    assert gallery.size("staff").subjects == 1
    assert names(gallery.search("staff", template(2), 5)) == ["Ada"]


def test_face_enrolled_under_another_external_id_is_another_reference(gallery: Gallery) -> None:
    for external_id in (None, "badge 7", "badge 8"):
        gallery.enrol("staff", [new(1, external_id=external_id)])

    with pytest.raises(AlreadyExists):
        gallery.enrol("staff", [new(1, external_id="badge 7")])
    assert gallery.size("staff").references == 3


def test_two_faces_of_one_picture_are_two_references(gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(1, "Bo", face=face(left=90.0))])
    make(gallery, "visitors")
    gallery.enrol("visitors", [new(1, "Ada")])

    assert gallery.size("staff").references == 2


def test_sample_is_known_by_its_bytes_and_by_another_id_elsewhere(
    home: Home, gallery: Gallery
) -> None:
    make(gallery, "visitors")
    kept = [gallery.enrol(name, [new(1, "Rosa")])[0] for name in ("staff", "visitors")]
    gallery.enrol("staff", [new(2, "Greta")])
    seal = gallery.open("staff")[1].seal
    sha256 = new(1).sample_sha256
    sample_id = seal.sample_id(sha256)
    found = home.database.read(lambda c: at(c, seal).references.of_samples([sha256]))
    assert found == kept[:1]
    assert kept[1].sample_id != sample_id


def test_template_of_another_model_is_refused(gallery: Gallery) -> None:
    with pytest.raises(ModelMismatch, match="other"):
        gallery.enrol("staff", [new(1, template=template(1, model="other"))])
    with pytest.raises(ModelMismatch, match="other"):
        gallery.search("staff", template(1, model="other"), 1)


def test_template_of_another_cohort_is_evened_out_by_the_collections(gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada", template=template(1, mean=0.7, cohort="other"))])
    (best,) = gallery.search("staff", template(2, mean=0.7, cohort="other"), 1)
    assert best.reference is not None
    assert (best.reference.cohort.mean, best.reference.cohort.version) == (0.0, COHORT)
    distance = 1.0 - float(vector(1) @ vector(2))
    assert best.comparison.score == pytest.approx(-distance, abs=1e-5)


def test_template_moved_to_another_row_does_not_open(home: Home, gallery: Gallery) -> None:
    ada, bo = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bo")])
    hers = select(REFERENCES.c.sealed_vector).where(REFERENCES.c.id == ada.id).scalar_subquery()
    move = update(REFERENCES).where(REFERENCES.c.id == bo.id).values(sealed_vector=hers)
    home.database.write(lambda c: c.execute(move))

    assert names(gallery.search("staff", template(2), 2)) == ["Ada"]
    assert [str(one) for one in home.database.damage.rows] == [
        f"number {bo.number} of gallery_references"
    ]


# Searching


def test_best_candidate_comes_first(gallery: Gallery) -> None:
    gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(50)])

    for seed in range(50):
        best = gallery.search("staff", template(seed), 3)
        assert len(best) == 3
        assert names(best)[0] == f"subject {seed}"
        assert best[0].comparison.raw_score == pytest.approx(1.0, abs=1e-5)


def test_even_score_decides_over_the_raw_one(gallery: Gallery) -> None:
    nearer, farther = fused(1, 1, 1, 1, 2), fused(1, 1, 1, 2)
    crowded = Template(nearer, MODEL, CohortStatistics(0.9, COHORT))
    alone = Template(farther, MODEL, CohortStatistics(0.0, COHORT))
    gallery.enrol("staff", [new(1, "crowded", template=crowded), new(2, "alone", template=alone)])

    best = gallery.search("staff", template(1), 2)

    assert names(best) == ["alone", "crowded"]
    assert best[0].comparison.raw_score < best[1].comparison.raw_score
    distance = 1.0 - float(nearer @ vector(1))
    assert best[1].comparison.score == pytest.approx(-distance / 0.55, abs=1e-5)


def fused(*seeds: int) -> Any:
    mean = np.sum([vector(seed) for seed in seeds], axis=0)
    return mean / np.linalg.norm(mean)


def test_subject_comes_once_by_the_best_reference(gallery: Gallery) -> None:
    mine = [
        new(seed, "Ada", template=template(seed % 2), face=face(10.0 * seed)) for seed in range(300)
    ]
    gallery.enrol("staff", [*mine, new(999, "Bo"), new(998), new(997)])

    by_best = gallery.search("staff", template(0), 10)
    by_reference = gallery.search("staff", template(0), 10, By.REFERENCE)

    assert sorted(names(by_best), key=str) == ["Ada", "Bo", None, None]
    assert names(by_reference) == ["Ada"] * 10


def test_subject_is_compared_by_the_mean_of_their_references(gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada"), new(3, "Bo"), new(4)])

    def raw(seeds: tuple[int, ...]) -> float:
        (best,) = gallery.search("staff", template(1), 1, By.SUBJECT)
        assert best.reference is None
        assert names([best]) == ["Ada"]
        assert best.comparison.raw_score == pytest.approx(
            float(fused(*seeds) @ vector(1)), abs=1e-5
        )
        return best.comparison.raw_score

    raw((1, 2))
    (third,) = gallery.enrol("staff", [new(5, "Ada")])
    raw((1, 2, 5))
    erase.some_references(gallery, "staff", [third.id])
    raw((1, 2))


def test_enrolled_reference_is_searched_with_and_left_out(home: Home, gallery: Gallery) -> None:
    near = Template(fused(1, 1, 1, 2), MODEL, CohortStatistics(0.5, COHORT))
    first, *_ = gallery.enrol(
        "staff", [new(1, "Ada"), new(2, "Ada"), new(3, "Bo"), new(4, template=near)]
    )

    for by, expected in (
        (By.REFERENCE, [None, "Ada", "Bo"]),
        (By.BEST, [None, "Ada", "Bo"]),
        (By.SUBJECT, ["Ada", "Bo"]),
    ):
        found = gallery.search_reference("staff", first.id, 10, by)
        assert sorted(names(found), key=str) == sorted(expected, key=str)
        assert first.id not in [one.reference.id for one in found if one.reference]
    best = gallery.search_reference("staff", first.id, 1)[0].comparison
    assert best.raw_score == pytest.approx(float(near.vector @ vector(1)), abs=1e-5)
    assert best.score == pytest.approx(-(1.0 - best.raw_score) / 0.75, abs=1e-5)
    with pytest.raises(NotFound):
        gallery.search_reference("staff", uuid4(), 1)


def test_enrolled_subject_is_searched_with_and_left_out(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada"), new(3, "Bo"), new(4, "Cy"), new(5)])
    seal = gallery.open("staff")[1].seal
    ada = home.database.read(lambda c: at(c, seal).subjects.get("Ada"))
    nobody = home.database.write(lambda c: at(c, seal).subjects.create("Di", home.clock.now))

    found = gallery.search_subject("staff", ada.id, 10)

    assert sorted(names(found), key=str) == ["Bo", "Cy"]
    assert found[0].comparison.raw_score == pytest.approx(
        max(float(fused(1, 2) @ vector(seed)) for seed in (3, 4)), abs=1e-5
    )
    assert gallery.search_subject("staff", nobody.id, 10) == []
    with pytest.raises(NotFound):
        gallery.search_subject("staff", uuid4(), 1)


def test_limit_below_one_is_refused(gallery: Gallery) -> None:
    with pytest.raises(InvalidRequest):
        gallery.search("staff", template(1), 0)
    with pytest.raises(InvalidRequest):
        gallery.search_reference("staff", uuid4(), 0)
    with pytest.raises(InvalidRequest):
        gallery.search_subject("staff", uuid4(), 0)


def test_empty_collection_has_no_candidates(gallery: Gallery) -> None:
    for by in By:
        assert gallery.search("staff", template(1), 3, by) == []


@pytest.mark.slow
def test_many_threads_enrol_and_search(gallery: Gallery) -> None:
    def enrol(seed: int) -> bool:
        gallery.enrol("staff", [new(seed, f"subject {seed}")])
        found = [gallery.search("staff", template(seed), 1, by)[0] for by in (By.BEST, By.SUBJECT)]
        return names(found) == [f"subject {seed}"] * 2

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(enrol, range(200)))
    assert gallery.size("staff").references == 200


# Restart


@pytest.mark.slow
@pytest.mark.parametrize("make_index", [make_exact, make_faiss])
@pytest.mark.parametrize("closed", [True, False])
def test_everything_is_found_after_a_restart(home: Home, make_index: Any, closed: bool) -> None:
    first = home.open(make_index)
    make(first)
    first.enrol("staff", [new(seed, f"subject {seed}") for seed in range(100)])
    first.search("staff", template(1), 1, By.SUBJECT)
    first.search("staff", template(1), 1)
    first.snapshot("staff")
    enrolled = first.enrol("staff", [new(seed, f"subject {seed}") for seed in range(100, 150)])
    erase.some_references(first, "staff", [enrolled[0].id])
    if closed:
        first.close()
    else:
        first._lock.release()  # as a kill would

    with home.open(make_index) as again:
        opened = again.open("staff")[1]
        for by in (By.BEST, By.SUBJECT):
            for seed in {*range(0, 150, 7), 101, 149}:
                best = again.search("staff", template(seed), 1, by)
                assert names(best) == [f"subject {seed}"]
            assert "subject 100" not in names(again.search("staff", template(100), 1, by))
        assert (length(opened.references), length(opened.subjects)) == (149, 149)


def snapshotted(home: Home) -> None:
    with home.open() as gallery:
        make(gallery)
        gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(100)])
        gallery.search("staff", template(1), 1)


def damage(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "files, change",
    [
        ("manifest.json", damage),
        (
            "manifest.json",
            lambda content: content.replace(b'"format": %d' % FORMAT, b'"format": 99'),
        ),
        ("manifest.json", lambda content: b""),
        ("*.rows", damage),
        ("*.rows", lambda content: content[:-100]),
    ],
)
def test_snapshot_that_cannot_be_used_is_made_again_from_the_rows(
    home: Home, caplog: pytest.LogCaptureFixture, files: str, change: Any
) -> None:
    snapshotted(home)
    damaged = list(home.snapshots.rglob(files))
    for path in damaged:
        path.write_bytes(change(path.read_bytes()))

    with home.open() as again:
        assert names(again.search("staff", template(7), 1)) == ["subject 7"]
        assert length(again.open("staff")[1].references) == 100

    assert damaged
    assert "made again from the rows" in caplog.text
    caplog.clear()
    with home.open() as mended:
        assert names(mended.search("staff", template(7), 1)) == ["subject 7"]
    assert caplog.text == ""


def test_snapshot_is_used(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshotted(home)
    added: list[int] = []
    add = FaissIndex.add

    def count(self: FaissIndex, ids: Any, vectors: Any) -> None:
        added.extend(ids)
        add(self, ids, vectors)

    monkeypatch.setattr(FaissIndex, "add", count)
    with home.open() as again:
        again.enrol("staff", [new(100, "subject 100")])
        assert names(again.search("staff", template(7), 1)) == ["subject 7"]

    assert len(added) == 1


def test_snapshot_that_lost_or_won_rows_is_set_right(home: Home) -> None:
    snapshotted(home)
    with home.open() as gallery:
        numbers = [r.number for r in gallery.enrol("staff", [new(500, "late")])]
        gallery.search("staff", template(1), 1)
    gone = REFERENCES.c.number == numbers[0]
    home.database.write(lambda c: c.execute(REFERENCES.delete().where(gone)))

    with home.open() as again:
        assert "late" not in names(again.search("staff", template(500), 1))
        assert length(again.open("staff")[1].references) == 100
    assert not in_snapshots(home, numbers)


def in_snapshots(home: Home, numbers: list[int]) -> int:
    """Count references that the snapshot on disk holds."""
    with home.open() as gallery:
        return gallery.open("staff")[1].references.holds(np.array(numbers, np.int64))


def test_older_snapshot_put_back_loses_whom_it_should_not_hold(home: Home, tmp_path: Path) -> None:
    snapshotted(home)
    shutil.copytree(home.snapshots, tmp_path / "older")
    with home.open() as gallery:
        (ada,) = gallery.search("staff", template(7), 1)
        assert ada.subject is not None and ada.reference is not None
        erase.subject(gallery, "staff", ada.subject.id)
    assert not in_snapshots(home, [ada.reference.number])
    shutil.rmtree(home.snapshots)
    shutil.copytree(tmp_path / "older", home.snapshots)
    assert in_snapshots(home, [ada.reference.number])

    with home.open() as again:
        assert "subject 7" not in names(again.search("staff", template(7), 100))
        again.erasing.let_go()
        assert not again.open("staff")[1].references.holds(np.array([ada.reference.number]))
    assert not in_snapshots(home, [ada.reference.number])


def test_older_snapshot_put_back_means_nobody_by_what_is_erased(home: Home, tmp_path: Path) -> None:
    with home.open() as gallery:
        make(gallery)
        kept, gone = gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada")])
        gallery.search("staff", template(1), 1, By.SUBJECT)
    shutil.copytree(home.snapshots, tmp_path / "older")
    with home.open() as gallery:
        erase.some_references(gallery, "staff", [gone.id])
    shutil.rmtree(home.snapshots)
    shutil.copytree(tmp_path / "older", home.snapshots)

    with home.open() as again:
        again.search("staff", template(1), 1, By.SUBJECT)
        _, found = again.open("staff")[1].subjects.search(template(1).vector, 1)
        assert (found.ids[0], found.scores[0]) == (kept.subject_number, pytest.approx(1, abs=1e-3))


def test_wrong_key_opens_nothing_and_loses_nothing(home: Home) -> None:
    snapshotted(home)
    wrong = Keyring(TextKeys("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "a test"))

    with home.open(keyring=wrong) as gallery, pytest.raises(KeyUnusable, match="Restore that key"):
        gallery.search("staff", template(7), 1)

    with home.open() as again:
        assert names(again.search("staff", template(7), 1)) == ["subject 7"]


def test_second_opening_is_told_who_has_it(home: Home, gallery: Gallery) -> None:
    with pytest.raises(Conflict, match=f"Process {os.getpid()} .* has the gallery"):
        home.open()
    gallery.close()
    home.open().close()


# Failures in between


class FailingIndex(ExactIndex):
    """Fails to add as long as it is told to."""

    failing = False

    def add(self, ids: Any, vectors: Any) -> None:
        if self.failing:
            raise OSError("out of order")
        super().add(ids, vectors)


def test_index_that_fails_after_a_commit_catches_up_before_the_next_search(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.open(lambda name, model, dimensions: FailingIndex(model, dimensions)) as gallery:
        make(gallery)
        gallery.enrol("staff", [new(1, "Ada")])
        gallery.search("staff", template(1), 1)

        monkeypatch.setattr(FailingIndex, "failing", True)
        gallery.enrol("staff", [new(2, "Bo")])
        with pytest.raises(OSError, match="out of order"):
            gallery.search("staff", template(2), 1)

        monkeypatch.setattr(FailingIndex, "failing", False)
        assert names(gallery.search("staff", template(2), 2)) == ["Bo", "Ada"]


def test_service_puts_rows_of_its_own_into_the_same_transaction(
    home: Home, gallery: Gallery
) -> None:
    collection, opened = gallery.open("staff")

    def act(connection: Any) -> Any:
        return at(connection, opened.seal, collection).references.enrol(
            [new(1, "Ada")], home.clock.now
        )

    def fail(connection: Any) -> None:
        act(connection)
        raise LookupError("the ledger is full")

    with pytest.raises(LookupError):
        home.database.write(fail)
    assert gallery.search("staff", template(1), 1) == []

    gallery.follow(opened, home.database.write(act))
    assert names(gallery.search("staff", template(1), 1)) == ["Ada"]


def test_snapshots_are_written_in_the_background(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.gallery.indexes.SNAPSHOT_AFTER", 10)
    written = threading.Event()
    snapshot = FaissIndex.snapshot

    def tell(self: FaissIndex, *args: Any) -> None:
        snapshot(self, *args)
        written.set()

    monkeypatch.setattr(FaissIndex, "snapshot", tell)
    with home.open() as gallery:
        make(gallery)
        gallery.search("staff", template(1), 1)
        gallery.enrol("staff", [new(seed) for seed in range(20)])
        assert written.wait(30)


def test_snapshot_that_could_not_be_written_is_tried_again(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with home.open() as gallery:
        make(gallery)
        gallery.enrol("staff", [new(1, "Ada")])
        gallery.search("staff", template(1), 1)
        with monkeypatch.context() as patch, pytest.raises(SnapshotUnusable, match="full"):
            patch.setattr(FaissIndex, "snapshot", full_disk)
            gallery.snapshot("staff")
    assert list(home.snapshots.rglob("*.rows"))

    with home.open() as gallery:
        gallery.enrol("staff", [new(2, "Bo")])
        gallery.search("staff", template(2), 1)
        monkeypatch.setattr(FaissIndex, "snapshot", full_disk)
    assert "was not written, the next start is slower" in caplog.text
    with home.open() as gallery:
        assert names(gallery.search("staff", template(2), 1)) == ["Bo"]
        monkeypatch.undo()


def full_disk(*_: object) -> None:
    raise SnapshotUnusable("the disk is full")


def test_no_number_is_used_again(home: Home, gallery: Gallery) -> None:
    (first,) = gallery.enrol("staff", [new(1, "Ada")])
    subject = first.subject_number
    ada = gallery.search("staff", template(1), 1)[0].subject
    assert ada is not None
    erase.subject(gallery, "staff", ada.id)

    (second,) = gallery.enrol("staff", [new(1, "Ada")])

    assert second.number > first.number
    assert (second.subject_number or 0) > (subject or 0)
    count = select(func.count()).select_from(SUBJECTS)
    assert home.database.read(lambda c: c.execute(count).scalar_one()) == 1


# Several programs on one database


def test_who_another_program_enrols_or_assigns_is_found_at_once(
    home: Home, gallery: Gallery
) -> None:
    theirs = Home(home.url, home.folder / "theirs")
    with theirs.database, theirs.open(keyring=home.keyring()) as other:
        gallery.enrol("staff", [new(1, "Ada")])
        assert names(other.search("staff", template(1), 1)) == ["Ada"]
        assert names(other.search("staff", template(1), 1, By.SUBJECT)) == ["Ada"]

        gallery.enrol("staff", [new(2, "Bob")])
        assert names(other.search("staff", template(2), 1)) == ["Bob"]
        assert names(other.search("staff", template(2), 1, By.SUBJECT)) == ["Bob"]

        (unnamed,) = gallery.enrol("staff", [new(3)])
        (bob,) = [one.subject for one in other.search("staff", template(2), 1)]
        assert bob is not None
        gallery.give_references("staff", bob.id, [unnamed.id])
        (found,) = other.search("staff", template(3), 1, By.SUBJECT)
        assert found.subject == bob and found.comparison.raw_score > 0.5


def test_whom_another_program_erases_an_index_lets_go_of_at_the_next_search(
    home: Home, gallery: Gallery
) -> None:
    theirs = Home(home.url, home.folder / "theirs")
    with theirs.database, theirs.open(keyring=home.keyring()) as other:
        ada, bob, second = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob"), new(3, "Bob")])
        for by in (By.BEST, By.SUBJECT):
            other.search("staff", template(1), 1, by)
        (person,) = [one.subject for one in gallery.search("staff", template(1), 1)]
        assert person is not None
        erase.subject(gallery, "staff", person.id)
        erase.some_references(gallery, "staff", [second.id])

        assert names(other.search("staff", template(1), 3)) == ["Bob"]
        assert names(other.search("staff", template(1), 3, By.SUBJECT)) == ["Bob"]

        held = other.open("staff")[1]
        assert not held.references._index.contains(np.array([ada.number, second.number])).any()
        assert not held.subjects._index.contains(np.array([ada.subject_number])).any()
        _, mean = held.subjects.search(template(2).vector, 1)
        assert mean.ids[0] == bob.subject_number
        assert mean.scores[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("searches", [False, True])
def test_whom_another_program_erases_snapshots_let_go_of_soon(
    home: Home, gallery: Gallery, searches: bool
) -> None:
    theirs = Home(home.url, home.folder / "theirs")
    with theirs.database, theirs.open(keyring=home.keyring()) as other:
        ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
        other.search("staff", template(1), 1)
        other.snapshot("staff")
        references = other.open("staff")[1].references
        ours = np.array([ada.number, bob.number])
        erase.some_references(gallery, "staff", [ada.id])
        if searches:
            other.search("staff", template(1), 1)
        assert references.holds(ours) == 2

        other.erasing.let_go()

        assert references.holds(ours) == 1
        assert references.holds(ours[:1]) == 0


def test_a_collection_that_another_program_erases_leaves_memory_and_disk_soon(
    home: Home, gallery: Gallery
) -> None:
    theirs = Home(home.url, home.folder / "theirs")
    with theirs.database, theirs.open(keyring=home.keyring()) as other:
        make(gallery, "kept")
        gallery.enrol("staff", [new(1, "Ada")])
        for name in ("staff", "kept"):
            other.search(name, template(1), 1)
        other.snapshot("staff")
        assert list(theirs.snapshots.rglob("*.rows"))
        erase.collection(gallery, "staff")

        other.erasing.let_go()

        assert not list(theirs.snapshots.rglob("*.rows"))
        assert len(other.in_use._open) == 1
