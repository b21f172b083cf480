"""Naming somebody who is followed through a clip, against the best single frame of it.

Tracks are simulated from stills of LFW View 1 (`simulated_tracks`). Everybody with three pictures
or more is enrolled by one of them, in each round another, and seen in a track of the others; the
others are strangers, each seen in a track of all their pictures. How looks are chosen, weighted and
fused, and how many have to agree, was chosen on one half of the people; the figure is of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import lfw
from bench.embedded import Embedded, likeness
from bench.evenness import RETAIL
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.simulated_tracks import LOOKS, Looks, Tracks, looks_at
from likeness.evaluation import (
    Samples,
    Searches,
    calibrate_own_strangers,
    fnir,
    resample_searches,
    threshold_at_fpir,
)
from likeness.service.video.track_scores import TrackNaming, agreement_of, is_agreed
from likeness.terms import Joining
from likeness.vision.cohorts.standards import Standards

Numbers = NDArray[np.intp]
Scores = NDArray[np.float64]

_FPIR = 1e-2
_ENROLLED_FROM, _ROUNDS = 3, 3
PEOPLE = 2_000
"""So many are seen: the first by name, since looks at everybody take twice as long."""
_RESAMPLES = 1000
CHOSEN_ON, REPORTED = 0, 1
"""Halves of the people."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """People seen in tracks, and those who are enrolled.

    `references` is (n,), pictures, and `owners` (n,) whose they are; `people` is (t,), whose each
    of the `tracks` is, of which `pictures` says of how many photographs.
    """

    references: Numbers
    owners: Numbers
    tracks: Tracks
    people: Numbers

    @property
    def mated(self) -> NDArray[np.bool_]:
        """Whose track is of somebody enrolled."""
        return np.isin(self.people, self.owners)


@cache
def whose_picture() -> Numbers:
    """Number everybody in View 1 in the order of names: whose each picture is."""
    names = [path.parent.name for path in lfw.pictures_of_lfw()]
    return np.unique(names, return_inverse=True)[1]


@cache
def pictures_of_people() -> dict[int, Numbers]:
    """Give the pictures of those who are seen; who is there under two names is seen under one."""
    pictures, whose = lfw.pictures_of_lfw(), whose_picture()
    names = [path.parent.name for path in pictures]
    stems = [path.stem for path in pictures]
    wrong = np.isin(stems, lfw.ERRONEOUS_PICTURES)
    wrong |= np.isin(names, [other for _, other in lfw.LABEL_ERRORS])
    wrong |= np.isin(stems, [other for _, other in lfw.ERRONEOUS_PAIRS])
    every = {person: np.flatnonzero((whose == person) & ~wrong) for person in range(PEOPLE)}
    return {person: theirs for person, theirs in every.items() if len(theirs)}


@cache
def looks_of_view1(recognisers: tuple[str, ...]) -> Looks:
    """Make looks at every picture of those who are seen."""
    count = int(np.searchsorted(whose_picture(), PEOPLE))
    whose = whose_picture()[:count].tolist()
    return looks_at(lfw.pictures_of_lfw()[:count], whose, recognisers)


def half_of(person: int) -> int:
    """Say to which half somebody belongs."""
    return int(np.random.default_rng((17, person)).integers(2))


def seen_of(looks: Looks, half: int, round_: int, *, one_picture: bool = False) -> Seen:
    """Say who of a half is enrolled in a round and who is seen; in one picture each, if asked."""
    references, owners, people, shots = [], [], [], []
    for person, pictures in pictures_of_people().items():
        if half_of(person) != half:
            continue
        seen = pictures
        if len(pictures) >= _ENROLLED_FROM:
            references.append(pictures[round_])
            owners.append(person)
            seen = np.delete(pictures, round_)
        people.append(person)
        shots.append(looks.shots_of(seen[: 1 if one_picture else None].tolist(), RETAIL))
    tracks = Tracks.of(shots, likeness().finder.cohort)
    return Seen(np.array(references), np.array(owners), tracks, np.array(people))


def searches_of(seen: Seen, scores: Scores) -> Searches:
    """Make searches of (tracks, references) scores; minus infinity for who is no candidate."""
    mated = seen.mated
    own = seen.people[:, None] == seen.owners
    mates = np.where(own, scores, -np.inf).max(axis=1)
    others = np.where(own, -np.inf, scores).max(axis=1)
    ranks = np.where(mates > others, 1, 2)
    return Searches(
        seen.people.astype(np.int32),
        mated,
        mates,
        np.where(mates > -np.inf, ranks, 0).astype(np.int32),
        others,
        len(seen.references),
        len(seen.owners),
        2,
    )


def agreed(seen: Seen, enrolled: Embedded, agrees_from: float) -> NDArray[np.bool_]:
    """Say with whom enough looks of each track agree: (tracks, references)."""
    answers = np.zeros((len(seen.people), len(seen.references)), np.bool_)
    for track, looks in enumerate(seen.tracks.looks):
        if looks:
            scores = seen.tracks.look_scores(track, enrolled)
            answers[track] = is_agreed(
                *agreement_of(scores, seen.tracks.weights(track), agrees_from)
            )
    return answers


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """The same people searched for by one look and by all, and how FNIR is drawn anew.

    `one` and `all` are searches; `one_drawn` and `all_drawn` the FNIR of each resample.
    """

    one: Searches
    all: Searches
    one_drawn: Scores
    all_drawn: Scores

    @classmethod
    def of(cls, rounds: Sequence[Seen], stills: Embedded, agrees_from: float) -> "Arms":
        """Search both ways; whoever too few looks agree with is no candidate of all."""
        cohort = likeness().finder.cohort
        by_one, by_all = [], []
        for seen in rounds:
            enrolled = stills.only(seen.references)
            by_one.append(searches_of(seen, _scores(seen.tracks.best_look(cohort), enrolled)))
            enough = agreed(seen, enrolled, agrees_from)
            fused = _scores(seen.tracks.fused, enrolled)
            by_all.append(searches_of(seen, np.where(enough, fused, -np.inf)))
        one, every = _together(by_one), _together(by_all)
        # Whoever is drawn is drawn with the searches of all rounds, the same for both.
        people = Samples(np.arange(PEOPLE, dtype=np.int32), np.zeros(PEOPLE, np.bool_))
        drawn = [
            resample_searches(each, people, rank=1, targets=[_FPIR], resamples=_RESAMPLES)
            for each in (one, every)
        ]
        return cls(one, every, *(each.fnir_at(_FPIR) for each in drawn))

    def fnirs(self) -> tuple[float, float]:
        """Give FNIR by one look and by all, each at its own threshold for the FPIR."""
        found = [
            fnir(each, threshold_at_fpir(each, _FPIR), rank=1).value
            for each in (self.one, self.all)
        ]
        return found[0] or 0.0, found[1] or 0.0


def _together(rounds: Sequence[Searches]) -> Searches:
    first = rounds[0]

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(each, name) for each in rounds])

    return Searches(
        joined("probes"),
        joined("mated"),
        joined("mate_scores"),
        joined("mate_ranks"),
        joined("other_scores"),
        first.gallery,
        first.subjects,
        first.depth,
    )


def _scores(probes: Embedded, references: Embedded) -> Scores:
    return probes.scores_with(references).astype(np.float64)


def _interval(drawn: Scores) -> str:
    low, high = np.quantile(drawn[np.isfinite(drawn)], (0.025, 0.975))
    return f"95% interval {low:.3g} to {high:.3g}, {_RESAMPLES:,} draws of people"


def _measure(full: bool) -> Measurement:
    if likeness().installation.recogniser.name != RETAIL:
        raise NotMeasured("the recogniser in use is another than the one that the figure is of")
    looks, stills = looks_of_view1((RETAIL,)), lfw.embedded(RETAIL)
    agrees_from = TrackNaming.agreeing_from(likeness().calibration)
    rows: list[Beside] = []
    for name, half, one_picture in (
        ("several", REPORTED, False),
        ("chosen-on", CHOSEN_ON, False),
        ("one-picture", REPORTED, True),
    ):
        rounds = [
            seen_of(looks, half, number, one_picture=one_picture) for number in range(_ROUNDS)
        ]
        arms = Arms.of(rounds, stills, agrees_from)
        by_one, by_all = arms.fnirs()
        ratios = arms.all_drawn / arms.one_drawn
        rows += [
            Beside(f"{name}-ratio", by_all / by_one, "times", _interval(ratios)),
            Beside(f"{name}-track", by_all, "FNIR", _interval(arms.all_drawn)),
            Beside(f"{name}-best-look", by_one, "FNIR", _interval(arms.one_drawn)),
        ]
        if name == "several":
            rows += _promised(rounds, stills)
            mated = int(rounds[0].mated.sum())
            against = (
                f"FNIR of tracks over that of their best look, FPIR {_FPIR:g} each: {mated} people"
                f" of half of {PEOPLE:,} of LFW View 1 enrolled by one picture and seen in others,"
                f" {len(rounds[0].people) - mated} strangers, {_ROUNDS} rounds, {LOOKS} looks made"
                " at each picture"
            )
    return Measurement(rows[0].value, against, tuple(rows))


def _promised(rounds: Sequence[Seen], stills: Embedded) -> list[Beside]:
    """Decide as the product does where FPIR 1e-2 is asked for, by own strangers too."""
    named, missed = np.array([_decided(seen, stills.only(seen.references)) for seen in rounds]).sum(
        axis=0
    )
    mates = _ROUNDS * int(rounds[0].mated.sum())
    strangers = _ROUNDS * len(rounds[0].people) - mates
    said = f"by the shipped table and own strangers, FPIR {_FPIR:g} asked for"
    return [
        Beside("promised-fpir", named / strangers, "FPIR", f"{strangers} searches; {said}"),
        Beside("promised-fnir", missed / mates, "FNIR", f"{mates} searches; {said}"),
    ]


def _decided(seen: Seen, enrolled: Embedded) -> tuple[int, int]:
    """Count strangers who are named, and mates who are not."""
    known, cohort = likeness().calibration, likeness().finder.cohort
    standards: Standards = likeness().installation.standards
    tracks = standards.track_calibration(known.model, known.cohort_version)
    usable = np.flatnonzero(~enrolled.failed)
    people = 1 + usable
    joining = Joining(people, people, enrolled.vectors[usable], known.one_person)
    own = calibrate_own_strangers(joining, cohort, known)[0]
    naming = TrackNaming.of(known, tracks, own, len(enrolled.vectors), fmr=1e-3, fpir=_FPIR)
    scores = _scores(seen.tracks.fused, enrolled)
    enough = agreed(seen, enrolled, naming.agrees_from)
    named, missed = 0, 0
    for track, mated in enumerate(seen.mated.tolist()):
        best = int(scores[track].argmax())
        vector, candidate = seen.tracks.fused.vectors[track], enrolled.vectors[[best]]
        (own_score,) = joining.own_scores(cohort, vector, candidate, np.array([1 + best]))
        verdict = naming.naming.verdict(float(scores[track, best]), float(own_score))
        answer = verdict.match and bool(enough[track, best])
        right = answer and seen.owners[best] == seen.people[track]
        named += answer and not mated
        missed += mated and not right
    return named, missed


FIGURES = (Figure("track-naming", "times", at_most(0.5), _measure),)
