"""A gallery made of a folder, which knows its own strangers where it has enough people."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ModelMismatch
from likeness.service.search.folder_gallery import FolderGallery, Reference
from likeness.terms import SAME_PICTURE, Calibration, SeenFace, compare
from tests.gallery.galleries import COHORT, MODEL, StrangersCohort, face, template, vector

KNOWN = Calibration(MODEL, COHORT, (-2.0, -0.5), (1.0, 1e-4), 10**6, "anybody", one_person=0.97)


def seen(seed: int) -> SeenFace:
    return SeenFace(hashlib.sha256(b"%d" % seed).digest(), face().box)


def gallery(people: int, pictures: int = 2) -> FolderGallery:
    return FolderGallery(
        tuple(
            Reference(f"person {n}", Path(f"{n}/{k}.png"), template(seed), seen(seed))
            for n in range(people)
            for k in range(pictures)
            for seed in [pictures * n + k]
        ),
        (),
    )


def test_fewer_than_thirty_people_are_not_measured_whatever_pictures_they_have() -> None:
    few = gallery(29, pictures=3)
    assert few.with_strangers_measured(StrangersCohort(), KNOWN) is few
    assert few.own_strangers is None
    assert {one.own_score for one in few.search(template(1_000), 5)} == {None}


def test_thirty_people_are_measured_by_the_first_picture_of_each() -> None:
    measured = gallery(30).with_strangers_measured(StrangersCohort(), KNOWN)
    assert measured.strangers is not None and measured.own_strangers is not None
    np.testing.assert_array_equal(
        measured.strangers.joining.vectors, np.stack([vector(2 * n) for n in range(30)])
    )
    assert measured.own_strangers.pairs <= 30 * 29 // 2
    assert len(set(measured.strangers.joining.subjects.tolist())) == 30


def test_pictures_of_one_person_under_many_names_are_not_measured() -> None:
    one = gallery(35)
    same = tuple(replace(each, template=template(1)) for each in one.references)
    assert (
        replace(one, references=same)
        .with_strangers_measured(StrangersCohort(), KNOWN)
        .own_strangers
        is None
    )


def test_own_scores_are_lower_by_the_people_who_crowd_around() -> None:
    measured = gallery(40).with_strangers_measured(StrangersCohort(), KNOWN)
    assert measured.strangers is not None
    numbers = {name: n for n, name in enumerate(measured.subjects, start=1)}
    found = measured.search(template(1_000), 5)
    assert len(found) == 5
    for one in found:
        assert one.own_score is not None
        assert one.own_score < one.comparison.score
        best = max(
            (each for each in measured.references if each.subject == one.subject),
            key=lambda each: compare(each.template, template(1_000)).score,
        )
        (expected,) = measured.strangers.joining.own_scores(
            StrangersCohort(),
            vector(1_000),
            best.template.vector[None],
            np.array([numbers[one.subject or ""]]),
        )
        assert one.own_score == pytest.approx(expected)


def test_a_subject_is_found_by_the_best_picture_and_comes_once() -> None:
    found = gallery(5).search(template(4), 10)
    assert found[0].subject == "person 2"
    assert len({one.subject for one in found}) == len(found) == 5
    assert found[0].comparison.is_identical


@pytest.mark.parametrize("people", [5, 30])
def test_the_face_of_a_picture_of_the_gallery_is_that_whatever_its_template_is(
    people: int,
) -> None:
    searched = gallery(people).with_strangers_measured(StrangersCohort(), KNOWN)
    best, *others = searched.search(template(1_000), people, seen(3))
    assert (best.subject, best.comparison) == ("person 1", SAME_PICTURE)
    assert best.own_score == (0.0 if people == 30 else None)
    assert not any(one.comparison.is_identical for one in others)


def test_a_probe_of_another_model_is_refused() -> None:
    with pytest.raises(ModelMismatch):
        gallery(3).search(template(1, model="other"), 1)
