"""Make what is shipped of tracks with the recognisers: what the score of a track means.

    python -m bench.shipped_tracks

Tracks are simulated from stills (`bench.simulated_tracks`), chosen and fused as the product does.
*Any* strangers are tracks of people of LFW View 1, of all their pictures, against each other's
pictures; *alike* ones are tracks of one crop of utk_balanced each, against other crops of
that sex, race and age band, without people who are there twice. None holds anybody's template.
"""

import json
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench import evenness, lfw
from bench.embedded import Embedded, Scores
from bench.evenness import DLIB, RETAIL
from bench.machine import this_machine
from bench.shipped import SHIPPED, table_of
from bench.simulated_tracks import Looks, Tracks, looks_at
from bench.track_naming import PEOPLE, looks_of_view1, pictures_of_people, whose_picture
from bench.workplace import data, pictures_in, settings
from likeness.app import Installation
from likeness.evaluation import PairScores, StrangerScores, groups_of, misses_of
from likeness.terms import Calibration
from likeness.vision.cohorts.cohort import Cohort

Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]

_ANY = (
    f"tracks simulated of {PEOPLE:,} people of LFW deep-funneled, View 1, against pictures of"
    " the others; label errors left out"
)
_ALIKE = (
    "tracks simulated from UTKFace, 990 crops, against crops of others of one sex, race and age"
    " band; repeated people left out"
)
# Looks at each crop: more of one picture say little more.
_CROP_LOOKS = 2
_RATES = (1e-2, 1e-3, 1e-4, 1e-5)


def main() -> None:
    """Make both anew, in place of what is there."""
    print(this_machine().description)
    for recogniser in (RETAIL, DLIB):
        model = next(SHIPPED.glob(f"{recogniser}@*.cohort.npz")).name.removesuffix(".cohort.npz")
        standards = Installation(settings(recogniser=recogniser)).standards
        cohort = standards.cohort(model)
        known = standards.calibration(model, cohort.version)
        table = _table(recogniser, cohort, known)
        path = SHIPPED / f"{model}.{cohort.version}.tracks.json"
        path.write_text(json.dumps(table.as_json(), indent=1) + "\n")
        print(f"{path.name}: {table.pairs:,} pairs, down to {table.lowest_fmr:.2g}", flush=True)
        for rate in _RATES:
            score = known.threshold(rate)
            alike = known.alike, table.alike
            said = ", ".join(
                f"{of_looks.fmr(score):.2g} of pictures and {of_tracks.fmr(score):.2g} of tracks"
                for of_looks, of_tracks in ((known, table), alike)
                if of_looks is not None and of_tracks is not None
            )
            print(f"  at the score of {rate:g}: {said} (alike)", flush=True)


def _table(recogniser: str, cohort: Cohort, known: Calibration) -> Calibration:
    model, version = known.model, known.cohort_version
    owners, pictures = zip(*pictures_of_people().items(), strict=True)
    tracks = _tracks_of(looks_of_view1((RETAIL, DLIB)), pictures, recogniser, cohort)
    # Of those who are seen, every picture.
    references = np.flatnonzero(whose_picture() < PEOPLE)
    stills = lfw.embedded(recogniser)
    _, non_mated = lfw.masks()
    firsts = [theirs[0] for theirs in pictures]
    allowed = (non_mated | non_mated.T)[np.ix_(firsts, references)]
    scores = tracks.fused.scores_with(stills.only(references))
    counts = _counted(scores, allowed, np.array(owners), whose_picture()[references])
    return table_of(
        counts,
        model,
        version,
        _ANY,
        misses_of(_mated(recogniser, cohort, stills)),
        known.one_person,
        table_of(_alike(recogniser, cohort), model, version, _ALIKE),
    )


@cache
def _looks_at_crops() -> Looks:
    pictures = pictures_in(data("utk_balanced"))
    numbers = range(len(pictures))
    return looks_at(pictures, numbers, (RETAIL, DLIB), padding=evenness.PADDING, looks=_CROP_LOOKS)


def _tracks_of(
    looks: Looks, pictures: Sequence[Numbers], recogniser: str, cohort: Cohort
) -> Tracks:
    return Tracks.of([looks.shots_of(some.tolist(), recogniser) for some in pictures], cohort)


def _mated(recogniser: str, cohort: Cohort, stills: Embedded) -> Scores:
    """Score each picture of everybody who has several with the track of their others."""
    pairs = [
        (left_out, np.array([other for other in pictures.tolist() if other != left_out]))
        for pictures in pictures_of_people().values()
        if len(pictures) > 1
        for left_out in pictures.tolist()
    ]
    references, seen = zip(*pairs, strict=True)
    tracks = _tracks_of(looks_of_view1((RETAIL, DLIB)), seen, recogniser, cohort)
    enrolled = stills.only(np.array(references))
    scores = np.concatenate(
        [
            tracks.fused.only(np.array([place])).scores_with(enrolled.only(np.array([place])))[0]
            for place in range(len(pairs))
        ]
    )
    return np.asarray(scores[np.isfinite(scores)], np.float32)


def _alike(recogniser: str, cohort: Cohort) -> StrangerScores:
    crops = evenness.crops(recogniser)
    numbers = {path: number for number, path in enumerate(pictures_in(data("utk_balanced")))}
    pictures = [np.array([numbers[path]]) for path in crops.pictures]
    tracks = _tracks_of(_looks_at_crops(), pictures, recogniser, cohort)
    kinds = np.array([f"{a} {b}" for a, b in zip(crops.groups, crops.ages, strict=True)])
    twice = evenness.one_person_twice(recogniser)
    same_kind = (kinds[:, None] == kinds) & ~twice & ~twice.T
    np.fill_diagonal(same_kind, False)
    people = np.arange(len(kinds))
    return _counted(tracks.fused.scores_with(crops.deciding), same_kind, people, people)


def _counted(
    scores: Scores, allowed: Mask, whose_track: Numbers, whose_picture: Numbers
) -> StrangerScores:
    """Count the allowed of (tracks, pictures) scores; who was not found matches nobody."""
    groups = groups_of(np.arange(max(whose_track.max(), whose_picture.max()) + 1))
    counts = StrangerScores()
    for track in range(len(scores)):
        columns = np.flatnonzero(allowed[track] & np.isfinite(scores[track]))
        if len(columns):
            ones = np.full(len(columns), groups[whose_track[track]])
            others = groups[whose_picture[columns]]
            counts.add(PairScores(scores[track, columns].astype(float), ones, others))
    return counts


if __name__ == "__main__":
    main()
