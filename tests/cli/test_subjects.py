"""`likeness subjects`: people are renamed, merged, split, and made what they were."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import likeness as library
from likeness.errors import AlreadyExists

from .conftest import BLUE, RED
from .staff import Command, Make, employ


@pytest.fixture
def staff(likeness: Command, picture: Make) -> Command:
    employ(likeness, picture)
    return likeness


def subjects(staff: Command) -> dict[str, int]:
    listed = json.loads(staff("collections", "subjects", "staff", "--json").out)["subjects"]
    return {one["name"]: one["references"] for one in listed}


def ids_of(staff: Command, name: str) -> list[str]:
    answer = staff("collections", "references", "staff", "--subject", name, "--json").out
    return [one["id"] for one in json.loads(answer)["references"]]


def test_people_are_merged_split_renamed_and_made_what_they_were(staff: Command) -> None:
    before = {"Rosa": 2, "[bold]Greta": 1}
    of = ("--collection", "staff")
    assert subjects(staff) == before

    merged = staff("subjects", "merge", "[bold]Greta", "Rosa", *of)
    assert (merged.code, merged.err) == (0, "")
    assert merged.out.splitlines()[0] == "Merged [bold]Greta into Rosa: 1 reference changed hands."
    assert "To undo it: likeness subjects undo --collection staff Rosa" in merged.out
    assert subjects(staff) == {"Rosa": 3}
    answer = json.loads(staff("subjects", "undo", "Rosa", *of, "--json").out)
    assert (answer["change"], answer["undone"], answer["moved"]) == ("merge", True, 1)
    assert (answer["subject"]["references"], answer["other"]["name"]) == (2, "[bold]Greta")
    assert subjects(staff) == before

    one = ids_of(staff, "Rosa")[0]
    assert staff("subjects", "split", "Rosa", "Rosalind", *of, "--reference", one).code == 0
    assert subjects(staff) == {"Rosa": 1, "[bold]Greta": 1, "Rosalind": 1}
    assert staff("subjects", "undo", "Rosalind", *of).code == 0

    renamed = staff("subjects", "rename", "Rosa", "Rosa Parks", *of)
    assert renamed.out.splitlines()[0] == "Renamed to Rosa Parks."
    assert subjects(staff) == {"Rosa Parks": 2, "[bold]Greta": 1}
    undone = staff("subjects", "undo", "Rosa Parks", *of)
    assert undone.out.splitlines()[0] == "Undone: Rosa is the name again."
    assert subjects(staff) == before


def test_faces_are_moved_and_named(staff: Command) -> None:
    of = ("--collection", "staff")
    one = ids_of(staff, "Rosa")[0]
    moved = staff("subjects", "move", "Rosa", "[bold]Greta", *of, "--reference", one)
    assert moved.out.splitlines()[0] == "Moved 1 reference from Rosa to [bold]Greta."
    assert subjects(staff) == {"Rosa": 1, "[bold]Greta": 2}
    undone = staff("subjects", "undo", "Rosa", *of)
    assert undone.out.splitlines()[0] == "Undone: 1 reference changed hands."
    taken = staff("subjects", "name", "Eve", *of, "--reference", one)
    assert (taken.code, "is somebody's already" in taken.err) == (2, True)
    assert subjects(staff) == {"Rosa": 2, "[bold]Greta": 1}


def test_two_names_of_one_person_are_listed_and_enrolled_with_a_remark(
    staff: Command, picture: Make, tmp_path: Path
) -> None:
    new = picture("Rosalind.png", RED, side=150)
    of = ("--collection", "staff")
    enrolled = staff("enrol", *of, new, "--subject", "Rosalind", "--any-quality")
    assert "looks like 'Rosa' as well (similarity" in enrolled.out
    other = picture("Other.png", BLUE, side=150)
    refused = staff("enrol", *of, other, "--subject", "Rosa", "--any-quality", "--json")
    assert refused.code == 1
    assert json.loads(refused.out)["error"]["type"] == "Unlike"
    assert staff("enrol", *of, other, "--subject", "Rosa", "--any-quality", "--unlike").code == 0

    found = json.loads(staff("subjects", "check", *of, "--json").out)
    assert [set(one["subjects"]) for one in found["alike"]] == [{"Rosa", "Rosalind"}]
    assert [one["subject"] for one in found["unlike"]] == ["Rosa"]
    lines = staff("subjects", "check", *of).out.splitlines()
    assert "1 reference like none of the person's others, 1 pair of names" in lines[0]
    assert lines[-1].endswith("Rosalind Rosa")

    out = tmp_path / "staff.export"
    assert staff("export", *of, "--out", out, "--in-the-clear").code == 0
    assert staff("collections", "delete", "staff", "--yes").code == 0
    assert json.loads(staff("import", out, "--json").out)["unlike"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["merge", "Rosa", "Rosa"], "cannot be merged with themselves"),
        (["merge", "Rosa", "Nobody"], "No such subject 'Nobody'"),
        (["rename", "Rosa", "[bold]Greta"], "has that name. Choose another, or merge the two"),
        (["split", "Rosa", "Eve"], "Missing option '--reference'"),
        (["split", "Rosa", "Eve", "--reference", "here"], "is not an id such as"),
        (["undo", "Rosa"], "Nothing of subject"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    staff: Command, arguments: list[str], said: str
) -> None:
    outcome = staff("subjects", *arguments, "--collection", "staff")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    document: Any = json.loads(staff("subjects", *arguments, "--collection", "staff", "--json").out)
    assert said in document["error"]["message"]


def test_the_library_does_the_same(staff: Command) -> None:
    with library.open_subjects("staff") as people:
        done = people.merge("[bold]Greta", into="Rosa")
        assert (done.subject.name, done.references, len(done.moved)) == ("Rosa", 3, 1)
        people.undo("Rosa")
        people.rename("Rosa", "Rosa Parks")
        with pytest.raises(AlreadyExists):
            people.rename("Rosa Parks", "[bold]Greta")
        ids = [UUID(one) for one in ids_of(staff, "Rosa Parks")]
        people.split("Rosa Parks", "Rosa", references=ids[:1])
    assert subjects(staff) == {"Rosa Parks": 1, "[bold]Greta": 1, "Rosa": 1}
