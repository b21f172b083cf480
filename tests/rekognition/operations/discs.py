"""Pictures of people who are discs, as bytes: of any size, anywhere, blurred or not."""

import cv2
import numpy as np
from numpy.typing import NDArray

RED, GREEN, BLUE = (220, 40, 40), (40, 200, 60), (50, 70, 230)
Colour = tuple[int, int, int]


def disc(*colours: Colour, grain: float = 25.0, side: int = 96, kind: str = ".png") -> bytes:
    """Draw discs side by side, the first one largest by a few pixels; without grain they blur."""
    radii = [side // 3 - 4 * place for place in range(len(colours))]
    return discs(*zip(colours, radii, strict=True), grain=grain, side=side, kind=kind)


def discs(
    *people: tuple[Colour, int],
    grain: float = 25.0,
    side: int = 96,
    columns: int = 12,
    kind: str = ".png",
) -> bytes:
    """Draw a disc of a colour and a radius each, in rows of squares of `side` pixels."""
    rows = -(-len(people) // columns)
    pixels = np.full((side * rows, side * min(columns, len(people)), 3), 128.0)
    noise = np.random.default_rng(3).normal(0, grain, (side, side, 3))
    for place, (colour, radius) in enumerate(people):
        inside = np.zeros((side, side), np.uint8)
        cv2.circle(inside, (side // 2, side // 2), radius, 255, -1)
        row, column = divmod(place, columns)
        part = pixels[side * row : side * (row + 1), side * column : side * (column + 1)]
        part[inside > 0] = (np.array(colour) + noise)[inside > 0]
    return encoded(pixels, kind)


def beside(left: bytes, right: bytes) -> bytes:
    """Put two pictures side by side, on grey."""
    parts = [cv2.imdecode(np.frombuffer(one, np.uint8), 1)[..., ::-1] for one in (left, right)]
    height = max(len(part) for part in parts)
    below = [((0, height - len(part)), (0, 0), (0, 0)) for part in parts]
    whole = [np.pad(p, b, constant_values=128) for p, b in zip(parts, below, strict=True)]
    return encoded(np.hstack(whole))


def grey(width: int, height: int, kind: str = ".png") -> bytes:
    """Draw nobody."""
    return encoded(np.full((height, width, 3), 128.0), kind)


def encoded(pixels: NDArray[np.generic], kind: str = ".png") -> bytes:
    """Encode (h, w, 3) RGB pixels."""
    done, data = cv2.imencode(kind, pixels.clip(0, 255).astype(np.uint8)[..., ::-1])
    assert done
    return bytes(data)
