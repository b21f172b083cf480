"""One row that cannot be read keeps nobody from the others: it is named, and left out."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from likeness.errors import KeyUnusable
from likeness.gallery import By, Gallery
from tests.gallery.galleries import Home, at, create, new, template

NONSENSE = ["'text'", "x'00'", "x'ff'", "7", "CAST(x'ff' AS TEXT)", "-1e300", "zeroblob(70)"]
OF_REFERENCES = [
    "id",
    "sample_id",
    "face_digest",
    "sealed_vector",
    "sealed_details",
    "cohort_mean",
    "cohort_version",
    "statistics_proof",
    "subject_proof",
    "created_at",
    "expires_at",
]


def damage(home: Home, table: str, column: str, value: str, number: int) -> None:
    """Write something else into a row, as a failing disk does, or somebody who has no key."""
    change = text(f"UPDATE {table} SET {column} = {value} WHERE number = {number}")
    home.database.write(lambda c: c.execute(change))


def pages(home: Home, gallery: Gallery, kind: str) -> list[Any]:
    """Everybody of one kind, two at a time."""
    seal, found, last = gallery.open("staff")[1].seal, list[Any](), 0

    def read(connection: Connection) -> list[Any]:
        page: list[Any] = getattr(at(connection, seal), kind).page(after=last, limit=2)
        return page

    while page := home.database.read(read):
        found += page
        last = page[-1].number
    return found


@pytest.fixture
def sqlite_home(home: Home) -> Home:
    """Only there a value can be of another type than its column."""
    if home.database.writing_engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL holds every value to its type")
    return home


@pytest.mark.parametrize("column", OF_REFERENCES)
def test_a_damaged_reference_is_left_out_of_lists_and_searches(
    sqlite_home: Home, gallery: Gallery, column: str
) -> None:
    people = gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(6)])
    gallery.search("staff", template(0), 1)
    for value, one in zip(NONSENSE, people[1:4], strict=False):
        damage(sqlite_home, "gallery_references", column, value, one.number)
    sound = {people[0].id, *(one.id for one in people[4:])}
    gallery.close()  # what indexes hold is read anew, too
    with sqlite_home.open() as again:
        for by in By:
            found = again.search("staff", template(0), 6, by)
            assert found[0].comparison.raw_score == pytest.approx(1.0, abs=1e-5)
            assert len(found) >= 3
        listed = pages(sqlite_home, again, "references")
        assert {one.id for one in listed} >= sound - ({one.id for one in people[1:4]})
        if column not in ("sealed_vector", "face_digest"):  # read by what needs them alone
            assert {one.id for one in listed} == sound
            assert len(sqlite_home.database.damage.rows) == 3


@pytest.mark.parametrize("column", ["id", "sealed_name", "created_at"])
@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
def test_a_damaged_subject_is_left_out_of_lists_and_searches(
    sqlite_home: Home, gallery: Gallery, column: str, value: str
) -> None:
    people = gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(5)])
    number = people[1].subject_number
    assert number is not None
    damage(sqlite_home, "gallery_subjects", column, value, number)
    listed = pages(sqlite_home, gallery, "subjects")
    if (column, value) not in (("created_at", "7"), ("created_at", "x'00'")):
        assert [one.name for one in listed] == [f"subject {seed}" for seed in (0, 2, 3, 4)]
    for by in By:
        names = {
            one.subject.name for one in gallery.search("staff", template(0), 5, by) if one.subject
        }
        assert names >= {f"subject {seed}" for seed in (0, 2, 3, 4)}


@pytest.mark.parametrize(
    "damage",
    [
        "id = 'text'",
        "model = x'00'",
        "dimensions = x'00'",
        "cohort_version = x'00'",
        "retention_days = 'text'",
        "created_at = 'text'",
        "reference_count = 'text'",
    ],
)
def test_a_damaged_collection_is_left_out_of_lists_and_refused_by_name(
    sqlite_home: Home, gallery: Gallery, damage: str
) -> None:
    create(gallery, "more", model="m", dimensions=2, cohort_version="c")
    change = text(f"UPDATE gallery_collections SET {damage} WHERE name = 'staff'")
    sqlite_home.database.write(lambda c: c.execute(change))
    assert [one.name for one in gallery.collections()] == ["more"]
    with pytest.raises(KeyUnusable, match="Restore it from a backup"):
        gallery.collection("staff")


def test_pages_go_on_behind_many_damaged_rows(home: Home, gallery: Gallery) -> None:
    people = gallery.enrol("staff", [new(seed, f"subject {seed}") for seed in range(7)])
    for one in people[1:6]:
        change = text("UPDATE gallery_references SET sealed_details = sealed_vector")
        number = f" WHERE number = {one.number}"
        home.database.write(lambda c, said=f"{change}{number}": c.execute(text(said)))
    assert [one.id for one in pages(home, gallery, "references")] == [people[0].id, people[6].id]
    assert len(home.database.damage.rows) == 5


def test_a_damaged_row_is_said_once_in_the_log(
    home: Home, gallery: Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    (one,) = gallery.enrol("staff", [new(1, "Ada")])
    change = f"UPDATE gallery_references SET cohort_mean = 0.5 WHERE number = {one.number}"
    home.database.write(lambda c: c.execute(text(change)))
    for _ in range(3):
        pages(home, gallery, "references")
    said = [each.message for each in caplog.records if "is damaged" in each.message]
    assert len(said) == 1
    assert str(one.id) in said[0]
