"""The demonstration names whom it should, and says what its picture is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from likeness.artifacts import Sources
from likeness.demo.clip import CLIP_HEIGHT, CLIP_WIDTH, CUT_S, LENGTH_S, Sight, shown_at
from likeness.demo.group_picture import HEIGHT, WIDTH, altered, place_of, portrait, side_by_side
from likeness.demo.run import PEOPLE, SIGHTS
from likeness.terms import Box, Image
from likeness.vision.decode import read_sample


def test_every_sample_is_in_the_public_domain() -> None:
    for person in PEOPLE:
        for photograph in (person.enrolled, person.shown):
            assert photograph is None or photograph.licence == "public domain"


def test_an_altered_copy_is_said_to_be_one() -> None:
    for person in PEOPLE:
        assert person.altered == (person.enrolled == person.shown)
        assert person.altered == ("ALTERED COPY" in person.told)
        assert person.altered == ("ALTERED COPY" in person.told_at_length)


def test_somebody_is_known_from_another_photograph_and_somebody_is_not_known() -> None:
    assert any(person.enrolled and not person.altered for person in PEOPLE)
    assert any(person.enrolled is None for person in PEOPLE)


@pytest.mark.parametrize("box", [Box(0, 0, 90, 120), Box(400, 500, 590, 740), Box(-9, 2, 700, 800)])
def test_a_portrait_has_one_size_wherever_the_face_is(box: Box) -> None:
    image = Image.of(np.zeros((750, 600, 3), np.uint8))
    assert portrait(image, box).shape == (HEIGHT, WIDTH, 3)


def test_an_alteration_is_always_the_same_and_visible() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    assert np.array_equal(altered(pixels), altered(pixels))
    assert altered(pixels).mean() < 0.8 * pixels.mean()


def test_a_face_is_told_to_be_in_the_portrait_it_is_in() -> None:
    group = side_by_side([np.full((HEIGHT, WIDTH, 3), value, np.uint8) for value in (50, 100, 150)])
    for left in range(0, group.shape[1] - 40, 60):
        middle = group[HEIGHT // 2, left + 20, 0]
        if middle >= 50:  # not in a gap
            assert place_of(Box(left, 100, left + 40, 150)) == middle // 50 - 1


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_clip_shows_whom_its_sights_say(sight: Sight) -> None:
    time_s = (sight.from_s + sight.to_s) / 2
    x, y = sight.middle(time_s) or (0.0, 0.0)
    left, top = x * CLIP_WIDTH - 60, y * CLIP_HEIGHT - 80
    assert shown_at(SIGHTS, time_s, Box(left, top, left + 120, top + 160)) == sight.name
    assert sight.middle(sight.to_s) is None


@pytest.mark.models
@pytest.mark.parametrize("recogniser", ["auto", "dlib-resnet-v1"])
def test_the_demonstration_names_whom_it_should_and_nobody_else(
    tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch, recogniser: str
) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(sources.cache))
    monkeypatch.setenv("LIKENESS_ARTIFACTS", str(sources.folder or ""))
    monkeypatch.setenv("LIKENESS_RECOGNISER", recogniser)
    out = tmp_path / "demo-out"
    out.mkdir()
    (out / "result.json").write_text("of yesterday")
    done = subprocess.run(
        [sys.executable, "-m", "likeness.demo", out], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("Enrolling", "Composing", "ALTERED COPY", "Finding", "no match", "to try next"):
        assert words in done.stdout
    result = json.loads((out / "result.json").read_text())
    named = {face["shows"]: face["match"] for face in result["faces"]}
    assert named == {
        "Barack Obama": "Barack Obama",
        "Joe Biden": "Joe Biden",
        "Eileen Collins": None,
    }
    assert [face["altered_copy"] for face in result["faces"]] == [False, True, False]
    assert read_sample(out / "annotated.jpg").format == "JPEG"
    obama, collins, biden = result["clip"]["people"]
    assert len(obama["intervals"]) == 2  # he leaves with the cut, and returns
    (sight,) = biden["intervals"]
    assert (sight["from_s"], sight["to_s"]) == pytest.approx((CUT_S, LENGTH_S), abs=0.2)
    assert collins["match"] is None
    if recogniser == "auto":
        assert (obama["match"], biden["match"]) == ("Barack Obama", "Joe Biden")
    assert sorted(path.name for path in out.iterdir()) == [
        "annotated.jpg",
        "clip-annotated.mp4",
        "clip-redacted.mp4",
        "clip.mp4",
        "gallery",
        "group.jpg",
        "result.json",
    ]
