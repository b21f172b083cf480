"""Copies of clips in which people are marked."""

from pathlib import Path

import numpy as np
import pytest

from likeness.service.video.second_look import Marked, annotate_clip
from likeness.terms import Box
from likeness.video import Sampling, reading
from likeness.vision.draw import Mark
from tests.video.clips import clicks_in, every, make_clip, number_in


def test_an_annotated_copy_has_marks_times_and_sound(tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / "a.mp4", times_s=every(0.1, 20), size=(320, 240), clicks_s=[0.5, 1.5]
    )
    out = tmp_path / "marked.mp4"
    somebody = Marked(
        "Ada", Mark.MATCHED, lambda time_s: Box(100, 90, 180, 190) if time_s > 0.95 else None
    )
    told: list[float] = []
    with source.open("rb") as file:
        annotate_clip(file, out, [somebody], Sampling(), tell=told.append)
    with source.open("rb") as old, out.open("rb") as new, reading(old) as a, reading(new) as b:
        pairs = [(one, other) for one, other in zip(a, b, strict=True)]
    for number, (one, other) in enumerate(pairs):
        assert one.image is not None
        assert other.image is not None
        assert other.time_s == pytest.approx(one.time_s, abs=0.001)
        assert number_in(other.image.pixels[:, :90]) == number_in(one.image.pixels[:, :90])
        moved = np.abs(one.image.pixels.astype(int) - other.image.pixels)[80:200, 95:185].max()
        assert (moved > 100) == (number >= 10)
    assert told == pytest.approx(every(0.1, 20), abs=0.001)
    assert clicks_in(out) == pytest.approx([0.5, 1.5], abs=0.01)
