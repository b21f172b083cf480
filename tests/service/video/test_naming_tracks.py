"""Whether somebody who is followed through a clip is named: several looks have to agree."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from likeness.errors import ModelMismatch
from likeness.gallery import OpenCollection
from likeness.service.models.measure_strangers import StrangerUpkeep
from likeness.service.search.folder_gallery import FolderGallery, Reference
from likeness.service.uses import Home as Service
from likeness.service.video.naming import best_shots, fuse, name_from_folder, name_person
from likeness.service.video.track_scores import (
    AGREEING_SHARE,
    TrackNaming,
    best_of_many,
    tracks_named_from,
)
from likeness.terms import Calibration, Pose, QualityReason, SeenFace, TailRates
from likeness.video import MOST_SHOTS, Look, Shot, goodness_of
from tests.gallery.changing import fill
from tests.gallery.galleries import (
    COHORT,
    MODEL,
    Home,
    OpenGallery,
    StrangersCohort,
    enrol,
    face,
    make,
    new,
    template,
    vector,
)
from tests.service.people import person

# By ten for every 0.1: -0.5 is one in a hundred, -0.1 one in a million.
SCORES = tuple((np.arange(61) / 100 - 0.7).tolist())
RATES = tuple((10.0 ** -(np.arange(61) / 10)).tolist())
ONE_LOOK = Calibration(MODEL, COHORT, SCORES, RATES, 10**8, "anybody", one_person=0.97)
# Strangers reach the same rates a little later.
TRACKS = replace(ONE_LOOK, scores=tuple(score + 0.05 for score in SCORES), measured_on="tracks")
SOMEBODY, SOMEBODY_ELSE, NOBODY = 0, 2, 1_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database:
        yield made


@pytest.fixture
def gallery(home: Home) -> Iterator[OpenGallery]:
    with home.open() as opened:
        make(opened)
        yield opened


@pytest.fixture
def staff(gallery: OpenGallery) -> OpenCollection:
    """Ten people, whose first references have the even seeds."""
    fill(gallery, 10)
    return gallery.collection("staff")


def shot(
    time_s: float, of: int = SOMEBODY, other: float = 0.0, quality: float = 1.0, seed: int = 0
) -> Shot:
    """A look at somebody, mixed with a share of something else; its quality is 0 to 1."""
    mixed = (1 - other) * vector(of) + other * vector(5_000 + seed)
    seen = face()
    seen = replace(seen, quality=replace(seen.quality, size=80 * quality, sharpness=100.0))
    unit = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return Shot(Look(time_s, seen), replace(template(of), vector=unit), b"")


def from_behind(one: Shot) -> Shot:
    seen = one.look.face
    quality = replace(seen.quality, reasons=(QualityReason.EXTREME_POSE,))
    turned = replace(seen, pose=Pose(150.0, 0.0, 0.0), quality=quality)
    return replace(one, look=replace(one.look, face=turned))


def naming(
    tracks: Calibration | None = TRACKS, own: Calibration | None = None, compared: int = 20
) -> TrackNaming:
    return TrackNaming.of(ONE_LOOK, tracks, own, compared, fmr=1e-3, fpir=0.01)


def good(count: int = 4, of: int = SOMEBODY) -> list[Shot]:
    return [shot(float(n), of, 0.3, seed=n) for n in range(count)]


def strange(count: int, after_s: float = 100.0) -> list[Shot]:
    return [shot(after_s + n, NOBODY + n, 0.3, seed=n) for n in range(count)]


# Who is named


def test_several_looks_that_agree_name_somebody(staff: OpenCollection) -> None:
    best, *others = name_person(staff, naming(), good(), 3)
    assert best.candidate.subject is not None
    assert best.candidate.subject.name == "person 0"
    assert (best.verdict.match, best.is_unsettled) == (True, False)
    assert (best.looks, best.agreeing) == (4, 4)
    assert best.agreement == pytest.approx(1.0)
    assert best.reference_id is not None and best.subject_id == best.candidate.subject.id
    assert [one.verdict.match for one in others] == [False, False]
    assert best.similarity > max(one.similarity for one in others)


def test_one_look_alone_names_nobody_and_says_so(staff: OpenCollection) -> None:
    (best,) = name_person(staff, naming(), [shot(0.0)], 1)
    assert (best.looks, best.agreeing, best.verdict.match) == (1, 1, False)
    assert best.is_unsettled
    assert "Only one look is good enough" in (best.verdict.unnamed_because or "")


def test_looks_of_one_moment_are_one_look(staff: OpenCollection) -> None:
    (best,) = name_person(staff, naming(), [shot(n / 10) for n in range(5)], 1)
    assert (best.looks, best.verdict.match) == (1, False)


def test_a_name_does_not_jump_after_one_good_frame(staff: OpenCollection) -> None:
    # A stranger of whom one large sharp frame happens to look like somebody.
    shots = [*strange(5), shot(0.0)]
    found = name_person(staff, naming(), shots, 10)
    assert not any(one.verdict.match for one in found)
    # Once looks agree, a frame that is like another does not change who it is.
    shots = [*good(5), shot(50.0, SOMEBODY_ELSE)]
    best, *others = name_person(staff, naming(), shots, 10)
    assert best.candidate.subject is not None
    assert (best.candidate.subject.name, best.verdict.match) == ("person 0", True)
    assert not any(one.verdict.match for one in others)


def test_frames_too_bad_to_count_do_not_agree_a_name_into_being(staff: OpenCollection) -> None:
    # Two poor looks are like somebody; three good ones are not, and weigh more.
    poor = [shot(float(n), quality=0.1) for n in range(2)]
    best, *_ = name_person(staff, naming(), [*poor, *strange(3)], 10)
    assert not best.verdict.match


def test_two_people_followed_as_one_are_not_named(staff: OpenCollection) -> None:
    shots = [*good(3), *(shot(10.0 + n, SOMEBODY_ELSE, 0.3, seed=n) for n in range(3))]
    found = name_person(staff, naming(), shots, 10)
    assert not any(one.verdict.match for one in found)


def test_whoever_is_alike_in_too_few_looks_is_unsettled_and_says_how_few(
    staff: OpenCollection,
) -> None:
    # The track's own score would do.
    lenient = replace(TRACKS, scores=tuple(score - 0.9 for score in SCORES))
    (best,) = name_person(staff, naming(lenient), [*good(2), *strange(2)], 1)
    assert (best.looks, best.agreeing) == (4, 2)
    assert not best.verdict.match and best.is_unsettled
    assert best.verdict.unnamed_because == (
        "Too few looks agree: 2 of 4 looks are like this person by themselves, 50% of what all"
        " looks weigh, where 67% are needed."
    )


def test_one_look_that_is_alike_is_too_few_however_much_it_weighs(staff: OpenCollection) -> None:
    poor = shot(100.0, NOBODY, 0.3, quality=0.2)
    lenient = replace(TRACKS, scores=tuple(score - 0.9 for score in SCORES))
    (best,) = name_person(staff, naming(lenient), [*good(1), poor], 1)
    assert best.agreement > AGREEING_SHARE
    assert best.verdict.unnamed_because == (
        "Too few looks agree: 1 of 2 looks is like this person by itself, where 2 are needed."
    )


def test_the_back_of_a_head_names_nobody(staff: OpenCollection) -> None:
    behind = [from_behind(one) for one in good(6)]
    assert name_person(staff, naming(), behind, 3) == []
    # Nor does it count beside a look at the face.
    (best,) = name_person(staff, naming(), [*behind, shot(50.0)], 1)
    assert (best.looks, best.verdict.match) == (1, False)


def test_nobody_is_named_without_looks_or_without_people(gallery: OpenGallery) -> None:
    empty = gallery.collection("staff")
    assert name_person(empty, naming(), good(), 3) == []
    fill(gallery, 2)
    assert name_person(gallery.collection("staff"), naming(), [], 3) == []


def test_some_references_alone_are_compared_with(staff: OpenCollection) -> None:
    best, second, *_ = name_person(staff, naming(), good(), 3)
    assert best.reference_id is not None and second.reference_id is not None
    (only,) = name_person(staff, naming(), good(), 3, among=[second.reference_id])
    assert only.reference_id == second.reference_id
    assert only.candidate.comparison.score == pytest.approx(
        second.candidate.comparison.score, abs=1e-5
    )
    assert name_person(staff, naming(), good(), 3, among=[uuid4()]) == []


def test_whom_people_confirmed_is_a_match_whatever_rates_say(staff: OpenCollection) -> None:
    (best,) = name_person(staff, naming(), [shot(0.0)], 1)
    settled = best.settled_by({best.reference_id})
    assert (settled.verdict.match, settled.is_unsettled) == (True, False)
    assert best.settled_by({uuid4()}) is best


def test_looks_of_another_model_are_refused(staff: OpenCollection) -> None:
    others = [replace(one, template=template(1, model="other")) for one in good()]
    with pytest.raises(ModelMismatch):
        name_person(staff, naming(), others, 1)


def test_a_collections_own_strangers_decide_of_tracks_too(home: Home, gallery: OpenGallery) -> None:
    fill(gallery, 40)
    upkeep = StrangerUpkeep(home.database, gallery, lambda _: ONE_LOOK, home.clock)
    upkeep.measure_if_changed("staff")
    staff = gallery.collection("staff")
    measured = staff.measured()
    assert measured is not None
    by_own = naming(own=measured.own, compared=4)
    assert name_person(staff, by_own, good(), 1)[0].verdict.match
    found = name_person(staff, by_own, strange(4), 5)
    assert all(one.verdict.fmr_at_hand is not None for one in found)
    assert not any(one.verdict.match for one in found)


def test_which_tracks_name_somebody_goes_by_the_collection_as_it_is(sqlite_home: Service) -> None:
    enrolled = [person(sqlite_home, seed, f"person {seed}") for seed in range(3)]
    enrol(sqlite_home.gallery, "staff", enrolled)
    staff = sqlite_home.gallery.collection("staff")
    chosen = tracks_named_from(sqlite_home, staff, fmr=1e-3, fpir=0.01)
    known = sqlite_home.calibration_of(staff)
    assert chosen.naming.compared == 3
    # Nobody measured tracks of discs.
    assert chosen.naming.calibration == best_of_many(known, MOST_SHOTS)
    assert chosen.agrees_from == known.point(1e-2).threshold
    tracks = replace(known, measured_on="tracks")
    shipped = replace(sqlite_home, standards=WithTracks(tracks))  # type: ignore[arg-type]
    chosen = tracks_named_from(shipped, staff, fmr=1e-3, fpir=0.01)
    assert chosen.naming.calibration == tracks


class WithTracks:
    """Standards that know tracks alone."""

    def __init__(self, tracks: Calibration) -> None:
        self._tracks = tracks

    def track_calibration(self, model: str, cohort_version: str) -> Calibration:
        return self._tracks


# Folders


def folder(people: int = 5) -> FolderGallery:
    return FolderGallery(
        tuple(
            Reference(
                f"person {n}", Path(f"{n}/{k}.png"), template(2 * n + k), SeenFace(b"", face().box)
            )
            for n in range(people)
            for k in range(2)
        ),
        (),
    )


def test_a_folder_names_as_a_collection_does() -> None:
    best, *others = name_from_folder(folder(), StrangersCohort(), naming(), good(), 3)
    assert (best.candidate.subject, best.verdict.match, best.agreeing) == ("person 0", True, 4)
    assert not any(one.verdict.match for one in others)
    (alone,) = name_from_folder(folder(), StrangersCohort(), naming(), [shot(0.0)], 1)
    assert not alone.verdict.match and alone.is_unsettled
    behind = [from_behind(one) for one in good()]
    assert name_from_folder(folder(), StrangersCohort(), naming(), behind, 1) == []


def test_looks_agree_with_whichever_picture_of_a_person_they_are_like() -> None:
    one, other = (new(seed).template for seed in (0, 1))
    pictures = [*good(2, of=0), *(shot(10.0 + n, 1, 0.3, seed=n) for n in range(2))]
    lenient = naming(replace(TRACKS, scores=tuple(score - 0.9 for score in SCORES)))
    assert one is not other
    (best,) = name_from_folder(folder(), StrangersCohort(), lenient, pictures, 1)
    assert (best.candidate.subject, best.agreeing) == ("person 0", 4)


# Which looks, and what they make together


def test_the_best_looks_are_chosen_far_enough_apart() -> None:
    shots = [shot(n / 4, quality=0.1 + 0.04 * (n % 5)) for n in range(60)]
    chosen = best_shots(shots)
    assert len(chosen) == MOST_SHOTS
    times = sorted(one.look.time_s for one in chosen)
    assert min(np.diff(times)) >= 0.5
    weights = [goodness_of(one.look.face) for one in chosen]
    assert weights == sorted(weights, reverse=True)
    assert best_shots(shots[::-1]) == chosen


def test_a_fused_template_is_of_length_one_and_nearer_to_who_it_is() -> None:
    looks = [shot(float(n), SOMEBODY, 0.5, seed=n) for n in range(6)]
    fused = fuse(looks)
    assert np.linalg.norm(fused.vector) == pytest.approx(1.0, abs=1e-6)
    assert fused.vector.dtype == np.float32 and fused.model == MODEL
    assert fused.vector @ vector(SOMEBODY) > max(
        float(one.template.vector @ vector(SOMEBODY)) for one in looks
    )


def test_looks_that_cancel_each_other_out_leave_the_best() -> None:
    one, other = shot(0.0), shot(1.0)
    opposite = replace(other, template=replace(other.template, vector=-one.template.vector))
    np.testing.assert_array_equal(fuse([one, opposite]).vector, one.template.vector)


# What scores of tracks mean where nobody measured it


def test_without_a_table_a_track_is_the_best_of_many_looks() -> None:
    bound = best_of_many(ONE_LOOK, 8)
    assert bound.fmr(-0.2) == pytest.approx(8 * ONE_LOOK.fmr(-0.2), rel=0.01)
    assert bound.fmrs[0] == 1.0 and bound.lowest_fmr == pytest.approx(8e-6, rel=0.01)
    assert "as the best of 8 looks" in bound.measured_on
    stricter = naming(tracks=None).naming.point.threshold
    one_look = TrackNaming.of(ONE_LOOK, ONE_LOOK, None, 20, fmr=1e-3, fpir=0.01)
    assert stricter > one_look.naming.point.threshold


def test_own_strangers_are_taken_to_reach_a_score_as_much_more_often_as_any_do() -> None:
    own = replace(ONE_LOOK, measured_on="the collection itself")
    for tracks, times in ((ONE_LOOK, 1.0), (TRACKS, 10**0.5), (None, 8.0)):
        at_hand = naming(tracks, own).naming.at_hand
        assert at_hand is not None
        assert at_hand.fmr(-0.3) == pytest.approx(times * own.fmr(-0.3), rel=0.02)


def test_the_bound_holds_of_tails_and_of_those_who_are_alike() -> None:
    rates = (1e-6, 1e-8)
    tailed = replace(ONE_LOOK, tail=TailRates((-0.1, -0.05), rates, rates, rates, rates))
    bound = best_of_many(replace(tailed, alike=TRACKS), 8)
    assert bound.lowest_fmr == pytest.approx(8e-8, rel=0.01)
    assert bound.alike is not None
    assert bound.alike.fmr(-0.1) == pytest.approx(8 * TRACKS.fmr(-0.1), rel=0.01)


def test_nearly_every_stranger_stays_nearly_every_stranger() -> None:
    many = replace(ONE_LOOK, scores=(-1.0, -0.9, -0.8, -0.4), fmrs=(1.0, 0.999, 0.9, 1e-6))
    assert best_of_many(many, 64).fmrs[0] <= 1.0
