import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.terms import Box, Face, Image, Landmarks, Point, Pose, Quality
from likeness.vision.draw import Mark, annotate


def face(left: float, top: float, right: float, bottom: float) -> Face:
    middle = Point((left + right) / 2, (top + bottom) / 2)
    landmarks = Landmarks(middle, middle, middle, middle, middle)
    box = Box(left, top, right, bottom)
    return Face(box, landmarks, 0.9, Pose(0, 0, 0), Quality(50, 50, 50))


def grey(width: int = 640, height: int = 480, value: int = 90) -> Image:
    return Image.of(np.full((height, width, 3), value, np.uint8))


def changed(image: Image, annotated: Image) -> NDArray[np.bool_]:
    return np.asarray((image.pixels != annotated.pixels).any(axis=2))


def lettering(text: str, box: tuple[float, float, float, float] = (200, 200, 300, 300)) -> Image:
    return annotate(grey(), [face(*box)], [text])


def of_colour(image: Image, mark: Mark) -> tuple[NDArray[np.intp], ...]:
    return np.nonzero((image.pixels == mark.value).all(axis=2))


def test_the_picture_given_stays_as_it_is() -> None:
    image = grey()
    annotated = annotate(image, [face(50, 50, 150, 150)], ["somebody"])
    assert (image.pixels == 90).all()
    assert changed(image, annotated).any()
    assert annotated.pixels.shape == image.pixels.shape and annotated.pixels.dtype == np.uint8


def test_no_faces_leave_the_picture_as_it_is() -> None:
    image = grey()
    assert not changed(image, annotate(image, [], [])).any()


@pytest.mark.parametrize("mark", Mark)
def test_box_and_landmarks_have_the_colour_of_the_mark(mark: Mark) -> None:
    annotated = annotate(grey(), [face(100, 120, 300, 360)], [""], [mark])
    rows, columns = of_colour(annotated, mark)
    assert (columns.min(), columns.max()) == pytest.approx((100, 300), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((120, 360), abs=2)
    assert tuple(annotated.pixels[240, 200]) == mark.value


def test_faces_without_marks_are_marked_as_found() -> None:
    assert of_colour(annotate(grey(), [face(50, 50, 150, 150)], [""]), Mark.FOUND)[0].size


def test_boxes_are_drawn_where_they_are_though_fewer_pixels_are_held() -> None:
    image = Image(np.full((300, 400, 3), 90, np.uint8), 1600, 1200)
    annotated = annotate(image, [face(400, 200, 800, 1000)], [""])
    rows, columns = of_colour(annotated, Mark.FOUND)
    assert (columns.min(), columns.max()) == pytest.approx((100, 200), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((50, 250), abs=2)
    assert (annotated.width, annotated.height) == (1600, 1200)


def test_lines_grow_with_the_picture() -> None:
    def line_width(side: int) -> int:
        box = (0.25 * side, 0.25 * side, 0.75 * side, 0.75 * side)
        annotated = annotate(grey(side, side), [face(*box)], [""])
        row = (annotated.pixels[round(0.35 * side), : side // 2] == Mark.FOUND.value).all(axis=1)
        return int(row.sum())

    assert line_width(200) == 1
    assert line_width(2400) >= 5


@pytest.mark.parametrize(
    "box",
    [
        (200, 200, 300, 300),
        (0, 0, 100, 100),
        (600, 2, 640, 60),
        (-50, -50, 700, 500),
        (2, 2, 638, 478),
        (630, 470, 640, 480),
    ],
)
def test_labels_are_whole_and_inside_the_picture_wherever_the_face_is(
    box: tuple[float, float, float, float],
) -> None:
    def ink(annotated: Image, unlabelled: Image) -> int:
        plate = (annotated.pixels == Mark.FOUND.value).all(axis=2)
        return int((plate & changed(unlabelled, annotated)).sum())

    elsewhere = ink(lettering("A name, 99.1"), lettering(""))
    here = ink(lettering("A name, 99.1", box), lettering("", box))
    # The plate may lie on a line of its own colour, never beyond the picture.
    assert here == pytest.approx(elsewhere, rel=0.35)


def test_text_too_long_for_the_picture_is_cut_short() -> None:
    long = "no end of it " * 30
    longer = long + "and more"
    assert not changed(lettering(long), lettering(longer)).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "Jose"),
        ("Łukasz", "Lukasz"),
        ("Şükrü", "Sukru"),
        ("Αλέξης", "??????"),
        ("Григорий", "????????"),
        ("山田太郎", "????"),
        ("山田太郎", "山田次郎"),
        ("김철수", "???"),
    ],
)
def test_names_are_written_in_their_own_letters(one: str, other: str) -> None:
    assert changed(lettering(one), lettering(other)).any()


@pytest.mark.parametrize("text", ["\x00", "\udcff", "a\nb\tc", "🙂", "हिन्दी", "‮", "\uffff"])
def test_letters_that_cannot_be_written_do_no_harm(text: str) -> None:
    assert lettering(f"x{text}y").pixels.shape == (480, 640, 3)


def test_lines_of_a_label_become_one() -> None:
    assert not changed(lettering("Ada\n  Lovelace"), lettering("Ada Lovelace")).any()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_labels_are_dark_on_light_whatever_is_behind(value: int) -> None:
    annotated = annotate(grey(value=value), [face(200, 200, 300, 300)], ["readable"])
    above_the_box = Image.of(annotated.pixels[:195])
    rows, columns = of_colour(above_the_box, Mark.FOUND)
    luma = cv2.cvtColor(above_the_box.pixels, cv2.COLOR_RGB2GRAY)
    plate = luma[rows.min() : rows.max(), columns.min() : columns.max()]
    assert plate.min() < 40
    assert np.median(plate) > 140


@given(
    left=st.floats(-900, 900),
    top=st.floats(-900, 900),
    width=st.floats(0, 900),
    height=st.floats(0, 900),
    side=st.integers(1, 60),
)
def test_any_box_in_any_picture_is_drawn(
    left: float, top: float, width: float, height: float, side: int
) -> None:
    image = grey(side, max(1, side // 3))
    annotated = annotate(image, [face(left, top, left + width, top + height)], ["name"])
    assert annotated.pixels.shape == image.pixels.shape
    assert changed(image, annotated).any()


def test_each_face_needs_its_label() -> None:
    with pytest.raises(ValueError, match="zip"):
        annotate(grey(), [face(1, 1, 9, 9)], [])
