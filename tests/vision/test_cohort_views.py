import numpy as np
import pytest

from likeness.terms.image import Image
from likeness.vision.cohort_views import harder_views


@pytest.fixture
def picture() -> Image:
    noise = np.random.default_rng(0).integers(0, 256, (200, 160, 3), np.uint8)
    return Image(noise, 320, 400)


def test_views_keep_their_frame(picture: Image) -> None:
    for view in harder_views(picture, 200.0):
        assert view.pixels.shape == picture.pixels.shape
        assert view.pixels.dtype == np.uint8
        assert (view.width, view.height) == (320, 400)


def test_first_view_has_no_colour(picture: Image) -> None:
    grey = harder_views(picture, 200.0)[0].pixels
    assert (grey == grey[:, :, :1]).all()


def test_second_view_has_few_pixels_of_the_face_left(picture: Image) -> None:
    # The face is 100 px of what is held, and fine noise does not survive 48.
    blurred = harder_views(picture, 200.0)[1].pixels
    assert blurred.std() < 0.7 * picture.pixels.std()


def test_small_face_loses_no_pixels(picture: Image) -> None:
    np.testing.assert_array_equal(harder_views(picture, 90.0)[1].pixels, picture.pixels)


def test_third_view_is_harder_and_paler() -> None:
    ramp = np.tile(np.linspace(60, 200, 64, dtype=np.uint8)[None, :, None], (8, 1, 3))
    reddish = ramp.copy()
    reddish[..., 0] += 20
    hard = harder_views(Image.of(reddish), 8.0)[2].pixels.astype(int)
    assert np.ptp(hard[..., 1]) > np.ptp(ramp[..., 1])
    assert np.abs(hard[..., 0] - hard[..., 1]).mean() < 20
