"""What is packed is unpacked as it was."""

from dataclasses import astuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.terms import (
    Box,
    CohortStatistics,
    Face,
    Landmarks,
    Point,
    Pose,
    Quality,
    QualityReason,
    Template,
)
from likeness.video import Ending, Look, Shot, Track, pack_tracks, unpack_tracks

numbers = st.floats(allow_nan=False, width=64)
points = st.builds(Point, numbers, numbers)
faces = st.builds(
    Face,
    st.builds(Box, numbers, numbers, numbers, numbers),
    st.builds(Landmarks, points, points, points, points, points),
    numbers,
    st.builds(Pose, numbers, numbers, numbers),
    st.builds(
        Quality,
        numbers,
        numbers,
        numbers,
        st.lists(st.sampled_from(QualityReason), unique=True).map(tuple),
    ),
)
looks = st.builds(Look, numbers, faces)
templates = st.builds(
    Template,
    st.lists(st.floats(width=32, allow_nan=False), max_size=5).map(
        lambda values: np.array(values, np.float32)
    ),
    st.text(max_size=4),
    st.builds(CohortStatistics, numbers, st.text(max_size=4)),
)
shots = st.builds(Shot, looks, templates, st.binary(max_size=9))
tracks = st.builds(
    Track,
    st.lists(looks, min_size=1, max_size=4).map(tuple),
    st.lists(shots, max_size=3).map(tuple),
    st.sampled_from(Ending),
)


def plain(track: Track) -> tuple[object, ...]:
    """A track as values that are equal when all of it is."""
    return (
        [astuple(look) for look in track.looks],
        [
            (
                astuple(shot.look),
                shot.template.vector.tolist(),
                shot.template.vector.dtype,
                shot.template.model,
                shot.template.cohort,
                shot.crop_jpeg,
            )
            for shot in track.shots
        ],
        track.ended,
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(tracks, max_size=4))
def test_tracks_come_back_as_they_were_and_are_packed_the_same_again(packed: list[Track]) -> None:
    content = pack_tracks(packed)
    unpacked = unpack_tracks(content)
    assert [plain(track) for track in unpacked] == [plain(track) for track in packed]
    assert pack_tracks(unpacked) == content
