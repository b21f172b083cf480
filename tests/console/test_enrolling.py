"""Enrolling people on a page, with and without its script."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from likeness.terms import Role
from tests.console.collections import AMIR, LIN, PICTURES, ROSA, enrol, make_collection, subject_ids
from tests.console.conftest import Pages
from tests.console.people import Person, Shown
from tests.rekognition.operations.discs import GREEN, RED, disc, encoded, grey

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def admin(pages: Pages) -> Person:
    return pages.person()


@pytest.fixture
def name(pages: Pages, admin: Person) -> str:
    return make_collection(pages, admin)


def send(by: Person, name: str, *files: tuple[str, bytes], **fields: Any) -> Shown:
    path = f"/console/collections/{name}/enrol"
    return by.send(by.see(path), path, fields, files=[("pictures", one) for one in files])


def told(shown: Shown) -> Sequence[dict[str, str]]:
    results: list[dict[str, str]] = json.loads(shown.html)["results"]
    return results


def test_pictures_of_one_person_are_enrolled(pages: Pages, admin: Person, name: str) -> None:
    files = [(f"{n}.png", disc(RED, side=96 + n)) for n in range(2)]
    shown = send(admin, name, *files, whose="one", subject=ROSA)
    assert "Enrolled: 2, Enrolled already: 0, Rejected: 0" in shown.text
    assert list(subject_ids(pages, name)) == [ROSA]
    again = send(admin, name, *files, whose="one", subject=ROSA)
    assert "Enrolled: 0, Enrolled already: 2" in again.text


def test_people_are_named_by_files_and_by_folders(pages: Pages, admin: Person, name: str) -> None:
    enrol(admin, name, ROSA, AMIR)
    assert list(subject_ids(pages, name)) == [ROSA, AMIR]
    by_folder = send(
        admin, name, ("x", PICTURES[LIN]), whose="folder", place=f"album/{LIN}/1.png", as_json="y"
    )
    assert [one["subject"] for one in told(by_folder)] == [LIN]
    assert list(subject_ids(pages, name)) == [ROSA, AMIR, LIN]


def test_each_rejection_has_its_reason(pages: Pages, admin: Person, name: str) -> None:
    shown = send(
        admin,
        name,
        ("nobody.png", grey(96, 96)),
        ("several.png", disc(RED, GREEN)),
        ("text.png", b"not a picture"),
        ("empty.png", b""),
        ("Rosa.png", PICTURES[ROSA]),
        whose="file",
    )
    assert "Enrolled: 1, Enrolled already: 0, Rejected: 4" in shown.text
    for said in ("No face found", "2 faces", "Not a supported picture", "no bytes"):
        assert said in shown.text, shown.text
    assert "--" not in shown.text
    assert 'enrol the largest (under "What else to take")' in shown.text
    foremost = send(
        admin, name, ("several.png", disc(RED, GREEN)), whose="file", foremost="yes", unlike="yes"
    )
    assert "Enrolled: 1" in foremost.text


def test_a_picture_of_200_megapixels_is_rejected(admin: Person, name: str) -> None:
    header = bytearray(encoded(np.zeros((1, 1, 3))))
    header[16:24] = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big")
    shown = send(admin, name, ("huge.png", bytes(header)), whose="file")
    assert "Rejected: 1" in shown.text


@pytest.mark.parametrize(
    ("files", "fields", "field"),
    [
        ([], {"whose": "file"}, "pictures"),
        ([("x.png", disc(RED))], {"whose": "one", "subject": " "}, "subject"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(
    admin: Person, name: str, files: list[tuple[str, bytes]], fields: dict[str, str], field: str
) -> None:
    shown = send(admin, name, *files, **fields)
    assert shown.status == 400
    assert f'id="{field}-wrong"' in shown.html


def test_names_that_cannot_be_kept_are_rejections(admin: Person, name: str) -> None:
    for subject in ("x" * 300, "a\u2028b"):
        shown = send(admin, name, ("a.png", disc(RED)), whose="one", subject=subject)
        assert "Rejected: 1" in shown.text


def test_a_hostile_name_is_only_a_name(pages: Pages, admin: Person, name: str) -> None:
    shown = send(admin, name, ("x.png", disc(RED)), whose="one", subject=SCRIPT)
    assert SCRIPT not in shown.html
    assert SCRIPT not in admin.see(f"/console/collections/{name}").html
    person = admin.see(f"/console/collections/{name}/subjects/{subject_ids(pages, name)[SCRIPT]}")
    assert SCRIPT in person.text
    assert SCRIPT not in person.html


def test_roles_that_may_not_enrol_are_refused(pages: Pages, name: str) -> None:
    reviewer = pages.person(Role.REVIEWER)
    assert reviewer.see(f"/console/collections/{name}/enrol").status == 403


def test_a_form_that_is_too_large_is_refused(admin: Person, name: str) -> None:
    shown = send(admin, name, ("x.png", bytes(25 << 20)), whose="file")
    assert shown.status == 413
