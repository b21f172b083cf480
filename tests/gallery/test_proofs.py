"""What is in the clear in the rows: nobody who has no key changes it unnoticed."""

import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select, update

from likeness.errors import KeyUnusable
from likeness.gallery import By, Gallery, Reference
from likeness.gallery.tables import COHORTS, REFERENCES, SUBJECTS
from tests.gallery import changing, erase
from tests.gallery.galleries import Home, at, new, template


def change(home: Home, number: int, **values: Any) -> None:
    """Change a reference's row, as somebody does who has no key."""
    chosen = update(REFERENCES).where(REFERENCES.c.number == number)
    home.database.write(lambda c: c.execute(chosen.values(values)))


def left_out(home: Home) -> set[str]:
    """Name the rows that were found damaged and left out."""
    return {str(one) for one in home.database.damage.rows}


def numbered(*references: Reference) -> set[str]:
    return {f"number {one.number} of gallery_references" for one in references}


@pytest.mark.parametrize("by", [By.BEST, By.REFERENCE])
@pytest.mark.parametrize("values", [{"cohort_mean": -9.0}, {"statistics_proof": None}])
def test_a_reference_that_was_made_to_resemble_everybody_is_left_out(
    home: Home, gallery: Gallery, by: By, values: dict[str, Any]
) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
    change(home, ada.number, **values)
    # Alike by raw score or not at all: the changed row comes first.
    raw = float(template(3).vector @ template(1).vector)
    probe = template(3) if raw > 0 else template(1)
    (found,) = gallery.search("staff", probe, 1, by)
    assert found.reference == bob
    assert left_out(home) == numbered(ada)


@pytest.mark.parametrize("by", By)
def test_a_reference_that_was_given_to_another_subject_is_left_out(
    home: Home, gallery: Gallery, by: By
) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
    gallery.search("staff", template(1), 1, by)
    change(home, ada.number, subject_number=bob.subject_number)
    found = gallery.search("staff", template(1), 2, by)
    # Nobody can say what is fused of a subject's references when one may be another's.
    assert [one.reference for one in found] == ([] if by is By.SUBJECT else [bob])
    assert left_out(home) == numbered(ada)


def test_a_name_that_was_given_to_nobodys_reference_is_not_said(
    home: Home, gallery: Gallery
) -> None:
    nobody, bob = gallery.enrol("staff", [new(1), new(2, "Bob")])
    change(home, nobody.number, subject_number=bob.subject_number)
    assert [one.reference for one in gallery.search("staff", template(1), 1)] == [bob]
    change(home, nobody.number, subject_number=None)
    (found,) = gallery.search("staff", template(1), 1)
    assert found.subject is None


def test_subjects_that_changed_places_are_left_out(home: Home, gallery: Gallery) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])

    def swap(connection: Connection) -> None:
        columns = [SUBJECTS.c[name] for name in ("id", "sealed_name", "name_digest")]
        mine, theirs = connection.execute(select(*columns).order_by(SUBJECTS.c.number)).all()
        aside = {"id": uuid4(), "name_digest": bytes(32)}
        for number, values in (
            (bob.subject_number, aside),
            (ada.subject_number, theirs._asdict()),
            (bob.subject_number, mine._asdict()),
        ):
            connection.execute(update(SUBJECTS).where(SUBJECTS.c.number == number).values(values))

    home.database.write(swap)
    for by in By:
        assert gallery.search("staff", template(1), 1, by) == []
    assert left_out(home) == numbered(ada, bob)


