"""What a collection knows of the strangers in it: measured, found and forgotten."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, insert, select, update

from likeness.evaluation import calibrate_own_strangers
from likeness.gallery import By, Gallery, Measured
from likeness.gallery.tables import OWN_STRANGERS, REFERENCES
from likeness.service.models import measure_strangers
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.terms import Calibration, Quality, QualityReason
from tests.gallery import changing, erase
from tests.gallery.changing import fill
from tests.gallery.galleries import (
    COHORT,
    MODEL,
    Home,
    StrangersCohort,
    at,
    face,
    make,
    new,
    template,
    vector,
)

pytestmark = pytest.mark.slow

KNOWN = Calibration(MODEL, COHORT, (-2.0, -0.5), (1.0, 1e-4), 10**6, "anybody", one_person=0.97)
PEOPLE = 40


def upkeep(home: Home, gallery: Gallery) -> StrangerUpkeep:
    return StrangerUpkeep(home.database, gallery, lambda collection: KNOWN, home.clock)


def rows(home: Home) -> int:
    counted = select(func.count()).select_from(OWN_STRANGERS)
    return home.database.read(lambda c: c.execute(counted).scalar_one())


@pytest.fixture
def measured(home: Home, gallery: Gallery) -> Measured:
    """What was measured of `staff`, which has forty people with two references each."""
    fill(gallery, PEOPLE)
    found = upkeep(home, gallery).bring_up_to_date("staff").measured
    assert found is not None
    return found


def test_the_first_reference_of_every_subject_joins_and_their_pairs_are_measured(
    gallery: Gallery, measured: Measured
) -> None:
    assert measured.joining == tuple(range(1, 2 * PEOPLE, 2))
    assert (measured.references, measured.cohort_version) == (2 * PEOPLE, COHORT)
    raw = np.stack([vector(2 * person) for person in range(PEOPLE)])
    alike = np.triu(raw @ raw.T >= KNOWN.one_person, 1).sum()
    assert measured.own.pairs == measured.plain.pairs == PEOPLE * (PEOPLE - 1) // 2 - alike
    assert gallery.strangers(gallery.collection("staff")) == measured


def test_what_was_measured_is_found_at_the_next_start(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    gallery.close()
    with home.open() as again:
        assert again.strangers(again.collection("staff")) == measured


def test_whom_another_program_erases_is_let_go_of_and_others_are_not_read_again(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    staff, opened = gallery.open("staff")
    known = opened.strangers.of(staff)
    opened.let_go()
    assert opened.strangers.of(staff) is known

    gone = measured.joining[0]
    home.database.write(lambda c: c.execute(delete(REFERENCES).where(REFERENCES.c.number == gone)))
    opened.let_go()
    left = opened.strangers.of(staff)
    assert left is not None and gone not in left.joining.numbers


def test_a_collection_of_few_people_is_not_measured(home: Home, gallery: Gallery) -> None:
    fill(gallery, 29)
    gallery.enrol("staff", [new(seed) for seed in range(100, 120)])
    assert upkeep(home, gallery).bring_up_to_date("staff").measured is None
    assert gallery.strangers(gallery.collection("staff")) is None
    gallery.enrol("staff", [new(99, "one more")])
    measured = upkeep(home, gallery).measure_if_changed("staff")
    assert measured is not None and len(measured.joining) == 30


def test_those_who_may_all_be_one_person_are_not_measured(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(n, f"name {n}", template=template(1)) for n in range(35)])
    assert upkeep(home, gallery).measure_if_changed("staff") is None
    assert rows(home) == 0


def test_of_many_people_some_are_drawn_always_the_same(
    home: Home, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_strangers, "MOST_SUBJECTS", 32)
    fill(gallery, PEOPLE)
    first = upkeep(home, gallery).measure_if_changed("staff")
    home.clock.pass_days(1)
    again = upkeep(home, gallery).measure_if_changed("staff", again=True)
    assert first is not None and len(first.joining) == 32
    assert first == again


@pytest.mark.parametrize("by", By)
def test_own_scores_are_those_of_who_joins_with_the_candidate_left_out(
    gallery: Gallery, measured: Measured, by: By
) -> None:
    staff, probe = gallery.collection("staff"), template(1_000)
    candidates = gallery.search("staff", probe, 5, by)
    own = gallery.own_scores(staff, probe, candidates)
    assert own is not None and len(own) == 5
    joining = np.stack([vector(2 * person) for person in range(PEOPLE)])

    def crowded(of: Any, but: int) -> float:
        raw = np.array([joining[n] @ of for n in range(PEOPLE) if n != but])
        raw = raw[raw < KNOWN.one_person] if of is not probe.vector else raw
        # Twenty of the cohort's, all of them zero, and the highest of those who join.
        return float(np.sort(np.concatenate([raw, np.zeros(20)]))[-20:].mean())

    for candidate, score in zip(candidates, own, strict=True):
        assert candidate.subject is not None
        person = int(candidate.subject.name.split()[1])
        if by is By.SUBJECT:
            mean = vector(2 * person) + vector(2 * person + 1)
            theirs = mean / np.linalg.norm(mean)
        else:
            assert candidate.reference is not None
            theirs = vector(int(candidate.reference.details.external_id or ""))
        units = 1 - (crowded(theirs, person) + crowded(probe.vector, person)) / 2
        assert score == pytest.approx(-(1 - float(theirs @ probe.vector)) / units, abs=1e-4)
        assert score < candidate.comparison.score


@pytest.mark.usefixtures("measured")
def test_a_picture_with_itself_stays_that_among_its_own(gallery: Gallery) -> None:
    staff = gallery.collection("staff")
    best, *others = gallery.search("staff", template(14), 3)
    own = gallery.own_scores(staff, template(14), [best, *others])
    assert own is not None
    assert (best.comparison.is_identical, own[0]) == (True, 0.0)
    assert max(own[1:]) < 0.0
    assert gallery.own_scores(staff, template(14), []) == []


@pytest.mark.usefixtures("measured")
def test_two_who_are_not_enrolled_are_scored_as_strangers_of_the_collection(
    gallery: Gallery,
) -> None:
    staff = gallery.collection("staff")
    one, other = template(1_000), template(1_001)
    score = gallery.own_score_of(staff, one, other)
    assert score is not None
    assert score == pytest.approx(gallery.own_score_of(staff, other, one), abs=1e-6)
    assert score < -(1 - float(one.vector @ other.vector))


def test_without_a_measurement_nobody_has_an_own_score(gallery: Gallery) -> None:
    fill(gallery, 3)
    staff, found = gallery.collection("staff"), gallery.search("staff", template(0), 3)
    assert gallery.own_scores(staff, template(0), found) is None
    assert gallery.own_score_of(staff, template(0), template(1)) is None


def test_they_are_measured_again_once_enough_has_changed(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    home.clock.pass_days(1)
    gallery.enrol("staff", [new(1_000 + n, f"late {n}") for n in range(2)])
    assert upkeep(home, gallery).bring_up_to_date("staff").measured == measured
    gallery.enrol("staff", [new(2_000, "later")])

    again = upkeep(home, gallery).bring_up_to_date("staff").measured

    assert again is not None and len(again.joining) == PEOPLE + 3
    assert gallery.strangers(gallery.collection("staff")) == again


def test_they_are_measured_again_once_enough_people_were_named(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    unnamed = gallery.enrol("staff", [new(1_000 + n) for n in range(3)])
    assert upkeep(home, gallery).measure_if_changed("staff") == measured
    home.clock.pass_days(1)
    staff = gallery.collection("staff")
    for n, one in enumerate(unnamed):
        late = home.database.write(
            lambda c, n=n: staff.within(c).subjects.create(f"late {n}", home.clock.now)
        )
        gallery.give_references("staff", late.id, [one.id])

    again = upkeep(home, gallery).measure_if_changed("staff")

    assert again is not None and len(again.joining) == PEOPLE + 3


def test_who_joins_is_whose_they_are_now(home: Home, gallery: Gallery, measured: Measured) -> None:
    staff, opened = gallery.open("staff")
    first, second = (
        home.database.read(lambda c, name=name: at(c, opened.seal).subjects.get(name))
        for name in ("person 0", "person 1")
    )
    (moved, *_) = gallery.search("staff", template(2), 1, By.REFERENCE)
    assert moved.reference is not None and gallery.strangers(staff) == measured
    gallery.take_references("staff", second.id, [moved.reference.id])
    gallery.give_references("staff", first.id, [moved.reference.id])

    known = opened.strangers.of(staff)

    assert known is not None
    assert known.joining.subjects[:3].tolist() == [first.number, first.number, second.number + 1]


def test_pictures_that_are_not_fit_to_enrol_do_not_join(home: Home, gallery: Gallery) -> None:
    fill(gallery, PEOPLE)
    blurred = replace(face(), quality=Quality(1.0, 1.0, 1.0, (QualityReason.LOW_SHARPNESS,)))
    gallery.enrol("staff", [new(1_000, "blurred", face=blurred)])

    measured = upkeep(home, gallery).measure_if_changed("staff")

    assert measured is not None and measured.joining == tuple(range(1, 2 * PEOPLE, 2))


# Erasure


@pytest.mark.parametrize("whole", [False, True])
def test_whoever_is_erased_while_they_are_measured_does_not_come_back(
    home: Home, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    fill(gallery, PEOPLE)
    seal, certificates = gallery.open("staff")[1].seal, []
    person = home.database.read(lambda c: at(c, seal).subjects.get("person 7"))

    def erased_meanwhile(*of: Any) -> Any:
        rates = calibrate_own_strangers(*of)
        certificates.append(
            erase.collection(gallery, "staff")
            if whole
            else erase.subject(gallery, "staff", person.id)
        )
        return rates

    monkeypatch.setattr(measure_strangers, "calibrate_own_strangers", erased_meanwhile)

    assert upkeep(home, gallery).measure_if_changed("staff") is None

    assert rows(home) == 0
    assert gallery.erasing.verify(certificates[0]).holds


def test_whoever_is_erased_is_gone_from_what_was_measured(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    seal = gallery.open("staff")[1].seal
    person = home.database.read(lambda c: at(c, seal).subjects.get("person 7"))

    certificate = erase.subject(gallery, "staff", person.id)

    assert rows(home) == 0
    assert gallery.strangers(gallery.collection("staff")) is None
    assert gallery.erasing.verify(certificate).holds
    again = upkeep(home, gallery).measure_if_changed("staff")
    assert again is not None
    assert set(measured.joining) - set(again.joining) == {15}


def test_an_erased_collection_takes_what_was_measured_along(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    row = home.database.read(lambda c: c.execute(select(OWN_STRANGERS)).one())._asdict()

    certificate = erase.collection(gallery, "staff")

    assert rows(home) == 0
    assert gallery.erasing.verify(certificate).holds
    home.database.write(lambda c: c.execute(insert(OWN_STRANGERS), row))  # as from a backup
    assert gallery.erasing.verify(certificate).rows == 1


def test_references_that_are_gone_are_left_out_of_who_joins(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    numbers = np.array([*measured.joining, 999], np.int64)
    staff = gallery.collection("staff")
    joining = staff.read(lambda rows: rows.own_strangers.joining(numbers, 0.9))
    assert joining.numbers.tolist() == list(measured.joining)
    np.testing.assert_allclose(joining.vectors[7], vector(14), atol=1e-3)
    assert len(set(joining.subjects.tolist())) == PEOPLE


# Another model or cohort


def test_what_was_measured_by_another_cohort_is_not_used(
    home: Home, gallery: Gallery, measured: Measured
) -> None:
    staff = gallery.collection("staff")
    home.database.write(lambda c: staff.within(c).adopt_cohort("cohort@2"))
    assert gallery.strangers(gallery.collection("staff")) is None
    home.clock.pass_days(1)

    done = upkeep(home, gallery).bring_up_to_date("staff")

    assert done.evened_out == 2 * PEOPLE
    assert done.measured is not None and done.measured.cohort_version == "cohort@2"
    assert gallery.strangers(gallery.collection("staff")) == done.measured


@pytest.mark.usefixtures("measured")
def test_what_was_measured_by_another_model_is_not_used(home: Home, gallery: Gallery) -> None:
    change = changing.begin_model(home, gallery)
    changing.stage(home, gallery, change)
    gallery.switch(change)
    assert gallery.strangers(gallery.collection("staff")) is None


# Whoever writes the database and has no key


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("damage", ["a changed byte", "another collection's", "nothing"])
def test_what_somebody_wrote_into_it_does_not_count(
    home: Home, gallery: Gallery, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    make(gallery, "others")
    other = gallery.open("others")[1].seal
    kept = home.database.read(
        lambda c: c.execute(select(OWN_STRANGERS.c.sealed_content)).scalar_one()
    )
    content = {
        "a changed byte": kept[:-1] + bytes([kept[-1] ^ 1]),
        "another collection's": other.own_strangers(b"{}"),
        "nothing": b"",
    }[damage]
    home.database.write(lambda c: c.execute(update(OWN_STRANGERS).values(sealed_content=content)))
    home.database.write(
        lambda c: c.execute(update(OWN_STRANGERS).values(measured_at=home.clock.now.replace(day=2)))
    )
    assert gallery.strangers(gallery.collection("staff")) is None
    assert "is damaged and left out" in caplog.text


def test_nothing_of_it_lies_in_the_clear(home: Home, measured: Measured) -> None:
    kept = home.database.read(
        lambda c: c.execute(select(OWN_STRANGERS.c.sealed_content)).scalar_one()
    )
    assert b"joining" not in kept and b"scores" not in kept


# What another cohort, or an older Likeness, evened out


def older(home: Home, numbers: list[int]) -> None:
    """Let references be as an older Likeness left them: with a mean that says nothing."""
    chosen = update(REFERENCES).where(REFERENCES.c.number.in_(numbers))
    values = {"cohort_version": "", "cohort_mean": 9.0, "statistics_proof": None}
    home.database.write(lambda c: c.execute(chosen.values(values)))


@pytest.mark.parametrize("by", By)
def test_references_of_an_older_likeness_are_searched_as_if_they_were_new(
    home: Home, gallery: Gallery, by: By
) -> None:
    fill(gallery, 10)
    enrolled = gallery.search("staff", template(0), 50, By.REFERENCE)
    before = gallery.search("staff", template(1_000), 50, by)
    ids = [one.reference.id for one in enrolled if one.reference]
    like_first = gallery.search_reference("staff", ids[0], 50, by)
    among = gallery.search_in(
        gallery.collection("staff"), template(1_000), 50, By.REFERENCE, ids[:5]
    )
    older(home, [*range(1, 12)])

    def scores(found: list[Any]) -> list[tuple[Any, Any, float]]:
        return [
            (one.reference and one.reference.id, one.subject, round(one.comparison.score, 4))
            for one in found
        ]

    assert scores(gallery.search("staff", template(1_000), 50, by)) == scores(before)
    assert scores(gallery.search_reference("staff", ids[0], 50, by)) == scores(like_first)
    again = gallery.search_in(
        gallery.collection("staff"), template(1_000), 50, By.REFERENCE, ids[:5]
    )
    assert scores(again) == scores(among)


def test_references_of_an_older_likeness_are_brought_up_to_date_once(
    home: Home, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_strangers, "_AT_ONCE", 3)
    fill(gallery, 10)
    older(home, [*range(1, 12)])
    told: list[tuple[int, int]] = []
    keeps = upkeep(home, gallery)

    done = keeps.bring_up_to_date("staff", tell=lambda *said: told.append(said))

    assert (done.evened_out, done.measured) == (11, None)
    assert told == [(3, 20), (6, 20), (9, 20), (11, 20)]
    statement = select(REFERENCES.c.cohort_version, REFERENCES.c.cohort_mean).distinct()
    assert home.database.read(lambda c: c.execute(statement).all()) == [(COHORT, 0.0)]
    assert len(gallery.search("staff", template(0), 50)) == 10  # their proofs hold
    assert keeps.bring_up_to_date("staff").evened_out == 0
    assert upkeep(home, gallery).bring_up_to_date("staff").evened_out == 0


def test_another_cohort_evens_out_on_the_way_what_the_one_before_did(home: Home) -> None:
    with home.open() as gallery:
        make(gallery)
        fill(gallery, 5)
        staff = gallery.collection("staff")
        home.database.write(lambda c: staff.within(c).adopt_cohort("cohort@2"))
        gallery.cohorts._cohort_of = lambda model, version: StrangersCohort(version, 0.5)
        (best, second, *_) = gallery.search("staff", template(0), 5)
        assert best.comparison.is_identical
        assert second.comparison.score == pytest.approx(
            -(1 - second.comparison.raw_score) / 0.5, abs=1e-4
        )
