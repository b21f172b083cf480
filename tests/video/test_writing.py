import hashlib
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import Fault, InvalidRequest
from likeness.video import ClipWriter, reading
from tests.video.clips import no_room_for, number_in, stamp


def test_what_is_written_is_read_with_its_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 2.0, 2.5]
    path = tmp_path / "out.mp4"

    with ClipWriter(path, 128, 96) as writer:
        for number, time_s in enumerate(times_s):
            writer.write(stamp(number), time_s)

    with path.open("rb") as file, reading(file) as reader:
        frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=1e-4)
    assert [number_in(frame.image.pixels) for frame in frames if frame.image] == [*range(5)]
    assert [*tmp_path.iterdir()] == [path]


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    colour = np.full((720, 1280, 3), (200, 120, 60), np.uint8)

    with ClipWriter(path, 1280, 720) as writer:
        writer.write(colour, 0)

    with path.open("rb") as file, reading(file) as reader:
        image = next(iter(reader)).image
    assert image is not None
    assert image.pixels.mean(axis=(0, 1)) == pytest.approx((200, 120, 60), abs=4)


def test_odd_sides_become_even(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"

    with ClipWriter(path, 127, 95) as writer:
        writer.write(stamp(5, 127, 95), 0)

    with path.open("rb") as file, reading(file) as reader:
        assert (reader.clip.width, reader.clip.height) == (128, 96)
        image = next(reader).image
    assert image is not None
    assert number_in(image.pixels) == 5
    edges = image.pixels[:, -2:].astype(int), image.pixels[-2:].astype(int)
    assert np.abs(np.diff(edges[0], axis=1)).max() < 20, "drawn out, not black"
    assert np.abs(np.diff(edges[1], axis=0)).max() < 20


def test_nothing_is_left_where_drawing_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ClipWriter(tmp_path / "out.mp4", 128, 96) as writer:
        writer.write(stamp(1), 0)
        raise KeyError("drawing")

    assert [*tmp_path.iterdir()] == []


def test_an_older_clip_stays_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")

    with pytest.raises(KeyError), ClipWriter(path, 128, 96) as writer:
        writer.write(stamp(1), 0)
        raise KeyError("drawing")

    assert path.read_bytes() == b"older"


def test_a_folder_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "none" / "out.mp4"

    with (
        pytest.raises(InvalidRequest, match="No such file or directory"),
        ClipWriter(path, 128, 96),
    ):
        pass


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)

    with (
        no_room_for(200_000),
        pytest.raises(Fault, match=r"out\.mp4' cannot be written \(File too large\)"),
        ClipWriter(tmp_path / "out.mp4", 128, 96) as writer,
    ):
        for number in range(200):
            writer.write(np.roll(noise, number), number)

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("hard", [False, True])
def test_nothing_is_written_through_a_link_that_lies_in_the_folder(
    tmp_path: Path, hard: bool
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    digest = hashlib.blake2b(b"out.mp4", digest_size=8).hexdigest()
    part = tmp_path / f".{digest}.part"
    if hard:
        part.hardlink_to(precious)
    else:
        part.symlink_to(precious)

    with ClipWriter(tmp_path / "out.mp4", 128, 96) as writer:
        writer.write(stamp(1), 0)

    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "out.mp4").is_symlink()


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 251}.mp4"

    with ClipWriter(path, 128, 96) as writer:
        writer.write(stamp(1), 0)

    assert [*tmp_path.iterdir()] == [path]


def test_a_clip_without_frames_is_not_written(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="there is no frame"),
        ClipWriter(tmp_path / "out.mp4", 128, 96),
    ):
        pass

    assert [*tmp_path.iterdir()] == []


def test_two_who_write_one_clip_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with ClipWriter(path, 128, 96) as writer:
        writer.write(stamp(3), 0)
        with (
            pytest.raises(InvalidRequest, match=r"out\.mp4 is being written already"),
            ClipWriter(path, 128, 96),
        ):
            pass
        writer.write(stamp(4), 1)

    with path.open("rb") as file, reading(file) as reader:
        assert [number_in(frame.image.pixels) for frame in reader if frame.image] == [3, 4]
    assert [*tmp_path.iterdir()] == [path]


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    digest = hashlib.blake2b(b"out.mp4", digest_size=8).hexdigest()
    (tmp_path / f".{digest}.part").write_bytes(bytes(1 << 20))
    with ClipWriter(tmp_path / "out.mp4", 128, 96) as writer:
        writer.write(stamp(3), 0)
    assert (tmp_path / "out.mp4").stat().st_size < 1 << 20
    assert [*tmp_path.iterdir()] == [tmp_path / "out.mp4"]


def test_a_clip_may_be_written_again_after_a_failure(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "out.mp4", 128, 96)
    with pytest.raises(KeyError), writer:
        raise KeyError("drawing")
    with ClipWriter(tmp_path / "out.mp4", 128, 96) as writer:
        writer.write(stamp(3), 0)
    assert (tmp_path / "out.mp4").exists()
