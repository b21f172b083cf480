"""What is hidden is gone, and nothing else is touched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.terms import Box
from likeness.video import Hiding, Region, Style
from likeness.video.hiding import sparing

BOX = Box(60, 40, 120, 120)


def noise(seed: int = 0, height: int = 200, width: int = 240) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def hidden(pixels: NDArray[np.uint8], style: Style, *regions: Region) -> NDArray[np.uint8]:
    copy = pixels.copy()
    Hiding(style).hide(copy, enumerate(regions))
    return copy


def corner_and_edges(box: Box) -> list[tuple[int, int]]:
    """The pixels in the corners of a box, and in the middle of its sides: rows, columns."""
    rows = (int(box.top), int((box.top + box.bottom) / 2), int(box.bottom) - 1)
    columns = (int(box.left), int((box.left + box.right) / 2), int(box.right) - 1)
    return [(row, column) for row in rows for column in columns]


@pytest.mark.parametrize("style", Style)
def test_the_whole_box_is_hidden_and_what_is_far_from_it_is_untouched(style: Style) -> None:
    pixels = noise()
    changed = (hidden(pixels, style, Region(BOX)) != pixels).any(axis=2)
    assert all(changed[place] for place in corner_and_edges(BOX))
    far = np.ones_like(changed)
    far[20:141, 45:136] = False
    assert not changed[far].any()
    assert not changed[20, 45], "it is round, not a rectangle"


_PLACES = st.one_of(st.integers(-40, 90), st.floats(-40, 90))
_SIDES = st.one_of(st.integers(1, 60), st.floats(0.1, 60))


@given(left=_PLACES, top=_PLACES, width=_SIDES, height=_SIDES)
def test_every_pixel_that_an_ellipse_touches_is_hidden_and_no_other(
    left: float, top: float, width: float, height: float
) -> None:
    white = np.full((50, 70, 3), 255, np.uint8)
    region = Region(Box(left, top, left + width, top + height))
    is_hidden = (hidden(white, Style.BLACK, region) == 0).all(axis=2)
    rows, columns = np.indices((50, 70))
    # How far the nearest place of each pixel is from the middle: 1 at the ellipse's edge.
    across = np.maximum(np.abs(columns + 0.5 - left - width / 2) - 0.5, 0) / (0.75 * width)
    down = np.maximum(np.abs(rows + 0.5 - top - height / 2) - 0.5, 0) / (0.75 * height)
    far = np.hypot(across, down)
    assert is_hidden[far < 1 - 1e-6].all()
    assert not is_hidden[far > 1 + 1e-3].any()


@pytest.mark.parametrize(
    ("bottom", "touched"), [(20.0, [(8, 10), (21, 10)]), (30.0, [(7, 10), (32, 10)])]
)
def test_what_an_ellipse_touches_by_a_rounding_error_alone_is_hidden(
    bottom: float, touched: list[tuple[int, int]]
) -> None:
    white = np.full((50, 70, 3), 255, np.uint8)
    black = hidden(white, Style.BLACK, Region(Box(10.0, 10.0, 30.0, bottom)))
    assert all((black[row, column] == 0).all() for row, column in touched)


@pytest.mark.parametrize(
    ("style", "cell"), [(Style.BLUR, 20), (Style.PIXELATE, 12), (Style.BLACK, 20)]
)
def test_two_faces_with_the_same_few_colours_become_the_same(style: Style, cell: int) -> None:
    """Whoever was there, what is written depends on nothing but means of cells."""
    first = noise(1)
    second = first.copy()
    region = Region(Box(60, 40, 120, 100), 0.0)
    for top in range(40, 100, cell):
        for left in range(60, 120, cell):
            part = second[top : top + cell, left : left + cell]
            part[:] = part[::-1, ::-1].copy()
    where = (hidden(np.zeros_like(first) + 1, style, region) != 1).any(axis=2)
    assert where.sum() > 2500
    assert (first[where] != second[where]).any()
    assert np.array_equal(hidden(first, style, region)[where], hidden(second, style, region)[where])


def test_black_is_black() -> None:
    pixels = hidden(noise(), Style.BLACK, Region(BOX))
    assert not pixels[40:120, 60:120].any()


@pytest.mark.parametrize("style", [Style.BLUR, Style.PIXELATE])
@pytest.mark.parametrize("side", [8, 20, 60, 400])
def test_a_face_of_any_size_keeps_few_colours(style: Style, side: int) -> None:
    """There are no more squares across a large face than across a small one."""
    box = Box(side, side, 2 * side, 2 * side)
    pixels = hidden(noise(2, 3 * side, 3 * side), style, Region(box))
    inside = pixels[side : 2 * side, side : 2 * side]
    if style is Style.PIXELATE:
        across = (np.diff(inside[side // 2].astype(int), axis=0) != 0).any(axis=1).sum()
        assert across <= 5
    levels = np.unique(pixels[side * 3 // 2, side * 3 // 2])
    assert levels.size <= 3


def test_blur_has_no_edges_inside() -> None:
    pixels = hidden(noise(3, 900, 900), Style.BLUR, Region(Box(300, 300, 600, 600), 0))
    row = pixels[450, 310:590].astype(int)
    assert np.abs(np.diff(row, axis=0)).max() <= 12


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(
    "box",
    [
        Box(-50, -50, 30, 30),
        Box(200, 160, 300, 260),
        Box(-500, -500, 500, 500),
        Box(100.2, 100.7, 100.9, 101.1),
        Box(-10, 50, 5, 1000),
        Box(-3e9, -3e9, 3e9, 3e9),
    ],
)
def test_regions_may_reach_beyond_the_picture_or_be_tiny(style: Style, box: Box) -> None:
    pixels = noise()
    assert (hidden(pixels, style, Region(box)) != pixels).any()


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("box", [Box(500, 0, 600, 100), Box(50, 50, 50, 50), Box(60, 60, 50, 50)])
def test_regions_outside_or_without_a_place_hide_nothing(style: Style, box: Box) -> None:
    pixels = noise()
    assert np.array_equal(hidden(pixels, style, Region(box)), pixels)


def test_a_wider_margin_hides_more() -> None:
    pixels = noise()
    narrow = (hidden(pixels, Style.BLACK, Region(BOX)) != pixels).sum()
    wide = (hidden(pixels, Style.BLACK, Region(BOX, 0.5)) != pixels).sum()
    assert wide > 1.5 * narrow


def test_all_regions_are_hidden() -> None:
    other = Box(160, 40, 220, 120)
    pixels = hidden(noise(), Style.BLACK, Region(BOX), Region(other))
    assert not pixels[40:120, 60:120].any()
    assert not pixels[40:120, 160:220].any()


def test_cells_of_a_large_face_have_its_colours() -> None:
    pixels = np.empty((900, 900, 3), np.uint8)
    pixels[:, :450], pixels[:, 450:] = (200, 40, 40), (40, 40, 200)
    Hiding(Style.PIXELATE).hide(pixels, [(0, Region(Box(200, 200, 700, 700)))])
    assert pixels[450, 260].tolist() == pytest.approx((200, 40, 40), abs=9)
    assert pixels[450, 640].tolist() == pytest.approx((40, 40, 200), abs=9)


@pytest.mark.parametrize("style", [Style.BLUR, Style.PIXELATE])
def test_many_frames_tell_no_more_of_a_face_than_its_first(style: Style) -> None:
    """Cells that lie differently each time would be as many views of one face."""
    first, face, other = noise(1), noise(2), noise(3)
    a, b = Hiding(style), Hiding(style)
    inside = np.s_[60:100, 75:105]
    for number in range(30):
        moved = Region(Box(60 + number % 7, 40 + number % 5, 120 + number % 7, 120 + number % 3))
        frames = [(first if not number else one).copy() for one in (face, other)]
        for hiding, frame in zip((a, b), frames, strict=True):
            hiding.hide(frame, [(7, moved)])
        assert np.array_equal(frames[0][inside], frames[1][inside])


def test_each_face_of_a_clip_has_colours_of_its_own() -> None:
    hiding, pixels = Hiding(Style.PIXELATE), np.zeros((200, 240, 3), np.uint8)
    pixels[:, 120:] = 200
    hiding.hide(pixels, [(1, Region(Box(20, 40, 80, 120))), (2, Region(Box(150, 40, 210, 120)))])
    assert pixels[80, 50].max() < 20
    assert pixels[80, 180].min() > 180


@pytest.mark.parametrize("style", Style)
def test_what_is_spared_is_left_as_it_was_and_nothing_else(style: Style) -> None:
    pixels, spared = noise(), Box(100, 40, 160, 120)
    over, alone = pixels.copy(), hidden(pixels, style, Region(BOX))
    with sparing(over, [spared, Box(-50, -50, -10, -10)]):
        Hiding(style).hide(over, [(0, Region(BOX))])
    assert np.array_equal(over[60:100, 110:150], pixels[60:100, 110:150])
    assert np.array_equal(over[:, :100], alone[:, :100])
    # The corners of its box are no face.
    assert np.array_equal(over[40:44, 100:104], alone[40:44, 100:104])
