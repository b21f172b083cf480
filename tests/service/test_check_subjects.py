"""A collection is looked through for people under one name, and one person under several."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import Denied, TooBusy
from likeness.gallery import NewReference
from likeness.service.enrol import check_subjects as module
from likeness.service.enrol.check_subjects import Checked, check_subjects, count_strays
from likeness.service.enrol.findings import Findings, show_findings
from likeness.service.enrol.subject_changes import (
    merge_subjects,
    rename_subject,
    split_subject,
)
from likeness.service.uses import Caller, Home
from likeness.terms import CohortStatistics, Face, Principal, QualityReason, Role
from tests.gallery.galleries import enrol, face
from tests.service.people import person


def looks(home: Home, seed: int, subject: str, number: int = 0) -> NewReference:
    """A picture of somebody: those of one seed look alike, and none is another."""
    new = person(home, seed, subject)
    grain = np.random.default_rng([seed, number, *subject.encode()]).normal(0, 0.01, 128)
    vector: NDArray[np.float32] = (new.template.vector + grain).astype(np.float32)
    vector /= np.linalg.norm(vector)
    cohort = home.standards.cohort(new.template.model)
    (mean,) = cohort.means(vector[None]).tolist()
    template = replace(new.template, vector=vector, cohort=CohortStatistics(mean, cohort.version))
    sha256 = f"{subject} {seed} {number}".encode().ljust(32)[:32]
    return replace(new, template=template, sample_sha256=sha256)


def blurred() -> Face:
    """A face that is not fit to enrol."""
    fit = face()
    return replace(fit, quality=replace(fit.quality, reasons=(QualityReason.LOW_SHARPNESS,)))


def people(home: Home, **seeds: list[int]) -> None:
    new = [looks(home, s, name, n) for name, some in seeds.items() for n, s in enumerate(some)]
    enrol(home.gallery, "staff", new)


def check(home: Home, **asked: float | int) -> Checked:
    caller = Caller(home.somebody, "test")
    return check_subjects(home, caller, "staff", **asked)  # type: ignore[arg-type]


def pairs(found: Checked) -> list[set[str]]:
    return [{one.one.name, one.other.name} for one in found.pairs]


@pytest.mark.parametrize("at_once", [1, 3, 250])
def test_two_names_of_one_person_and_a_picture_of_somebody_else_are_found(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "_SUBJECTS_AT_ONCE", at_once)
    home = sqlite_home
    people(home, Ada=[1, 1], Adele=[1, 1], Bo=[2, 2, 3, 2], Cy=[4], Di=[5, 6], Eve=[7])

    found = check(home)

    assert (found.subjects, found.references) == (6, 12)
    assert pairs(found) == [{"Ada", "Adele"}]
    assert found.all_pairs == 1
    assert 0 < found.pairs[0].similarity < 100
    assert [one.subject.name for one in found.strays] == ["Bo", "Di"]
    assert found.all_strays == count_strays(home, home.gallery.collection("staff")) == 2


def test_who_may_be_missed_is_listed_with_the_reason(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1, 1], Bo=[2], Cy=[3])
    poor = replace(looks(home, 4, "Di"), face=blurred())
    enrol(home.gallery, "staff", [poor, replace(looks(home, 3, "Cy", 1), face=blurred())])

    found = check(home)

    assert [(one.subject.name, one.reasons) for one in found.missed] == [
        ("Di", (QualityReason.LOW_SHARPNESS,))
    ]
    assert (found.all_missed, found.tried, found.found) == (1, 4, 4)
    assert [one for one, _ in found.expected] == [80.0, 90.0, 95.0, 99.0]
    by_any = [one.by_any for _, one in found.expected]
    assert by_any == sorted(by_any, reverse=True)
    assert by_any[0] > 0


def test_findings_hold_no_name_and_leave_out_what_was_mended(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, Ada=[1, 1], Adele=[1, 1], Bo=[2, 2, 3, 2], Di=[5, 6])
    caller = Caller(home.somebody, "test")
    findings = Findings.of(check(home))
    assert "Ada" not in repr(findings)
    assert "Bo" not in repr(findings)

    shown = show_findings(home, caller, "staff", findings)
    assert (pairs(shown), len(shown.strays)) == ([{"Ada", "Adele"}], 2)
    rename_subject(home, caller, "staff", "Bo", "Beau")
    assert [one.subject.name for one in show_findings(home, caller, "staff", findings).strays] == [
        "Beau",
        "Di",
    ]

    merge_subjects(home, caller, "staff", "Adele", "Ada")
    stray = shown.strays[0]
    split_subject(home, caller, "staff", "Beau", "Cy", [stray.reference.id])
    mended = show_findings(home, caller, "staff", findings)
    assert (mended.pairs, [one.subject.name for one in mended.strays]) == ((), ["Di"])
    assert mended.all_pairs == 1


def test_more_than_are_listed_are_counted_and_the_most_alike_listed(sqlite_home: Home) -> None:
    home = sqlite_home
    people(home, A=[1], A2=[1], B=[2], B2=[2], C=[3], C2=[3], D=[4, 5], E=[6, 7])
    found = check(home, limit=1)
    assert (len(found.pairs), found.all_pairs) == (1, 3)
    assert (len(found.strays), found.all_strays) == (1, 2)
    scores = [one.similarity for one in check(home).pairs]
    assert scores == sorted(scores, reverse=True)
    assert found.pairs[0].similarity == scores[0]


def test_an_empty_collection_has_nobody_to_look_at(sqlite_home: Home) -> None:
    found = check(sqlite_home)
    assert (found.subjects, found.pairs, found.strays) == (0, (), ())


def test_whoever_may_not_search_learns_of_nobody(sqlite_home: Home) -> None:
    people(sqlite_home, Ada=[1], Adele=[1])
    reviewer = Caller(Principal("key:rex", Role.REVIEWER), "test")
    with pytest.raises(Denied):
        check_subjects(sqlite_home, reviewer, "staff")


def test_what_tell_raises_ends_the_work_before_anybody_is_done(sqlite_home: Home) -> None:
    people(sqlite_home, Ada=[1, 1], Bo=[2, 2])
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        raise TooBusy("The server closes.")

    with pytest.raises(TooBusy):
        check_subjects(sqlite_home, Caller(sqlite_home.somebody, "test"), "staff", tell=tell)
    assert told == [(0, 2)]
