"""Stills open blurred where children may be exploited, and nowhere else."""

import cv2
import numpy as np
import pytest

from likeness.service.uses import opens_blurred, still_of


def striped() -> bytes:
    """A picture with hard edges."""
    pixels = np.zeros((96, 96, 3), np.uint8)
    pixels[:, ::8] = pixels[:, 1::8] = pixels[:, 2::8] = 255
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def contrast(jpeg: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).std())


@pytest.mark.parametrize(
    ("purpose", "blurred"),
    [
        ("exploited-children", True),
        ("victim-search", True),  # which exploited children are a part of
        ("missing-persons", False),
        ("trafficking-victims", False),
        ("content-moderation", False),
        ("undeclared", False),
        ("no such word", False),
    ],
)
def test_the_purpose_decides_whether_a_still_opens_blurred(purpose: str, blurred: bool) -> None:
    assert opens_blurred(purpose) == blurred
    assert (still_of(striped(), purpose, unblurred=False) != striped()) == blurred


def test_of_a_blurred_still_no_edge_is_left_until_it_is_asked_for() -> None:
    sharp = striped()
    blurred = still_of(sharp, "exploited-children", unblurred=False)
    assert contrast(blurred) < 0.05 * contrast(sharp)
    assert still_of(sharp, "exploited-children", unblurred=True) == sharp
