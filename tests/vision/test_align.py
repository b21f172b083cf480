import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.terms import Image
from likeness.vision.embed import (
    ARCFACE_LAYOUT,
    DLIB_LAYOUT,
    ChipLayout,
    Chips,
    cut_chips,
    from_chip,
    onto_chip,
    similarity_transform,
    zoom_needed,
)

LAYOUTS = [DLIB_LAYOUT, ARCFACE_LAYOUT]


def placed(
    layout: ChipLayout, zoom: float, degrees: float, shift: tuple[float, float]
) -> np.ndarray:
    """Five points as they lie in a picture: the layout's own, zoomed, turned and shifted."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (np.array(layout.points_xy) @ turn.T * zoom + shift).astype(np.float32)


@given(
    zoom=st.floats(0.05, 30),
    degrees=st.floats(-180, 180),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_transform_brings_the_points_of_any_similar_face_to_their_places(
    zoom: float, degrees: float, x: float, y: float
) -> None:
    points = placed(DLIB_LAYOUT, zoom, degrees, (x, y))
    transform = similarity_transform(points, DLIB_LAYOUT.points_xy)
    arrived = points @ transform[:, :2].T + transform[:, 2]
    # float32 places of up to 5,000 pixels are known to about 1e-3 of one, before zooming.
    np.testing.assert_allclose(arrived, DLIB_LAYOUT.points_xy, atol=0.02 / min(zoom, 1))


def test_points_that_coincide_give_a_finite_transform() -> None:
    transform = similarity_transform(np.full((5, 2), 7, np.float32), DLIB_LAYOUT.points_xy)
    assert np.isfinite(transform).all()


def dots(points: np.ndarray, side: int, radius: float) -> np.ndarray:
    """A black picture with a white dot at each point."""
    y, x = np.mgrid[:side, :side]
    near = [(x - px) ** 2 + (y - py) ** 2 <= radius**2 for px, py in points]
    grey = np.any(near, axis=0).astype(np.uint8) * 255
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("zoom", [0.5, 1.0, 3.0, 6.0])
def test_chip_shows_the_points_where_the_layout_puts_them(layout: ChipLayout, zoom: float) -> None:
    side = int(layout.side * zoom * 2)
    points = placed(layout, zoom, 20, (side / 3, side / 8))
    picture = dots(points, side, 4 * zoom)
    chip = cut_chips(Image.of(picture), points[None], layout, Chips.ONE)[0, 0]
    for x, y in layout.points_xy:
        assert chip[round(y), round(x)].min() > 200
    assert chip[4:12, 4:12].max() == 0


def test_chip_of_a_face_that_lies_as_the_layout_has_it_is_the_picture_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    # A layout names pixels; places in a picture are counted from its edge.
    points = placed(DLIB_LAYOUT, 1.0, 0, (0.5, 0.5))
    chip = cut_chips(Image.of(picture), points[None], DLIB_LAYOUT, Chips.ONE)[0, 0]
    np.testing.assert_allclose(chip.astype(int), picture, atol=1)


def test_points_come_back_from_a_chip_to_where_they_were() -> None:
    image = Image(np.zeros((200, 300, 3), np.uint8), 600, 400)
    points = placed(DLIB_LAYOUT, 1.7, 33, (120, 80))
    transform = onto_chip(image, points, DLIB_LAYOUT)
    in_chip = np.array(DLIB_LAYOUT.points_xy, np.float32) + 0.5
    np.testing.assert_allclose(from_chip(image, in_chip, transform), points, atol=1e-3)


def test_chips_come_scaled_and_mirrored_in_the_order_that_the_setting_names() -> None:
    rng = np.random.default_rng(0)
    pixels = cv2.GaussianBlur(rng.integers(0, 256, (300, 300, 3), np.uint8), (0, 0), 3)
    points = placed(DLIB_LAYOUT, 1.0, 0, (70, 70))[None]
    one = cut_chips(Image.of(pixels), points, DLIB_LAYOUT, Chips.ONE)[0]
    two = cut_chips(Image.of(pixels), points, DLIB_LAYOUT, Chips.MIRRORED)[0]
    six = cut_chips(Image.of(pixels), points, DLIB_LAYOUT, Chips.SIX)[0]
    assert (len(one), len(two), len(six)) == (1, 2, 6)
    np.testing.assert_array_equal(two[1], one[0][:, ::-1])
    np.testing.assert_array_equal(six[2:4], two)
    np.testing.assert_array_equal(six[1], six[0][:, ::-1])
    assert np.abs(six[0].astype(int) - six[4]).mean() > 1


def test_chip_of_a_large_face_is_not_sampled_with_gaps() -> None:
    """A fine chequerboard is grey from afar; sampling it with gaps shows black and white."""
    board = np.indices((1200, 1200)).sum(0) % 2 * 255
    picture = np.repeat(board.astype(np.uint8)[:, :, None], 3, axis=2)
    points = placed(DLIB_LAYOUT, 7.0, 3, (80, 80))[None]
    chip = cut_chips(Image.of(picture), points, DLIB_LAYOUT, Chips.ONE)[0, 0]
    assert chip.std() < 10
    assert 115 < chip.mean() < 140


def test_face_beyond_the_picture_gives_a_black_chip() -> None:
    points = placed(DLIB_LAYOUT, 8.0, 0, (-5000, -5000))[None]
    chips = cut_chips(Image.of(np.full((64, 64, 3), 255, np.uint8)), points, DLIB_LAYOUT, Chips.SIX)
    assert chips.max() == 0


def test_landmarks_are_in_the_full_frame_though_fewer_pixels_are_held() -> None:
    points = placed(DLIB_LAYOUT, 4.0, 0, (100, 100))
    whole = dots(points, 1000, 16)
    half = Image(np.ascontiguousarray(whole[::2, ::2]), 1000, 1000)
    chip = cut_chips(half, points[None], DLIB_LAYOUT, Chips.ONE)[0, 0].astype(int)
    expected = cut_chips(Image.of(whole), points[None], DLIB_LAYOUT, Chips.ONE)[0, 0].astype(int)
    assert np.abs(chip - expected).mean() < 2


@pytest.mark.parametrize(("zoom", "needed"), [(0.2, 1.0), (1.0, 1.0), (4.0, 0.25)])
def test_small_faces_need_the_whole_picture_and_large_ones_do_not(
    zoom: float, needed: float
) -> None:
    points = placed(DLIB_LAYOUT, zoom, 30, (0, 0))[None]
    assert zoom_needed(points, DLIB_LAYOUT) == pytest.approx(needed, rel=1e-4)


def test_without_faces_nothing_is_needed() -> None:
    nobody = np.empty((0, 5, 2), np.float32)
    assert zoom_needed(nobody, DLIB_LAYOUT) == 0
    image = Image.of(np.zeros((9, 9, 3), np.uint8))
    assert cut_chips(image, nobody, DLIB_LAYOUT, Chips.SIX).shape == (0, 6, 150, 150, 3)
