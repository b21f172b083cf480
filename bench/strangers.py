"""Is a promised rate kept where strangers look alike, and at what price? Searches of galleries.

A collection of 60 people of one sex and race of utk_balanced, with 20 of LFW View 1 among them, is
searched for up to 40 other people of that group and for second pictures of the 20; and a thousand
people of View 1 for a thousand others. Rates are those of `service.naming`, as `identify` asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import evenness, lfw
from bench.embedded import Embedded, embed, likeness
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from bench.portrayed import portrayed
from bench.workplace import data, pictures_in, sample_of
from likeness.errors import required
from likeness.evaluation import (
    UPPER_95,
    PairScores,
    StrangerScores,
    calibrate_own_strangers,
    extrapolate,
    groups_of,
    threshold_at_fmr,
)
from likeness.service.search.naming import Naming
from likeness.terms import Joining, relative_scores
from likeness.vision.decode import Sample, read_sample

_FPIR = 1e-2
_ENROLLED, _WITH_MATES, _DRAWS = 60, 20, 5
_THOUSAND, _ROUNDS = 1_000, 12
_SMALL_PX = 28
_TENTH, _COVERAGE_DRAWS = 0.1, 200

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rates:
    """How many of how many strangers were named, and of how many mates missed."""

    named: int
    strangers: int
    missed: int
    mates: int

    @property
    def fpir(self) -> float:
        """The share of strangers who were named."""
        return self.named / self.strangers

    @property
    def fnir(self) -> float:
        """The share of mates who were not named, or not first."""
        return self.missed / self.mates


def _together(rates: Sequence[Rates]) -> Rates:
    return Rates(
        sum(one.named for one in rates),
        sum(one.strangers for one in rates),
        sum(one.missed for one in rates),
        sum(one.mates for one in rates),
    )


def _searched(
    enrolled: Embedded, strangers: Embedded, mates: Embedded, whose: Numbers, own: bool = True
) -> Rates:
    """Enrol one picture each of different people; search for strangers, and for mates of some."""
    known = likeness().calibration
    cohort = likeness().finder.cohort
    people = np.arange(1, len(enrolled.vectors) + 1)
    joining = Joining(people, people, enrolled.vectors, known.one_person)
    measured = calibrate_own_strangers(joining, cohort, known)[0] if own else None
    naming = Naming.of(known, measured, len(people), fmr=1e-3, fpir=_FPIR)

    def named(probes: Embedded) -> list[int]:
        """Give whom each probe is named, -1 for nobody."""
        scores = probes.scores_with(enrolled)
        best = scores.argmax(axis=1)
        answers = []
        for probe, candidate in enumerate(best.tolist()):
            own_score = None
            if own:
                vector = enrolled.vectors[[candidate]]
                own_score = float(
                    joining.own_scores(cohort, probes.vectors[probe], vector, people[[candidate]])[
                        0
                    ]
                )
            verdict = naming.verdict(float(scores[probe, candidate]), own_score)
            answers.append(candidate if verdict.match else -1)
        return answers

    false = sum(answer >= 0 for answer in named(strangers))
    missed = sum(a != b for a, b in zip(named(mates), whose.tolist(), strict=True))
    return Rates(false, len(strangers.vectors), missed, len(mates.vectors))


def _joined(one: Embedded, other: Embedded) -> Embedded:
    return Embedded(
        np.concatenate([one.vectors, other.vectors]),
        np.concatenate([one.means, other.means]),
        np.concatenate([one.failed, other.failed]),
    )


def _groups(own: bool) -> dict[str, Rates]:
    crops, twice = evenness.crops(), evenness.one_person_twice()
    groups, press = np.array(crops.groups), lfw.embedded()
    pairs = _of_several_pictures()
    found = {}
    for number, group in enumerate(np.unique(groups).tolist()):
        members = np.flatnonzero(groups == group)
        rates = []
        for draw in range(_DRAWS):
            random = np.random.default_rng(1000 * number + draw)
            order = random.permutation(members)
            inside, outside = order[:_ENROLLED], order[_ENROLLED:]
            # Whoever is enrolled already, under another picture, is no stranger.
            outside = outside[~twice[np.ix_(outside, inside)].any(axis=1)]
            chosen = [
                random.permutation(pairs[n])[:2]
                for n in random.choice(len(pairs), _WITH_MATES, replace=False)
            ]
            first, second = np.array(chosen).T
            rates.append(
                _searched(
                    _joined(crops.deciding.only(inside), press.only(first)),
                    crops.deciding.only(outside),
                    press.only(second),
                    _ENROLLED + np.arange(_WITH_MATES),
                    own,
                )
            )
        found[group] = _together(rates)
    return found


@cache
def _measured_groups(own: bool) -> dict[str, Rates]:
    return _groups(own)


@cache
def _of_several_pictures() -> list[Numbers]:
    """The pictures of everybody in View 1 who has two or more with a face."""
    names = np.array([path.parent.name for path in lfw.pictures_of_lfw()])
    wrong = np.isin([path.stem for path in lfw.pictures_of_lfw()], lfw.ERRONEOUS_PICTURES)
    usable = ~lfw.embedded().failed & ~wrong
    every = [np.flatnonzero((names == name) & usable) for name in np.unique(names)]
    return [pictures for pictures in every if len(pictures) >= 2]


_OF_GROUPS = (
    f"{_ENROLLED} people of one sex and race of utk_balanced and {_WITH_MATES} of View 1 enrolled,"
    f" others of that group searched, FPIR {_FPIR:g} asked for; ten groups, {_DRAWS} draws"
)


def _group_fpir(full: bool) -> Measurement:
    found, plain = _measured_groups(True), _measured_groups(False)
    return Measurement(
        float(np.mean([one.fpir for one in found.values()])),
        f"mean over the groups; {_OF_GROUPS}",
        (
            Beside("alike", float(np.mean([o.fpir for o in plain.values()])), "FPIR", "by *alike*"),
            *(Beside(group, one.fpir, "FPIR", "one group") for group, one in found.items()),
        ),
    )


def _group_fpir_worst(full: bool) -> Measurement:
    found = _measured_groups(True)
    worst = max(found, key=lambda group: found[group].fpir)
    return Measurement(found[worst].fpir, f"the worst group, {worst}; {_OF_GROUPS}")


def _group_fnir(full: bool) -> Measurement:
    found, plain = _measured_groups(True), _measured_groups(False)
    return Measurement(
        float(np.mean([one.fnir for one in found.values()])),
        f"second pictures of the {_WITH_MATES}, mean over the groups; {_OF_GROUPS}",
        (
            Beside("alike", float(np.mean([o.fnir for o in plain.values()])), "FNIR", "by *alike*"),
            *(Beside(group, one.fnir, "FNIR", "one group") for group, one in found.items()),
        ),
    )


@cache
def _thousand() -> Rates:
    names = np.array([path.parent.name for path in lfw.pictures_of_lfw()])
    press = lfw.embedded()
    wrong = np.isin([path.stem for path in lfw.pictures_of_lfw()], lfw.ERRONEOUS_PICTURES)
    usable = ~press.failed & ~wrong
    people = [np.flatnonzero((names == name) & usable) for name in np.unique(names)]
    people = [pictures for pictures in people if len(pictures)]
    rates = []
    for round_ in range(_ROUNDS):
        random = np.random.default_rng(round_)
        order = random.permutation(len(people))
        inside = [random.permutation(people[n]) for n in order[:_THOUSAND]]
        outside = [random.choice(people[n]) for n in order[_THOUSAND : 2 * _THOUSAND]]
        mates = [(n, pictures[1]) for n, pictures in enumerate(inside) if len(pictures) > 1]
        rates.append(
            _searched(
                press.only(np.array([pictures[0] for pictures in inside])),
                press.only(np.array(outside)),
                press.only(np.array([picture for _, picture in mates])),
                np.array([n for n, _ in mates]),
            )
        )
    return _together(rates)


_OF_A_THOUSAND = (
    f"{_THOUSAND:,} people of View 1 enrolled, {_THOUSAND:,} others and second pictures searched,"
    f" FPIR {_FPIR:g} asked for, {_ROUNDS} draws"
)


def _largest(full: bool) -> Measurement:
    calibration = likeness().calibration
    largest = _FPIR / calibration.lowest_fmr
    return Measurement(
        largest,
        f"references, FPIR {_FPIR:g}, *any*: counted down to {calibration.least_counted:.2g},"
        f" extrapolated to {calibration.lowest_fmr:.2g}",
        (
            Beside(
                "counted",
                _FPIR / calibration.least_counted,
                "references",
                "by counted rates alone",
            ),
        ),
    )


def _reduced(fmr: float) -> Measurement:
    threshold = threshold_at_fmr(lfw.deciding_pairs().non_mated, fmr)
    mated, non_mated = lfw.masks()
    scores = _small().scores()
    mixed = _small().scores_with(lfw.embedded())
    return Measurement(
        float((scores[non_mated] >= threshold).mean()) / fmr,
        f"times the stated rate, at the threshold of FMR {fmr:g}: strangers of View 1 reduced to"
        f" faces {_SMALL_PX} px tall and enlarged again",
        (
            Beside(
                "with-sharp",
                float((mixed[non_mated] >= threshold).mean()) / fmr,
                "times",
                "a reduced picture with one as it is",
            ),
            Beside(
                "fnmr",
                float((scores[mated] < threshold).mean()),
                "FNMR",
                "both pictures reduced",
            ),
        ),
    )


@cache
def _small() -> Embedded:
    locate = likeness().finder.locate

    def small(picture: object) -> Sample:
        sample = read_sample(picture)  # type: ignore[arg-type]  # paths
        located = locate(sample)
        if not located.faces:
            return sample
        face, pixels = located.faces[portrayed(located)], located.image.pixels
        scale = _SMALL_PX / (face.box.height * located.image.scale_xy[1])
        size = pixels.shape[1::-1]
        reduced = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        enlarged = cv2.resize(reduced, size, interpolation=cv2.INTER_CUBIC)
        return sample_of(np.asarray(enlarged, np.uint8))

    return embed(lfw.pictures_of_lfw(), small)


def _themselves(full: bool) -> Measurement:
    """Compare every picture with itself, embedded twice."""
    calibration, finder = likeness().calibration, likeness().finder
    faces = pictures_in(data("fairface540"))
    one = _joined(lfw.embedded(), embed(faces, read_sample))
    other = embed([*lfw.pictures_of_lfw(), *faces], read_sample)
    found = ~one.failed & ~other.failed
    raw = (one.vectors[found] * other.vectors[found]).sum(axis=1)
    scores = relative_scores(raw, one.means[found], other.means[found])
    similarities = np.array([calibration.similarity(score) for score in scores.tolist()])
    strictest = calibration.point(calibration.lowest_fmr)
    missed = sum(not strictest.is_reached(score) for score in scores.tolist())
    if finder.cohort.version != calibration.cohort_version:
        raise NotMeasured("the calibration in use is of another cohort than the finder's")
    return Measurement(
        missed,
        f"of {found.sum():,} pictures of View 1 and fairface540, at FMR {strictest.fmr:.2g}",
        (
            Beside(
                "under-99.9",
                int((similarities < 99.9).sum()),
                "pictures",
                "with a similarity under 99.9 to themselves",
            ),
        ),
    )


def _coverage(full: bool) -> Measurement:
    """Fit the tail to a tenth of the subjects, and see what the whole set shows."""
    _, non_mated = lfw.masks()
    scores = lfw.embedded().scores()
    every = np.sort(scores[non_mated])
    rates = (1e-4, 1e-5, 2.4e-6)
    thresholds = np.array([threshold_at_fmr(every, rate) for rate in rates])
    shown = np.array([(every >= threshold).mean() for threshold in thresholds])
    _, people = np.unique([path.parent.name for path in lfw.pictures_of_lfw()], return_inverse=True)
    covered = np.zeros((_COVERAGE_DRAWS, len(rates)), bool)
    for draw in range(_COVERAGE_DRAWS):
        random = np.random.default_rng(draw)
        chosen = random.permutation(people.max() + 1)[: int(_TENTH * (people.max() + 1))]
        members = np.flatnonzero(np.isin(people, chosen) & ~lfw.embedded().failed)
        row, column = np.nonzero(non_mated[np.ix_(members, members)])
        groups = groups_of(people[members], draw)
        counts = StrangerScores()
        some = scores[np.ix_(members, members)][row, column].astype(float)
        counts.add(PairScores(some, groups[row], groups[column]))
        top = required(counts.top(), "the highest of a hundred thousand scores")
        tail = extrapolate(top, thresholds)
        covered[draw] = (tail.lows <= shown) & (shown <= tail.highs)
    return Measurement(
        float(covered.mean(axis=0).min()),
        f"of {_COVERAGE_DRAWS} draws of a tenth of View 1's people, the 95% interval of the tail"
        f" holds the whole set's rate; the worst of FMR {', '.join(f'{rate:g}' for rate in rates)};"
        f" {UPPER_95:g} standard errors either way",
        tuple(
            Beside(f"at-{rate:g}", float(share), "share", "of the draws")
            for rate, share in zip(rates, covered.mean(axis=0), strict=True)
        ),
    )


FIGURES = (
    Figure("themselves", "pictures", at_most(0), _themselves),
    Figure("reduced-1e-3", "times", at_most(2.5), lambda full: _reduced(1e-3)),
    Figure("reduced-1e-4", "times", at_most(2.5), lambda full: _reduced(1e-4)),
    Figure("tail-coverage", "share", at_least(0.9), _coverage),
    Figure("largest-collection", "references", at_least(400_000), _largest),
    Figure("alike-fpir", "FPIR", at_most(0.02), _group_fpir),
    Figure("alike-fpir-worst", "FPIR", at_most(0.05), _group_fpir_worst),
    Figure("alike-fnir", "FNIR", at_most(0.23), _group_fnir),
    Figure(
        "thousand-fpir",
        "FPIR",
        at_most(0.015),
        lambda full: Measurement(_thousand().fpir, _OF_A_THOUSAND),
    ),
    Figure(
        "thousand-fnir",
        "FNIR",
        at_most(0.045),
        lambda full: Measurement(_thousand().fnir, _OF_A_THOUSAND),
    ),
)