def test_a_name_is_nobody_elses_by_a_digest_that_was_moved(home: Home, gallery: Gallery) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])

    def move(connection: Connection) -> None:
        ours = SUBJECTS.c.number == ada.subject_number
        digest = connection.execute(select(SUBJECTS.c.name_digest).where(ours)).scalar_one()
        for number, value in ((ada.subject_number, bytes(32)), (bob.subject_number, digest)):
            at = update(SUBJECTS).where(SUBJECTS.c.number == number)
            connection.execute(at.values(name_digest=value))

    home.database.write(move)
    seal = gallery.open("staff")[1].seal
    with pytest.raises(KeyUnusable, match="name of subject"):
        home.database.read(lambda c: at(c, seal).subjects.get("Ada"))
    with pytest.raises(KeyUnusable, match="name of subject"):
        gallery.enrol("staff", [new(3, "Ada")])


def test_templates_that_changed_numbers_are_left_out(home: Home, gallery: Gallery) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
    gallery.search("staff", template(1), 1)

    def swap(connection: Connection) -> None:
        columns = ("id", "sealed_vector", "sealed_details", "face_digest", "subject_number")
        chosen = select(*(REFERENCES.c[name] for name in columns)).order_by(REFERENCES.c.number)
        mine, theirs = connection.execute(chosen).all()
        aside = {"id": uuid4(), "face_digest": bytes(32)}
        for number, values in (
            (bob.number, aside),
            (ada.number, theirs._asdict()),
            (bob.number, mine._asdict()),
        ):
            at = update(REFERENCES).where(REFERENCES.c.number == number)
            connection.execute(at.values(values))

    home.database.write(swap)
    assert gallery.search("staff", template(1), 1) == []
    assert left_out(home) == numbered(ada, bob)


def test_what_was_changed_travels_nowhere_and_is_nobodys_probe(
    home: Home, gallery: Gallery
) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
    change(home, ada.number, subject_number=bob.subject_number)
    _, opened = gallery.open("staff")
    assert home.database.read(lambda c: at(c, opened.seal).references.page()) == [bob]
    with pytest.raises(KeyUnusable):
        gallery.search_reference("staff", ada.id, 1)
    subject = home.database.read(lambda c: at(c, opened.seal).subjects.get("Bob"))
    with pytest.raises(KeyUnusable):
        gallery.search_subject("staff", subject.id, 1)


def test_what_was_changed_is_given_to_nobody_and_can_be_taken_and_erased(
    home: Home, gallery: Gallery
) -> None:
    ada, bob = gallery.enrol("staff", [new(1, "Ada"), new(2, "Bob")])
    seal = gallery.open("staff")[1].seal
    subject = home.database.read(lambda c: at(c, seal).subjects.get("Bob"))
    change(home, ada.number, subject_number=None)
    with pytest.raises(KeyUnusable):
        gallery.give_references("staff", subject.id, [ada.id])
    change(home, ada.number, subject_number=bob.subject_number)

    gallery.take_references("staff", subject.id, [ada.id])
    (found,) = gallery.search("staff", template(1), 1)
    assert found.subject is None

    erase.some_references(gallery, "staff", [ada.id])
    assert [one.subject for one in gallery.search("staff", template(2), 2)] == [subject]


def test_what_scores_mean_by_a_cohort_that_came_along_cannot_be_changed(
    home: Home, gallery: Gallery
) -> None:
    changing.take_cohort_along(home, gallery)
    assert gallery.kept_cohort(gallery.collection("staff")) is not None
    gallery.close()

    def soften(connection: Connection) -> None:
        (row,) = connection.execute(select(COHORTS)).all()
        meaning = {**json.loads(row.calibration), "pairs": 10**9}
        connection.execute(update(COHORTS).values(calibration=json.dumps(meaning)))

    home.database.write(soften)
    with home.open() as again, pytest.raises(KeyUnusable):
        again.kept_cohort(again.collection("staff"))


def test_rows_put_back_without_proofs_are_left_out(home: Home, gallery: Gallery) -> None:
    (ada,) = gallery.enrol("staff", [new(1, "Ada")])
    change(home, ada.number, statistics_proof=None, subject_proof=None)
    assert gallery.search("staff", template(1), 1) == []
    assert left_out(home) == numbered(ada)
