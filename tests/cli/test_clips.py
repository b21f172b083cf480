"""`likeness detect` and `likeness identify --gallery` on clips, through the real command."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.video import ClipWriter, reading

from .conftest import BLUE, GREEN, RED, Outcome
from .disc_clips import WIDTH, clip_of

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Red for three seconds; blue joins for the last two of four."""
    return clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 2, 4, 330)])


@pytest.fixture
def gallery(picture: Make, tmp_path: Path) -> Path:
    picture("gallery/Rosa/one.png", RED)
    picture("gallery/Rosa/two.png", RED)
    picture("gallery/[bold]Greta\x1b[0m.png", GREEN)
    return tmp_path / "gallery"


def answer(outcome: Outcome) -> list[Any]:
    return json.loads(outcome.out)["clips"]


def sights(person: dict[str, Any]) -> list[tuple[float, float]]:
    return [(one["from_s"], one["to_s"]) for one in person["intervals"]]


def test_when_each_person_is_in_view_is_told(likeness: Command, clip: Path) -> None:
    outcome = likeness("detect", clip)
    assert (outcome.code, outcome.err) == (0, "")
    assert "clip.mp4: 2 people in 00:03.9 of 480x240 pixels (h264)" in outcome.out
    assert "   1  person 1\n      seen 00:00.0-00:02.9\n" in outcome.out
    assert "   2  person 2\n      seen 00:02.0-00:03.9\n" in outcome.out
    (document,) = answer(likeness("detect", clip, "--json"))
    first, second = document["people"]
    assert sights(first) == [pytest.approx((0.0, 2.9))]
    assert sights(second) == [pytest.approx((2.0, 3.9))]
    assert (document["width"], document["codec"], document["frames"]) == (WIDTH, "h264", 40)


def test_known_people_are_named_and_others_are_strangers(
    likeness: Command, clip: Path, gallery: Path
) -> None:
    outcome = likeness("identify", "--gallery", gallery, clip)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Gallery of 2 people in 3 pictures" in outcome.out
    assert "1 known person and 1 stranger" in outcome.out
    assert "   1  Rosa, similarity" in outcome.out
    assert "strangers score as high on a track; " in outcome.out
    assert "looks agree\n" in outcome.out
    assert "   2  stranger 1\n" in outcome.out


@pytest.mark.slow
def test_nobody_known_in_any_clip_is_exit_code_1(
    likeness: Command, tmp_path: Path, gallery: Path
) -> None:
    blue = clip_of(tmp_path / "blue.mp4", [(BLUE, 0, 4, 100)])
    red = clip_of(tmp_path / "red.mp4", [(RED, 0, 4, 100)])
    assert likeness("identify", "--gallery", gallery, blue).code == 1
    assert likeness("identify", "--gallery", gallery, blue, red).code == 0


@pytest.mark.slow
def test_names_reach_the_terminal_without_escapes_or_markup(
    likeness: Command, tmp_path: Path, gallery: Path
) -> None:
    green = clip_of(tmp_path / "green.mp4", [(GREEN, 0, 4, 100)])
    outcome = likeness("identify", "--gallery", gallery, green)
    assert "[bold]Greta\\x1b[0m, similarity" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err


def test_a_part_of_a_clip_is_chosen_by_time(likeness: Command, clip: Path) -> None:
    (document,) = answer(likeness("detect", clip, "--from", "0:02.5", "--to", "3.5s", "--json"))
    assert (document["from_s"], document["to_s"]) == (2.5, pytest.approx(3.4))
    first, second = document["people"]
    assert sights(first) == [pytest.approx((2.5, 2.9))]
    assert sights(second) == [pytest.approx((2.5, 3.4))]


@pytest.mark.slow
def test_faces_are_searched_for_as_often_as_is_asked_for(likeness: Command, clip: Path) -> None:
    (often,) = answer(likeness("detect", clip, "--json"))
    (seldom,) = answer(likeness("detect", clip, "--every", "0.5s", "--json"))
    assert (often["looked_at"], seldom["looked_at"]) == (40, 8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "soon"], "'soon' is no time of a clip"),
        (["--from", "3", "--to", "2"], "Nothing to look at between 3 s and 2 s"),
    ],
)
def test_times_that_are_none_are_refused_in_one_line(
    likeness: Command, clip: Path, options: list[str], said: str
) -> None:
    outcome = likeness("detect", clip, *options)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "1:40"], "Nothing to look at from 100 s on: the clip lasts 3.9 s. Begin"),
        (["--from", "2.01", "--to", "2.02"], "no frame from 2.01 s on and before 2.02 s. Look at"),
    ],
)
def test_a_part_without_a_frame_is_told_of(
    likeness: Command, clip: Path, options: list[str], said: str
) -> None:
    outcome = likeness("detect", clip, *options)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert said in line


