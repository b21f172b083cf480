"""Sound comes without a gap, whatever the process that decodes it says."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.errors import InvalidClip
from likeness.video import ClipLimits, Sampling, process
from likeness.video.decoding import messages
from likeness.video.process import Heard
from likeness.video.sound import ClipSound, SoundForm, sound_of
from tests.video.clips import every, make_clip

RATE = 8000


class Saying:
    """A process that says what it is told to, and nothing behind that."""

    def __init__(self, said: Sequence[Heard]) -> None:
        self._said = iter(said)

    def hear(self) -> Heard:
        for heard in self._said:
            return heard
        raise InvalidClip("It ended.")


READY = Heard(messages.READY, {})
ENDED = Heard(messages.ENDED, {"damaged": 0})


def opened(**values: Any) -> Heard:
    said = {"rate": RATE, "channels": 1, "tracks": 1, "mixed": False}
    return Heard(messages.SOUND_OPENED, {**said, **values})


def piece(time_s: float, value: int, samples: int = 800) -> Heard:
    """A tenth of a second, all of one value."""
    data = np.full(samples, value, "<i2").tobytes()
    return Heard(messages.SOUND, {"time_s": time_s, "bytes": len(data)}, data)


def sound(*said: Heard, sampling: Sampling | None = None) -> ClipSound:
    speaking: Any = Saying([READY, opened(), *said])
    return ClipSound(speaking, sampling or Sampling(), ClipLimits())


def runs(samples: Iterator[np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    """Values of samples in a row, and how many there are of each."""
    found: list[tuple[int, int]] = []
    for given in samples:
        for value in given[:, 0].tolist():
            if found and found[-1][0] == value:
                found[-1] = value, found[-1][1] + 1
            else:
                found.append((value, 1))
    return found


def test_pieces_follow_each_other() -> None:
    assert runs(sound(piece(0.0, 1), piece(0.1, 2), ENDED).rest()) == [(1, 800), (2, 800)]


def test_sound_up_to_a_moment_is_given_once() -> None:
    heard = sound(piece(0.0, 1), piece(0.1, 2), piece(0.2, 3), ENDED)
    assert runs(heard.until(0.15)) == [(1, 800), (2, 800)]
    assert runs(heard.until(0.15)) == []
    assert runs(heard.until(5.0)) == [(3, 800)]
    assert runs(heard.until(9.0)) == []


def test_gaps_are_silence_of_their_length() -> None:
    heard = sound(piece(0.5, 1), piece(1.0, 2), ENDED)
    assert runs(heard.until(10)) == [(0, 4000), (1, 800), (0, 3200), (2, 800)]


def test_silence_before_sound_is_given_as_far_as_it_is_wanted() -> None:
    heard = sound(piece(100.0, 1), ENDED)
    (found,) = runs(heard.until(30))
    assert found == (0, pytest.approx(30 * RATE, abs=1))
    assert runs(heard.until(200))[-1] == (1, 800)
    assert sum(count for _, count in [found]) < 31 * RATE


def test_what_overlaps_is_left_out() -> None:
    heard = sound(piece(0.0, 1), piece(0.05, 2), piece(0.2, 3), ENDED)
    assert runs(heard.rest()) == [(1, 800), (2, 400), (0, 400), (3, 800)]


def test_what_is_a_little_beside_is_left_where_it_is() -> None:
    heard = sound(piece(0.0, 1), piece(0.12, 2), piece(0.18, 3), ENDED)
    assert runs(heard.rest()) == [(1, 800), (2, 800), (3, 800)]


def test_drift_is_made_good_before_it_is_seen() -> None:
    """Sound that is stamped 10 ms later with each piece is never 30 ms beside."""
    pieces = [piece(number * 0.11, number + 1) for number in range(50)]
    found = runs(sound(*pieces, ENDED).rest())
    at = 0
    for value, count in found:
        if value:
            assert abs(at / RATE - (value - 1) * 0.11) < 0.031
        at += count


def test_a_part_begins_and_ends_where_it_should() -> None:
    pieces = [piece(number * 0.1, number) for number in range(1, 20)]
    heard = sound(*pieces, ENDED, sampling=Sampling(from_s=0.25, to_s=0.55))
    assert runs(heard.rest()) == [(2, 400), (3, 800), (4, 800), (5, 400)]


def test_behind_the_pictures_sound_ends_at_a_long_gap() -> None:
    heard = sound(piece(0.0, 1), piece(3.0, 2), piece(3000.0, 3), ENDED)
    assert runs(heard.rest()) == [(1, 800), (0, 23200), (2, 800)]


def test_two_channels_stay_two() -> None:
    data = np.array([[1, 2]] * 100, "<i2").tobytes()
    said = [READY, opened(channels=2), Heard(messages.SOUND, {"time_s": 0.0}, data), ENDED]
    speaking: Any = Saying(said)
    heard = ClipSound(speaking, Sampling(), ClipLimits())
    assert heard.form == SoundForm(RATE, 2)
    assert np.array_equal(next(heard.rest()), [[1, 2]] * 100)


@pytest.mark.parametrize("reason", ["no_decoder", "memory", "unforeseen", "nonsense"])
def test_sound_that_cannot_be_decoded_is_left_out(reason: str) -> None:
    speaking: Any = Saying([READY, Heard(messages.FAILED, {"reason": reason})])
    heard = ClipSound(speaking, Sampling(), ClipLimits())
    assert heard.form is None
    assert heard.remarks == ("its sound cannot be decoded: it was left out",)
    assert [*heard.until(10), *heard.rest()] == []


def test_a_clip_without_sound_is_no_remark() -> None:
    speaking: Any = Saying([READY, Heard(messages.FAILED, {"reason": "no_sound"})])
    heard = ClipSound(speaking, Sampling(), ClipLimits())
    assert (heard.form, heard.remarks) == (None, ())


@pytest.mark.parametrize(
    "said",
    [
        [Heard(messages.FAILED, {"reason": "lost", "number": 5})],
        [Heard("frame", {})],
        [Heard(messages.SOUND, {"time_s": 0.1}, b"123")],
        [Heard(messages.SOUND, {"time_s": float("nan")}, b"12")],
        [Heard(messages.SOUND, {"time_s": -1.0}, b"12")],
        [Heard(messages.SOUND, {"time_s": 1e9}, b"12")],
        [Heard(messages.SOUND, {"time_s": "soon"}, b"12")],
        [Heard(messages.ENDED, {"damaged": -1})],
    ],
)
def test_what_makes_no_sense_ends_the_sound_alone(said: list[Heard]) -> None:
    heard = sound(piece(0.0, 1), *said, piece(0.1, 2), ENDED)
    assert runs(heard.rest()) == [(1, 800)]
    assert heard.remarks == ("its sound cannot be decoded beyond 0.1 s",)


@pytest.mark.parametrize(
    "values",
    [
        {"rate": 0},
        {"rate": 96_000},
        {"rate": 8000.0},
        {"channels": 0},
        {"channels": 6},
        {"tracks": -1},
        {"mixed": 1},
    ],
)
def test_a_form_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    speaking: Any = Saying([READY, opened(**values)])
    with pytest.raises(InvalidClip, match="astray"):
        ClipSound(speaking, Sampling(), ClipLimits())


def test_what_is_lost_is_remarked() -> None:
    said = [READY, opened(tracks=2, mixed=True), Heard(messages.ENDED, {"damaged": 3})]
    speaking: Any = Saying(said)
    heard = ClipSound(speaking, Sampling(), ClipLimits())
    assert [*heard.rest()] == []
    assert heard.remarks == (
        "only one of its 2 soundtracks was kept",
        "its sound of many channels was mixed down to two",
        "damaged pieces of its sound were left out",
    )


def pretend(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """Have another program run in its place, which says what a clip makes it say."""
    program = (
        "import json, os, sys, time\n"
        "task = json.loads(sys.argv[1])\n"
        f"os.write(task['out'], {said!r})\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(process, "_PROGRAM", ("-c", program))


@pytest.mark.slow
@pytest.mark.parametrize("count", ["-1", "65537", "1e3", '"2"', "null", "9" * 30])
def test_pieces_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    clip = make_clip(tmp_path / "a.mp4", clicks_s=[0.5])
    form = json.dumps({"kind": "sound_opened", **opened().values}).encode()
    said = b'{"kind":"ready"}\n' + form + b"\n"
    pretend(monkeypatch, said + b'{"kind":"sound","time_s":0.0,"bytes":%s}\n' % count.encode())
    with clip.open("rb") as file, sound_of(file.fileno(), Sampling(), ClipLimits()) as heard:
        assert [*heard.rest()] == []
        assert heard.remarks == ("its sound cannot be decoded beyond 0.0 s",)


@pytest.mark.slow
def test_its_death_ends_the_sound_alone(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 600), sound_s=600, sound_rate=48_000)
    with clip.open("rb") as file, sound_of(file.fileno(), Sampling(), ClipLimits()) as heard:
        next(heard.until(0.1))
        os.kill(heard._process._process.pid, signal.SIGKILL)
        assert sum(len(one) for one in heard.rest()) < 590 * 48_000
        (remark,) = heard.remarks
        assert remark.startswith("its sound cannot be decoded beyond")
