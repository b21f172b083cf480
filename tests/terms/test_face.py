"""Is it the same face of the same picture?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.terms import Box, SeenFace

sides = st.floats(-50.0, 50.0)
lengths = st.floats(1.0, 50.0)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), sides, sides, lengths, lengths)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(0, 5, 10, 15), 50 / 150),
        (Box(2, 2, 8, 8), 0.36),
        (Box(10, 0, 20, 10), 0.0),
        (Box(30, 30, 40, 40), 0.0),
    ],
)
def test_overlap_is_the_share_that_both_cover(box: Box, share: float) -> None:
    assert Box(0, 0, 10, 10).overlap(box) == pytest.approx(share)


@given(boxes, boxes)
def test_overlap_is_the_same_both_ways_and_a_share(one: Box, other: Box) -> None:
    assert one.overlap(other) == other.overlap(one)
    assert 0.0 <= one.overlap(other) <= 1.0 + 1e-9
    assert one.overlap(one) == pytest.approx(1.0)


def test_overlap_of_a_box_without_area_is_none() -> None:
    assert Box(1, 1, 1, 1).overlap(Box(1, 1, 1, 1)) == 0.0


def test_a_face_looked_at_twice_is_one_and_its_neighbour_or_another_picture_is_not() -> None:
    seen = SeenFace(b"picture", Box(0, 0, 10, 10))
    assert seen.is_of(SeenFace(b"picture", Box(1, 1, 11, 11)))
    assert not seen.is_of(SeenFace(b"picture", Box(8, 0, 18, 10)))
    assert not seen.is_of(SeenFace(b"another", Box(0, 0, 10, 10)))
