"""What is no still picture, or no file, is named and refused in one line."""

import os
import sys
from pathlib import Path

import PIL.Image
import pytest

from likeness.errors import (
    InvalidImage,
    InvalidRequest,
    UnsupportedImageFormat,
)
from likeness.vision.decode import inspect, read_sample
from tests.vision.pictures import assert_one_line, encoded, scene


def test_heic_without_its_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedImageFormat, match=r"pip install 'likeness\[heic\]'"):
        inspect(b"\0\0\0\x18ftypheic" + bytes(40))


@pytest.mark.parametrize(
    ("data", "came"),
    [
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x1cftypmp42" + bytes(20), r"a video \(MP4\)"),
        (b"\0\0\0\x14ftypqt  " + bytes(20), r"a video \(QuickTime\)"),
        (b"\x1aE\xdf\xa3" + bytes(20), "Matroska"),
        (b"RIFF\0\0\0\0AVI LIST", r"a video \(AVI\)"),
        (b"\xff\x0a" + bytes(20), "a JPEG XL"),
        (b"8BPS\0\1" + bytes(20), "Photoshop"),
        (b"PK\3\4" + bytes(20), "an archive"),
        (b"<?xml version='1.0'?>\n<svg xmlns='...'>", "a drawing"),
        (b"\n<!DOCTYPE html><title>404", "a web page"),
        ("Liebe Grüße,\n".encode(), "a text file"),
        ("Liebe Grüße,\n".encode("latin-1") * 9, "a text file"),
        (b"P6 2 2 255\n" + bytes(12), "a Netpbm picture"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0hevc", "an animation"),
        (b"\xff\xfe\x00\x80\x01", "a text file"),
        (bytes(range(5)), "something unknown"),
        (b"\xff", "something unknown"),
    ],
)
def test_what_is_no_picture_is_named_and_refused(data: bytes, came: str) -> None:
    with pytest.raises(UnsupportedImageFormat, match=came) as caught:
        inspect(data)
    assert_one_line(caught.value)


def test_nothing_is_refused() -> None:
    with pytest.raises(InvalidImage, match="no bytes"):
        inspect(b"")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
    ],
)
def test_camera_raw_is_refused_by_name(start: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedImageFormat, match=f"camera raw file .{kind}.") as caught:
        inspect(start + bytes(200))
    assert "Convert it to JPEG or TIFF first." in str(caught.value)


@pytest.mark.parametrize("name", ["PNG", "WebP", "GIF", "AVIF"])
def test_an_animation_is_refused(name: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], name, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedImageFormat, match="animation") as caught:
        inspect(data)
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [
        (0xC1, 12, "12 bits"),
        (0xC3, 8, "lossless"),
        (0xC9, 8, "arithmetic"),
        (0xC5, 8, "hierarchical"),
        (0xF7, 8, "JPEG-LS"),
    ],
)
def test_a_jpeg_of_another_kind_is_named(marker: int, bits: int, name: str) -> None:
    data = encoded(scene(), "JPEG")
    frame = data.index(b"\xff\xc0")
    other = data[: frame + 1] + bytes((marker,)) + data[frame + 2 : frame + 4]
    with pytest.raises(UnsupportedImageFormat, match=name):
        inspect(other + bytes((bits,)) + data[frame + 5 :])


def test_files_that_are_none_get_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, error, words in [
        (tmp_path, InvalidRequest, "folder"),
        (tmp_path / "absent.jpg", InvalidRequest, "does not exist"),
        (tmp_path / "two\nlines", InvalidRequest, "does not exist"),
        (tmp_path / "empty.jpg" / "below", InvalidRequest, "cannot be read"),
        (tmp_path / "pipe", InvalidRequest, "pipe"),
        (Path("/dev/zero"), InvalidRequest, "device"),
        (Path("nul\0byte"), InvalidRequest, "path"),
        (tmp_path / "empty.jpg", InvalidImage, "Empty"),
    ]:
        with pytest.raises(error, match=words) as caught:
            read_sample(path)
        assert_one_line(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_gets_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "locked.jpg"
    path.write_bytes(b"secret")
    path.chmod(0)
    with pytest.raises(InvalidRequest, match="permission"):
        read_sample(path)
