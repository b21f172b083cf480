"""Which unnamed faces are proposed to be one person's?"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import NoFace
from likeness.service.search.cluster import Proposal, UnnamedFace, propose
from likeness.terms import (
    Box,
    Calibration,
    CohortStatistics,
    Face,
    Landmarks,
    Point,
    Pose,
    Quality,
    Template,
    compare,
)

# From -1.6 on, each fifth of a unit nearer makes strangers ten times rarer.
CALIBRATION = Calibration(
    "model", "cohort", (-1.6, -0.001), (1.0, 1e-8), 10**8, "numbers that are drawn"
)


def unnamed(picture: str, left: float, direction: Sequence[float]) -> UnnamedFace:
    at = Point(left, 0)
    face = Face(
        Box(left, 0, left + 50, 60),
        Landmarks(at, at, at, at, at),
        0.9,
        Pose(0, 0, 0),
        Quality(9, 9, 9),
    )
    vector = np.array(direction, np.float32)
    vector /= np.linalg.norm(vector)
    return UnnamedFace(
        Path(picture), face, Template(vector, "model", CohortStatistics(0.1, "cohort"))
    )


def place(face: UnnamedFace) -> tuple[str, float]:
    return str(face.picture), face.face.box.left


def places(proposal: Proposal) -> tuple[object, ...]:
    clusters = [[place(face) for face in likely.faces] for likely in proposal.clusters]
    return clusters, [place(face) for face in proposal.alone]


# Few pictures and few directions: many faces are the very same, in one picture and in several.
crowds = st.lists(
    st.tuples(st.sampled_from("abcd"), st.tuples(*[st.integers(1, 3)] * 3)), min_size=1, max_size=16
)


@given(crowds, st.randoms())
def test_the_order_of_the_faces_changes_nothing(
    crowd: list[tuple[str, tuple[int, int, int]]], random: Random
) -> None:
    faces = [unnamed(picture, number, at) for number, (picture, at) in enumerate(crowd)]
    shuffled = [*faces]
    random.shuffle(shuffled)
    assert places(propose(shuffled, CALIBRATION, 0.1)) == places(propose(faces, CALIBRATION, 0.1))


@given(crowds)
def test_every_face_is_proposed_once_and_nobody_is_in_a_picture_twice(
    crowd: list[tuple[str, tuple[int, int, int]]],
) -> None:
    faces = [unnamed(picture, number, at) for number, (picture, at) in enumerate(crowd)]
    proposal = propose(faces, CALIBRATION, 0.5)
    clusters, alone = places(proposal)
    assert sorted([*alone, *chain.from_iterable(clusters)]) == sorted(place(face) for face in faces)
    for cluster in clusters:
        pictures = [picture for picture, _ in cluster]
        assert len(set(pictures)) == len(pictures) >= 2
    joins = len(faces) - len(clusters) - len(alone)
    assert 0 <= proposal.expected_false <= joins


def test_cohesion_is_the_mean_score_with_its_error_rate() -> None:
    pair = [unnamed("a", 0, (1, 1, 0)), unnamed("b", 0, (1, 2, 0))]
    (likely,) = propose(pair, CALIBRATION, 0.01).clusters
    score = compare(pair[0].template, pair[1].template).score
    assert likely.cohesion == pytest.approx(score, abs=1e-5)
    assert likely.fits == pytest.approx([score, score], abs=1e-5)
    assert likely.fmr == pytest.approx(CALIBRATION.fmr(score), rel=1e-4)
    assert likely.similarity == pytest.approx(CALIBRATION.similarity(score), rel=1e-4)


def strangers(count: int) -> list[UnnamedFace]:
    draws = np.random.default_rng(0)
    return [unnamed(f"{number}", 0, draws.normal(size=64)) for number in range(count)]


def test_the_more_faces_the_rarer_must_be_the_strangers_that_reach_the_threshold() -> None:
    assert propose(strangers(50), CALIBRATION, 1e-3).point == CALIBRATION.point(1e-3)
    assert propose(strangers(50), CALIBRATION, 0.1).point == CALIBRATION.point(1 / 50)


def test_beyond_what_is_calibrated_the_strictest_is_used_and_counted_with() -> None:
    faces = [*strangers(20), unnamed("a", 0, [1.0] * 64), unnamed("b", 0, [1.0] * 63 + [1.1])]
    few = Calibration("model", "cohort", (-2.0, -0.5), (1.0, 1e-2), 100, "few")
    proposal = propose(faces, few, 1e-6)
    assert (proposal.point.calibrated, proposal.point.threshold) == (False, -0.5)
    joins = len(faces) - len(proposal.clusters) - len(proposal.alone)
    assert proposal.expected_false == min(22 * 21 / 2 * 1e-2, joins)


def test_nothing_to_group_is_said() -> None:
    with pytest.raises(NoFace, match="No faces to group"):
        propose([], CALIBRATION, 1e-3)
