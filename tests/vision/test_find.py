"""Which of several faces is meant: the largest, or of nearly equal ones the one in the middle."""

import numpy as np
import pytest

from likeness.vision.find import largest_of


@pytest.mark.parametrize(
    ("boxes", "meant"),
    [
        ([(0, 0, 60, 60), (180, 80, 220, 120)], 0),
        ([(0, 0, 60, 60), (170, 70, 228, 128)], 1),
        ([(0, 0, 60, 60), (172, 72, 228, 128)], 0),
        ([(340, 0, 400, 60), (0, 0, 60, 60), (90, 70, 148, 128)], 2),
        ([(0, 0, 60, 60)], 0),
    ],
    ids=["small in the middle", "within a tenth", "just beyond a tenth", "of three", "alone"],
)
def test_the_largest_face_is_meant_and_of_nearly_equal_ones_the_nearer_to_the_middle(
    boxes: list[tuple[int, ...]], meant: int
) -> None:
    assert largest_of(np.array(boxes, np.float32), 400, 200) == meant
