"""Whether a search names somebody: by any strangers, and by those at hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.cli.search_in_words import limits_of
from likeness.service.search.naming import Naming, Strangers, expected_false
from likeness.terms import IDENTICAL, Calibration, TailRates, rate_for_search, rate_of

# By ten for every 0.1: -0.8 is one in a thousand, -0.5 one in a million.
ANY = Calibration("m", "c", (-1.1, -0.5), (1.0, 1e-6), 10**8, "anybody")
# They reach the same rates 0.2 later.
ALIKE = replace(ANY, scores=(-0.9, -0.3), measured_on="people who are alike")
OWN = replace(ANY, scores=(-1.0, -0.4), measured_on="the collection itself")
WITH_ALIKE = replace(ANY, alike=ALIKE)
scores = st.floats(-1.5, 0.0)


def naming(
    calibration: Calibration = WITH_ALIKE,
    own: Calibration | None = None,
    compared: int = 100,
    fmr: float = 1e-3,
    fpir: float = 0.01,
) -> Naming:
    return Naming.of(calibration, own, compared, fmr=fmr, fpir=fpir)


def test_without_anybody_at_hand_any_strangers_decide() -> None:
    alone = naming(ANY)
    assert alone.point.threshold == pytest.approx(-0.7, abs=1e-3)
    named, unnamed = alone.verdict(-0.69, None), alone.verdict(-0.71, None)
    assert (named.match, named.decided_by, named.fmr_at_hand) == (True, Strangers.ANY, None)
    assert (unnamed.match, unnamed.unnamed_because) == (False, None)


def test_strangers_who_are_alike_stand_for_those_of_a_collection_that_was_not_measured() -> None:
    searched = naming()
    assert searched.whose is Strangers.ALIKE
    between = searched.verdict(-0.6, None)
    assert (between.match, between.decided_by) == (False, Strangers.ALIKE)
    assert between.fmr_at_hand == pytest.approx(1e-3)
    assert between.unnamed_because == (
        "Too many strangers of one sex, race and age score as high: 1 in 1,000, where 1 in 10,000"
        " is needed. They stand for the people here until 30 of these are enrolled by name and"
        " measured. Enrol more people by name, look at the candidates yourself, or accept that more"
        " strangers are named (a higher LIKENESS_FPIR)."
    )
    assert searched.verdict(-0.49, None).match


def test_a_collections_own_strangers_decide_by_own_scores_where_they_were_measured() -> None:
    searched = naming(own=OWN)
    assert searched.whose is Strangers.OWN
    # By a plain score strangers who are alike would have named nobody.
    assert searched.verdict(-0.6, -0.59).match
    lifted = searched.verdict(-0.6, -0.8)
    assert (lifted.match, lifted.decided_by) == (False, Strangers.OWN)
    assert lifted.fmr_at_hand == pytest.approx(1e-2)
    assert lifted.unnamed_because == (
        "Too many different people here score as high: 1 in 100, where 1 in 10,000 is needed. Look"
        " at the candidates yourself, or accept that more strangers are named (a higher"
        " LIKENESS_FPIR)."
    )


def test_any_strangers_still_decide_where_those_at_hand_are_less_alike() -> None:
    searched = naming(own=replace(OWN, scores=(-1.5, -0.9)))
    verdict = searched.verdict(-0.75, -0.8)
    assert (verdict.match, verdict.decided_by) == (False, Strangers.ANY)


@given(scores, scores)
def test_whoever_is_named_is_rare_enough_among_any_strangers_and_at_hand(
    score: float, own_score: float
) -> None:
    searched = naming(own=OWN)
    verdict = searched.verdict(score, own_score)
    if verdict.match and score < IDENTICAL:
        rate = rate_for_search(100, 0.01) * (1 + 1e-6)
        assert verdict.fmr <= rate
        assert verdict.fmr_at_hand is not None and verdict.fmr_at_hand <= rate


@given(scores, scores, scores)
def test_a_higher_score_never_takes_a_name_away(one: float, other: float, own: float) -> None:
    low, high = sorted((one, other))
    searched = naming(own=OWN)
    assert searched.verdict(high, own).match or not searched.verdict(low, own).match


def test_the_rate_for_two_faces_holds_in_a_small_gallery_too() -> None:
    assert naming(ANY, compared=1, fmr=1e-3, fpir=0.5).point.fmr == 1e-3


@pytest.mark.parametrize("own", [None, OWN])
@pytest.mark.parametrize("calibration", [ANY, WITH_ALIKE])
def test_a_picture_names_itself_whatever_is_not_known(
    calibration: Calibration, own: Calibration | None
) -> None:
    searched = naming(calibration, own, compared=10**9)
    assert not searched.point.calibrated
    verdict = searched.verdict(IDENTICAL, IDENTICAL)
    assert (verdict.match, verdict.unnamed_because) == (True, None)


def test_a_rate_that_nobody_knows_names_nobody_and_says_so() -> None:
    searched = naming(ANY, compared=10**6)
    verdict = searched.verdict(-0.1, None)
    assert not verdict.match
    assert "a search of 1,000,000 references needs is not known" in (verdict.unnamed_because or "")
    (limit,) = limits_of(searched)
    assert limit.startswith("Nobody is named")
    assert "rates are known down to 1 in 1,000,000. " in limit
    assert "LIKENESS_FPIR" in limit


def test_a_rate_that_is_not_known_among_those_at_hand_names_nobody_and_says_so() -> None:
    few = replace(OWN, fmrs=(1.0, 0.01))
    searched = naming(own=few)
    verdict = searched.verdict(-0.1, -0.1)
    assert not verdict.match
    assert (verdict.unnamed_because or "").startswith(
        "The rate needed, 1 in 10,000, is not known among different people here. Look"
    )
    (limit,) = limits_of(searched)
    assert "among different people here rates are known down to 1 in 100" in limit


def test_a_collection_that_can_hardly_name_anybody_says_how_many_are_missed() -> None:
    missing = replace(WITH_ALIKE, misses=((-0.9, 0.0), (-0.6, 0.3), (-0.5, 0.9)))
    (limit,) = limits_of(naming(missing))
    assert "about 90 in 100 right ones are missed" in limit
    assert not list(limits_of(naming(replace(missing, misses=((-0.9, 0.0), (-0.5, 0.1))))))


def test_what_was_measured_and_is_just_gone_names_nobody_but_a_picture_itself() -> None:
    searched = naming(own=OWN)
    assert not searched.verdict(-0.01, None).match
    assert searched.verdict(-0.01, None).fmr_at_hand is None
    assert searched.verdict(IDENTICAL, None).match


def test_a_rate_of_a_tail_says_that_it_is_extrapolated() -> None:
    rates = (1e-6, 1e-8)
    tailed = replace(ANY, tail=TailRates((-0.5, -0.3), rates, rates, rates, rates))
    searched = naming(tailed, compared=10**5)
    assert (searched.point.calibrated, searched.point.extrapolated) == (True, True)
    verdict = searched.verdict(-0.35, None)
    assert (verdict.match, verdict.extrapolated) == (True, True)
    assert not searched.verdict(-0.6, None).extrapolated
    # Of the stricter of the two: here that of those at hand, which was counted.
    counted = naming(replace(tailed, alike=replace(ALIKE, scores=(-0.9, -0.2))), compared=10**5)
    assert not counted.verdict(-0.35, None).extrapolated


def test_expected_false_candidates_are_the_rate_of_the_threshold_times_the_references() -> None:
    searched = naming(ANY)
    assert searched.expected_false == pytest.approx(0.01, rel=0.01)


# What a search that asks for a similarity may expect


def test_what_a_similarity_lets_through_is_said_by_any_and_by_those_at_hand() -> None:
    alone = expected_false(ANY, None, 1000, 80.0)
    assert alone.by_any == pytest.approx(1000 * rate_of(80.0), rel=1e-6)
    assert alone.by_those_at_hand is None
    alike = expected_false(WITH_ALIKE, None, 1000, 80.0)
    assert (alike.whose, alike.by_any) == (Strangers.ALIKE, alone.by_any)
    assert alike.by_those_at_hand == pytest.approx(100 * alone.by_any, rel=1e-3)
    own = expected_false(WITH_ALIKE, OWN, 1000, 80.0)
    assert own.whose is Strangers.OWN
    assert own.by_those_at_hand == pytest.approx(10 * alone.by_any, rel=1e-3)


def test_a_search_that_asks_for_no_similarity_gives_everybody() -> None:
    assert expected_false(ANY, None, 1000, 0.0).by_any == pytest.approx(1000)
