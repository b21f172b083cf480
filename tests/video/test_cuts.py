"""A camera's cuts are found, and what only looks like one is not."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.video.cuts import AHEAD_S, CutFinder

Pixels = NDArray[np.float32]
RATE = 25.0


def canvas(seed: int, height: int = 144, width: int = 1024) -> Pixels:
    """Give a scene with detail of every size, as photographs have it, 0 to 255."""
    random = np.random.default_rng(seed)
    whole = np.zeros((height, width, 3), np.float32)
    for side in (4, 8, 16, 32, 64):
        shape = (max(2, height // (144 // side)), max(2, width // (144 // side)))
        part = random.normal(size=(*shape, 1)) + 0.4 * random.normal(size=(*shape, 3))
        part = cv2.resize(part.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        whole += part / side**0.7
    whole -= whole.mean()
    return np.clip(110 + 45 * whole / whole.std(), 0, 255)


def view(scene: Pixels, x: float = 300.0, y: float = 30.0, wide: float = 128.0) -> Pixels:
    """Look at a part of a scene, as a thumbnail."""
    high = wide * 36 / 64
    corners = np.array([[x, y], [x + wide, y], [x, y + high]], np.float32)
    there = np.array([[0, 0], [64, 0], [0, 36]], np.float32)
    turn = cv2.getAffineTransform(corners, there)
    seen = cv2.warpAffine(
        scene, turn, (64, 36), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(seen, np.float32)


def cuts_in(frames: Sequence[Pixels], rate: float = RATE, noise: float = 2.0) -> list[int]:
    """Find the cuts, as the numbers of the frames that come after them."""
    random = np.random.default_rng(1)
    finder = CutFinder()
    found = []
    for number, frame in enumerate([*frames, None]):
        if frame is None:
            finder.finish()
        else:
            noisy = frame + noise * random.normal(size=frame.shape)
            finder.see(number / rate, np.clip(noisy, 0, 255).astype(np.uint8))
        found += [number for number in range(len(frames)) if finder.take_until(number / rate)]
    return found


A, B = canvas(1), canvas(2)


def steady(scene: Pixels, count: int) -> list[Pixels]:
    """A hand-held camera: it shakes a little."""
    random = np.random.default_rng(3)
    return [
        view(scene, *(300 + random.normal(size=2)[0], 30 + random.normal())) for _ in range(count)
    ]


def test_a_cut_is_found_at_the_first_frame_after_it() -> None:
    assert cuts_in([*steady(A, 25), *steady(B, 25), *steady(A, 25)]) == [25, 50]


@pytest.mark.parametrize("rate", [10.0, 25.0, 60.0])
def test_cuts_are_found_at_every_frame_rate(rate: float) -> None:
    count = int(2 * rate)
    assert cuts_in([*steady(A, count), *steady(B, count)], rate) == [count]


def test_a_cut_to_a_similar_scene_is_found() -> None:
    """The same room from elsewhere: most of what is large is alike, and what is small is not."""
    similar = 0.75 * (A - 110) + 0.66 * (B - 110) + 110
    assert cuts_in([*steady(A, 25), *steady(similar, 25)]) == [25]


def test_a_cut_to_the_same_scene_closer_is_found() -> None:
    near = [view(A, 340, 52, 56) for _ in range(25)]
    assert cuts_in([*steady(A, 25), *near]) == [25]


@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("strength", [60, 120, 250])
def test_a_flash_is_no_cut(frames: int, strength: float) -> None:
    lit = steady(A, 50)
    for number in range(25, 25 + frames):
        lit[number] = lit[number] * 0.7 + strength
    assert cuts_in(lit) == []


def test_a_strobe_is_no_cut() -> None:
    lit = steady(A, 100)
    for number in range(25, 75):
        if number // 2 % 2:
            lit[number] = lit[number] * 0.3 + 180
    assert cuts_in(lit) == []


def test_coloured_light_is_no_cut() -> None:
    lit = steady(A, 75)
    for number in range(25, 50):
        lit[number] = lit[number] * np.array([1.6, 0.5, 0.4], np.float32)
    assert cuts_in(lit) == []


def test_an_explosion_of_light_is_no_cut() -> None:
    lit = steady(A, 100)
    for number in range(30, 80):
        share = np.exp(-(number - 30) / 8)
        y, x = np.mgrid[:36, :64]
        blast = np.exp(-((x - 40) ** 2 + (y - 20) ** 2) / (2 * (60 * share + 5) ** 2))
        lit[number] = lit[number] + (400 * share * blast)[..., None]
    assert cuts_in(lit) == []


@pytest.mark.parametrize("number", [30, 31])
def test_a_cut_under_a_flash_is_a_cut(number: int) -> None:
    frames = [*steady(A, 30), *steady(B, 30)]
    frames[number] = frames[number] * 0.2 + 220
    (found,) = cuts_in(frames)
    assert found in (30, 31, 32)


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("damage", ["grey", "black", "garbage"])
def test_a_few_damaged_frames_are_no_cut(frames: int, damage: str) -> None:
    seen = steady(A, 50)
    broken = {"grey": np.full_like(A, 128), "black": np.zeros_like(A), "garbage": canvas(9)}[damage]
    seen[25 : 25 + frames] = [view(broken)] * frames
    assert cuts_in(seen) == []


@pytest.mark.parametrize("speed", [2.0, 8.0, 20.0, 40.0, 60.0])
def test_a_pan_is_no_cut(speed: float) -> None:
    """Pixels of a picture 128 wide, for each frame; the camera speeds up, and slows down again."""
    speeds = np.concatenate([np.zeros(20), speed * np.hanning(16), np.zeros(20)])
    places = 30 + np.cumsum(speeds)
    blurred = [
        np.mean([view(A, place + step * share) for share in np.linspace(-0.5, 0, 5)], axis=0)
        for place, step in zip(places, speeds, strict=True)
    ]
    assert cuts_in(blurred) == []


def test_a_zoom_is_no_cut() -> None:
    wide = [128.0] * 15 + [128 * 0.93**n for n in range(15)] + [128 * 0.93**14] * 15
    assert cuts_in([view(A, 364 - w / 2, 66 - w * 0.28, w) for w in wide]) == []


def test_somebody_who_walks_past_the_camera_is_no_cut() -> None:
    seen = steady(A, 75)
    for number in range(25, 50):
        left = int((number - 25) / 25 * 100) - 34
        seen[number][:, max(0, left) : max(0, left + 34)] = (70, 40, 30)
    assert cuts_in(seen) == []


def mixed(one: Sequence[Pixels], other: Sequence[Pixels]) -> list[Pixels]:
    shares = np.linspace(0, 1, len(one) + 2)[1:-1]
    return [(1 - s) * a + s * b for s, a, b in zip(shares, one, other, strict=True)]


@pytest.mark.parametrize("length", [6, 12, 25])
def test_a_dissolve_is_a_cut_in_its_middle(length: int) -> None:
    frames = [*steady(A, 40), *mixed(steady(A, length), steady(B, length)), *steady(B, 40)]
    (found,) = cuts_in(frames)
    assert found == pytest.approx(40 + length / 2, abs=max(3, length / 4))


@pytest.mark.parametrize("black", [1, 10, 40])
def test_a_fade_through_black_is_a_cut(black: int) -> None:
    dark = [np.zeros((36, 64, 3), np.float32)] * 10
    frames = [
        *steady(A, 40),
        *mixed(steady(A, 10), dark),
        *(dark * 4)[:black],
        *mixed(dark, steady(B, 10)),
        *steady(B, 40),
    ]
    (found,) = cuts_in(frames)
    assert 48 <= found <= 52 + black


@pytest.mark.parametrize("make", [lambda: steady(A, 60), lambda: [np.zeros((36, 64, 3))] * 60])
def test_nothing_happens_in_a_clip_without_cuts(make: Callable[[], list[Pixels]]) -> None:
    assert cuts_in(make()) == []


def test_cuts_are_known_after_a_moment() -> None:
    finder = CutFinder()
    frames = [*steady(A, 25), *steady(B, 50)]
    for number, frame in enumerate(frames):
        finder.see(number / RATE, frame.astype(np.uint8))
        assert finder.known_until_s <= number / RATE
        if number > 40:
            assert finder.known_until_s >= number / RATE - AHEAD_S - 0.1
        if finder.known_until_s > 25 / RATE:
            break
    assert number / RATE <= 25 / RATE + AHEAD_S + 0.1
    assert finder.take_until(25 / RATE)
    assert not finder.take_until(99)