def test_a_text_file_of_a_clips_name_is_one_clear_line_and_others_are_done(
    likeness: Command, clip: Path
) -> None:
    text = clip.with_name("notes.mp4")
    text.write_text("who was seen when\n" * 20)
    outcome = likeness("detect", text, clip)
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "notes.mp4': Not a clip: the file is a text file." in line
    assert "clip.mp4: 2 people" in outcome.out


@pytest.mark.slow
def test_a_clip_of_a_pictures_name_is_a_clip_and_a_picture_of_a_clips_name_a_picture(
    likeness: Command, clip: Path, picture: Make
) -> None:
    assert "2 people in " in likeness("detect", clip.rename(clip.with_name("clip.jpg"))).out
    shown = picture("shown.png", RED)
    assert "1 face in " in likeness("detect", shown.rename(shown.with_name("shown.mp4"))).out


def test_pictures_and_clips_in_one_command_are_refused(
    likeness: Command, clip: Path, picture: Make
) -> None:
    outcome = likeness("detect", clip, picture("a.png", RED))
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "Pictures and clips are given together" in line


def test_options_of_clips_are_refused_for_pictures(likeness: Command, picture: Make) -> None:
    outcome = likeness("detect", picture("a.png", RED), "--every", "1")
    assert outcome.code == 2
    assert "--every is for clips" in outcome.err


@pytest.mark.slow
def test_a_folder_stands_for_the_clips_in_it_to_the_bottom(
    likeness: Command, clip: Path, tmp_path: Path, picture: Make
) -> None:
    folder = tmp_path / "clips"
    (folder / "inner").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for place in ("b.mp4", "inner/a.mov", ".hidden/c.mp4"):
        os.link(clip, folder / place)
    picture("clips/poster.png", RED)
    outcome = likeness("detect", folder, "--json")
    assert [one["clip"] for one in answer(outcome)] == [
        str(folder / "b.mp4"),
        str(folder / "inner" / "a.mov"),
    ]
    assert "1 file is no clip and is left out" in outcome.err


