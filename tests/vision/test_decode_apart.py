"""Pictures decoded in a process of their own: the same pixels, the same errors, and no trust."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from likeness.errors import InvalidImage
from likeness.vision.decode import inspect
from likeness.vision.formats import apart, jpeg2000
from likeness.vision.formats.apart import decode_apart
from likeness.vision.formats.header import Header

_PROGRAM = "pretends_to_decode"


@pytest.fixture
def every_picture_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg2000, "_HELD_S", 0.0)


def as_jpeg2000(pixels: NDArray[np.uint8], **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG2000", irreversible=False, **options)
    return file.getvalue()


@pytest.fixture
def picture() -> bytes:
    spread = np.linspace(0, 255, 96 * 160 * 3).astype(np.uint8)
    return as_jpeg2000(spread.reshape(96, 160, 3))


@pytest.mark.parametrize("reduction", [1, 2, 8])
def test_pixels_are_the_same(picture: bytes, reduction: int) -> None:
    header = inspect(picture).header
    here = jpeg2000._pixels(picture, header, reduction)
    there = decode_apart(jpeg2000.__name__, picture, header, reduction)
    assert there.shape == here.shape
    assert (there == here).all()
    assert there.flags.writeable


@pytest.mark.usefixtures("every_picture_apart")
def test_errors_are_the_same(picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = inspect(picture[: len(picture) // 2])
    with pytest.raises(InvalidImage) as there:
        cut.decode()
    monkeypatch.setattr(jpeg2000, "_HELD_S", 60.0)
    with pytest.raises(InvalidImage) as here:
        cut.decode()
    assert str(there.value) == str(here.value)


def test_only_what_takes_long_is_decoded_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(jpeg2000, "decode_apart", lambda *given: asked.append(given))
    small = inspect(as_jpeg2000(np.zeros((400, 300, 3), np.uint8)))
    assert small.decode().pixels.shape == (400, 300, 3)
    assert asked == []
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), np.uint8)
    large = inspect(as_jpeg2000(noise))
    jpeg2000.JPEG2000.decoder.pixels(large.data, large.header, 1)
    assert [module for module, *_ in asked] == [jpeg2000.__name__]
    whole_alone = inspect(as_jpeg2000(noise[:800, :800], num_resolutions=1))
    jpeg2000.JPEG2000.decoder.pixels(whole_alone.data, whole_alone.header, 8)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "program",
    [
        "",
        "print()",
        "print('null')",
        "print('null'); print('0' * 11)",
        "print('[1]')",
        "print('0' * 10_000)",
        """import os; os.write(1, b'["SystemExit", "x"]'); os.kill(os.getpid(), 9)""",
        "import time; print('null', flush=True); time.sleep(60)",
    ],
)
def test_whatever_else_the_process_does_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / f"{_PROGRAM}.py").write_text(program)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(apart, "_LONGEST_S", 1.0)
    with pytest.raises(ValueError, match=r"broke off|^x$"):
        decode_apart(_PROGRAM, b"\0" * (1 << 20), Header(3, 2), 1)
