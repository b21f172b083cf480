"""Pictures that are drawn and show no face: what a detector might take for one."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Random = np.random.Generator
Draw = Callable[[Random, int, int], Pixels]

_LEAST_SIDE, _MOST_SIDE = 240, 1600
_LETTERS = list("abcdefghijklmnopqrstuvwxyz    0123456789.,:;()ABCDEFGHIJ")
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
)
_SKIN = ((244, 208, 177), (225, 170, 140), (176, 119, 88), (112, 70, 50))
_DARK = (20, 20, 20)


def drawn(number: int) -> tuple[str, Pixels]:
    """Draw the picture of a number, always the same: its kind, and (h, w, 3) RGB pixels.

    Kinds take turns. Of each kind a third are blurred and a third noisy.
    """
    random = np.random.default_rng((1, number))
    kind = list(KINDS)[number % len(KINDS)]
    width, height = random.integers(_LEAST_SIDE, _MOST_SIDE + 1, 2).tolist()
    pixels = KINDS[kind](random, width, height)
    return kind, _FINISHES[number // len(KINDS) % len(_FINISHES)](random, pixels)


def _sharp(random: Random, pixels: Pixels) -> Pixels:
    return pixels


def _blurred(random: Random, pixels: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.8, 4.0)), np.uint8)


def _noisy(random: Random, pixels: Pixels) -> Pixels:
    noise = random.normal(0, random.uniform(4, 25), pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


_FINISHES = (_sharp, _blurred, _noisy)


def _noise(random: Random, width: int, height: int) -> Pixels:
    """Grains of one to twelve pixels."""
    grain = int(random.integers(1, 13))
    small = random.integers(0, 256, (height // grain + 1, width // grain + 1, 3), np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _clouds(random: Random, width: int, height: int) -> Pixels:
    """White on blue."""
    cover = _cover(random, width, height)[..., None]
    return np.asarray(cover * (90, 70, 20) + (120, 150, 220)).clip(0, 255).astype(np.uint8)


def _skin(random: Random, width: int, height: int) -> Pixels:
    """Light and shade on any colour of skin."""
    return np.asarray(_cover(random, width, height)[..., None] * _pick(random)).astype(np.uint8)


def _one_over_f(random: Random, width: int, height: int) -> Pixels:
    """Coloured noise with the spectrum of natural scenes."""
    waves = np.fft.rfft2(random.normal(size=(height, width, 3)), axes=(0, 1))
    y, x = np.fft.fftfreq(height)[:, None, None], np.fft.rfftfreq(width)[None, :, None]
    waves /= (np.hypot(y, x) + 1 / max(height, width)) ** random.uniform(0.8, 1.6)
    scene = np.fft.irfft2(waves, s=(height, width), axes=(0, 1))
    levels = (scene - scene.mean()) / scene.std() * 50 + 128
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def _text(random: Random, width: int, height: int) -> Pixels:
    """A page of any font, dark on light or light on dark."""
    ink, paper = ((0, 0, 0), (255, 255, 255)) if random.random() < 0.7 else ((230,) * 3, _DARK)
    page = _plain(width, height, paper)
    font, size = int(random.choice(_FONTS)), float(random.uniform(0.3, 1.6))
    for y in range(20, height, round(size * random.integers(22, 40)) + 4):
        line = "".join(random.choice(_LETTERS, 120))
        cv2.putText(page, line, (10, y), font, size, ink, int(random.integers(1, 3)))
    return page


def _shapes(random: Random, width: int, height: int) -> Pixels:
    """Circles and ellipses, filled or not, over one another."""
    canvas = _plain(width, height, _colour(random))
    for _ in range(random.integers(5, 60)):
        place, axes = _place(random, width, height), random.integers(3, 161, 2).tolist()
        line = -1 if random.random() < 0.6 else 3
        cv2.ellipse(canvas, place, axes, random.uniform(0, 180), 0, 360, _colour(random), line)
    return canvas


def _stripes(random: Random, width: int, height: int) -> Pixels:
    """Waves one way, or two across each other."""
    y, x = np.mgrid[:height, :width]
    waves = np.ones((height, width))
    for angle in random.uniform(0, np.pi, random.integers(1, 3)):
        across = x * np.cos(angle) + y * np.sin(angle)
        waves *= np.sin(across * random.uniform(0.02, 0.6)) / 2 + 0.5
    return np.asarray(255 * waves[..., None] * random.uniform(0.3, 1, 3)).astype(np.uint8)


def _windows(random: Random, width: int, height: int) -> Pixels:
    """A wall with windows in rows."""
    wall = _plain(width, height, _colour(random))
    across, down = random.integers(20, 120, 2).tolist()
    wide, tall = (round(step * random.uniform(0.3, 0.8)) for step in (across, down))
    for y in range(down // 4, height, down):
        for x in range(across // 4, width, across):
            cv2.rectangle(wall, (x, y), (x + wide, y + tall), _colour(random), -1)
    return wall


def _hills(random: Random, width: int, height: int) -> Pixels:
    """Ridges before a sky."""
    sky = np.linspace(random.uniform(120, 200), 255, height)[:, None, None] * (0.55, 0.75, 1.0)
    canvas = np.array(np.broadcast_to(sky, (height, width, 3)), np.uint8, order="C")
    for ridge in sorted(random.uniform(0.4, 0.9, random.integers(1, 4)).tolist()):
        xs = np.arange(0, width + 40, 40)
        ys = height * ridge + random.normal(0, 0.06 * height, len(xs))
        outline = [(0, height), *zip(xs.tolist(), ys.astype(int).tolist(), strict=True)]
        edge = np.array([*outline, (width + 40, height)], np.int32)
        cv2.fillPoly(canvas, [edge], random.integers(20, 120, 3).tolist())
    return canvas


def _sockets(random: Random, width: int, height: int) -> Pixels:
    """Discs with two holes: sockets, plugs, and the snouts of toys."""
    canvas = _plain(width, height, _colour(random))
    for _ in range(random.integers(1, 8)):
        (x, y), radius = _place(random, width, height), int(random.integers(12, 141))
        cv2.circle(canvas, (x, y), radius, random.integers(60, 256, 3).tolist(), -1)
        for side in (-1, 1):
            hole = x + side * radius // 3, y
            cv2.circle(canvas, hole, max(2, round(radius * random.uniform(0.08, 0.16))), _DARK, -1)
    return canvas


def _buttons(random: Random, width: int, height: int) -> Pixels:
    """Round and square buttons with two to four holes, on cloth."""
    cloth = _stripes(random, width, height)
    for _ in range(random.integers(2, 14)):
        (x, y), radius = _place(random, width, height), int(random.integers(10, 90))
        colour, holes = _colour(random), int(random.integers(2, 5))
        if random.random() < 0.7:
            cv2.circle(cloth, (x, y), radius, colour, -1)
        else:
            cv2.rectangle(cloth, (x - radius, y - radius), (x + radius, y + radius), colour, -1)
        for turn in random.uniform(0, np.pi) + np.arange(holes) * 2 * np.pi / holes:
            hole = round(x + radius * 0.35 * np.cos(turn)), round(y + radius * 0.35 * np.sin(turn))
            cv2.circle(cloth, hole, max(2, radius // 8), _DARK, -1)
    return cloth


def _fronts(random: Random, width: int, height: int) -> Pixels:
    """Cars, houses and radios from the front: two round things above a wide one."""
    canvas = _plain(width, height, _colour(random))
    for _ in range(random.integers(1, 5)):
        x, y = _place(random, width, height)
        wide, tall = random.integers(40, 320, 2).tolist()
        colour = _colour(random)
        cv2.rectangle(canvas, (x, y), (x + wide, y + tall), colour, -1)
        for part in (0.22, 0.78):
            lamp = x + round(part * wide), y + tall // 3
            cv2.circle(canvas, lamp, max(3, round(0.1 * min(wide, tall))), _colour(random), -1)
        grille = (x + wide // 4, y + round(0.62 * tall)), (x + 3 * wide // 4, y + round(0.8 * tall))
        cv2.rectangle(canvas, *grille, _DARK, 2 if random.random() < 0.5 else -1)
    return canvas


KINDS: dict[str, Draw] = {
    "noise": _noise,
    "clouds": _clouds,
    "skin": _skin,
    "one-over-f": _one_over_f,
    "text": _text,
    "shapes": _shapes,
    "stripes": _stripes,
    "windows": _windows,
    "hills": _hills,
    "sockets": _sockets,
    "buttons": _buttons,
    "fronts": _fronts,
}


def _plain(width: int, height: int, colour: tuple[int, ...] | list[int]) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


def _colour(random: Random) -> list[int]:
    return list(map(int, random.integers(0, 256, 3)))


def _pick(random: Random) -> tuple[int, int, int]:
    return _SKIN[random.integers(len(_SKIN))]


def _place(random: Random, width: int, height: int) -> tuple[int, int]:
    return int(random.integers(width)), int(random.integers(height))


def _cover(random: Random, width: int, height: int) -> Floats:
    """Smooth noise of several scales, (h, w), 0 to 1."""
    cover = np.zeros((height, width), np.float32)
    for octave in range(1, 7):
        cells = random.normal(size=(2**octave + 1, 2**octave + 1)).astype(np.float32)
        cover += cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.asarray((cover - cover.min()) / (np.ptp(cover) + 1e-6), np.float32)