def test_a_folder_without_a_clip_is_told_of(likeness: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = likeness("detect", tmp_path / "empty")
    assert outcome.code == 2
    assert "is a folder without a clip" in outcome.err


def test_a_bucket_stands_for_the_clips_in_it(
    likeness: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_BUCKETS", str(tmp_path / "buckets"))
    day = tmp_path / "buckets" / "cctv" / "monday"
    day.mkdir(parents=True)
    os.link(clip, day / "door.mp4")
    (day / "notes.txt").write_text("nothing")
    outcome = likeness("detect", "s3://cctv/mon", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert [one["clip"] for one in answer(outcome)] == ["s3://cctv/monday/door.mp4"]
    none = likeness("detect", "s3://cctv/tuesday")
    assert (none.code, none.out) == (2, "")
    assert "'s3://cctv/tuesday' has no clip" in none.err
    assert likeness("detect", "s3://nothing/").code == 2


def colours(path: Path) -> list[NDArray[np.uint8]]:
    with path.open("rb") as file, reading(file) as reader:
        return [one.image.pixels for one in reader if one.image is not None]


@pytest.mark.slow
def test_an_annotated_copy_has_every_frame_and_a_box_around_whoever_is_in_view(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    out = tmp_path / "seen.mp4"
    outcome = likeness("identify", "--gallery", gallery, clip, "--annotate", out)
    assert f"{out} written, without sound" in outcome.out
    before, after = colours(clip), colours(out)
    assert len(before) == len(after)
    # The box and the label of a frame are most of what differs from the frame as it was.
    differs = [
        int((np.abs(old.astype(int) - new).max(axis=2) > 60).sum())
        for old, new in zip(before, after, strict=True)
    ]
    assert min(differs) > 200
    assert sum(differs[22:28]) > 1.3 * sum(differs[5:11])  # two in view, then


def test_an_annotated_copy_of_a_part_begins_with_the_part(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "part.mp4"
    assert likeness("detect", clip, "--from", "2", "--to", "3", "--annotate", out).code == 0
    assert len(colours(out)) == 10


def test_where_a_copy_would_lie_is_checked_before_any_work(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    for out, said in (
        (clip, "would replace a clip"),
        (tmp_path / "seen.avi", "Give one that ends in .mp4"),
        (tmp_path / "none" / "seen.mp4", "there is no folder"),
    ):
        outcome = likeness("detect", clip, "--annotate", out)
        assert (outcome.code, outcome.out) == (2, "")
        assert said in outcome.err


def test_shots_go_into_a_folder_and_never_over_a_file(likeness: Command, clip: Path) -> None:
    outcome = likeness("detect", clip, "--shots", clip)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"'{clip}' is a file, no folder. Name a folder for the shots." in outcome.err


@pytest.mark.slow
def test_copies_of_several_clips_lie_in_a_folder_and_never_over_each_other(
    likeness: Command, clip: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "clip.mp4"
    other.parent.mkdir()
    os.link(clip, other)
    (tmp_path / "seen").mkdir()
    same = likeness("detect", clip, other, "--annotate", tmp_path / "seen")
    assert same.code == 2
    assert "Several clips have the same name" in same.err
    renamed = other.rename(other.with_name("second.mov"))
    assert likeness("detect", clip, renamed, "--annotate", tmp_path / "seen").code == 0
    written = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert written == ["clip.mp4", "second.mov.mp4"]


def test_a_disk_that_is_full_while_annotating_leaves_nothing_behind(
    likeness: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(writer: ClipWriter, pixels: object, time_s: float) -> None:
        with writer._faults():
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(ClipWriter, "write", full)
    (tmp_path / "seen").mkdir()
    out = tmp_path / "seen" / "seen.mp4"
    outcome = likeness("detect", clip, "--annotate", out)
    assert outcome.code == 3
    (line,) = outcome.err.splitlines()
    assert "No space left on device" in line
    assert "2 people" in outcome.out  # which took long to find out
    assert list(out.parent.iterdir()) == []


def test_an_interrupt_while_annotating_leaves_nothing_behind(
    likeness: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(writer: ClipWriter, pixels: object, time_s: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ClipWriter, "write", interrupted)
    (tmp_path / "seen").mkdir()
    outcome = likeness("detect", clip, "--annotate", tmp_path / "seen")
    assert outcome.code == 130
    assert list((tmp_path / "seen").iterdir()) == []


def test_best_shots_are_written_for_their_owner_alone_and_can_be_enrolled(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    shots = tmp_path / "shots"
    outcome = likeness("identify", "--gallery", gallery, clip, "--shots", shots, "--json")
    (document,) = answer(outcome)
    named, stranger = (Path(one["shot"]) for one in document["people"])
    assert (named.name, stranger.name) == ("clip-person-1.jpg", "clip-stranger-1.jpg")
    assert stranger.stat().st_mode & 0o777 == 0o600
    likeness("collections", "create", "strangers")
    enrolled = likeness(
        *("enrol", "--collection", "strangers", "--subject", "X", "--any-quality", stranger)
    )
    assert (enrolled.code, enrolled.err) == (0, "")


def test_a_table_has_a_row_for_each_time_in_view(
    likeness: Command, clip: Path, gallery: Path, tmp_path: Path
) -> None:
    table = tmp_path / "seen.csv"
    outcome = likeness("identify", "--gallery", gallery, clip, "--csv", table)
    assert outcome.code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["clip"], row["name"]) for row in rows] == [
        (str(clip), "Rosa"),
        (str(clip), "stranger 1"),
    ]
    assert float(rows[0]["similarity"]) > 80
    assert table.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_one_who_returns_is_one_person_where_they_are_recognised(
    likeness: Command, gallery: Path, tmp_path: Path
) -> None:
    path = clip_of(tmp_path / "back.mp4", [(BLUE, 0, 1.5, 100), (BLUE, 3.5, 5, 330)], 5.0)
    (seen,) = answer(likeness("identify", "--gallery", gallery, path, "--json"))
    (stranger,) = seen["people"]
    assert len(sights(stranger)) == 2
    (found,) = answer(likeness("detect", path, "--json"))
    assert len(found["people"]) == 2


def test_where_pyav_is_missing_one_line_says_what_to_install(
    likeness: Command, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = likeness("detect", clip)
    assert outcome.code == 3
    assert "pip install 'likeness[video]'" in outcome.err
