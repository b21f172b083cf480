"""Frames as video codes them show what they show as RGB, whatever a clip is made of."""

import gc
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.terms import Box
from likeness.video import Form, Hiding, Planes, Region, Sampling, Style, reading, rewrite
from likeness.video.clip import Frame
from likeness.video.decoding import pictures
from likeness.video.decoding.pictures import Converter, shape_of
from tests.video.clips import appended, every, in_pq, make_clip, number_in

_KR, _KB = 0.2126, 0.0722  # of BT.709


def read(path: Path, form: Form) -> list[Frame]:
    with path.open("rb") as file, reading(file, form=form) as reader:
        return list(reader)


def as_rgb(planes: Planes) -> NDArray[np.float64]:
    """Convert planes by the formula of BT.709: (height, width, 3), 0 to 255."""
    height, width = planes.luma.shape
    blue, red = (
        (one.repeat(2, axis=0).repeat(2, axis=1)[:height, :width].astype(float) - 128) / 224
        for one in (planes.blue, planes.red)
    )
    light = (planes.luma.astype(float) - 16) / 219
    r, b = light + 2 * (1 - _KR) * red, light + 2 * (1 - _KB) * blue
    g = (light - _KR * r - _KB * b) / (1 - _KR - _KB)
    return np.clip(255 * np.stack([r, g, b], axis=-1), 0, 255)


def require_alike(path: Path, within: float = 3.0) -> None:
    pixels, planes = read(path, Form.RGB), read(path, Form.PLANES)
    assert len(pixels) == len(planes) > 0
    for one, other in zip(pixels, planes, strict=True):
        assert one.image is not None and one.planes is None
        assert other.image is None and other.planes is not None
        off = np.abs(as_rgb(other.planes) - one.image.pixels)
        assert np.median(off) <= within
        # At edges of colours, half the resolution shows.
        assert np.quantile(off, 0.8) <= 3 * within
        assert other.time_s == one.time_s


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"rotation": 90, "mirrored": True, "size": (128, 94)}),
        ("a.mkv", {"codec": "ffv1", "pixels": "yuv444p", "size": (127, 95)}),
    ],
    ids=str,
)
def test_planes_show_what_pixels_show(tmp_path: Path, name: str, made: dict[str, object]) -> None:
    require_alike(make_clip(tmp_path / name, times_s=every(0.1, 3), **made))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.mp4", {"pixels": "yuv444p"}),
        ("a.mp4", {"pixels": "yuv420p10le"}),
        ("a.mov", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("a.mov", {"codec": "png", "pixels": "rgb24"}),
        ("a.mkv", {"codec": "ffv1", "pixels": "gray"}),
        ("a.mkv", {"codec": "ffv1", "pixels": "yuv420p", "size": (1281, 721)}),
        ("a.mp4", {"rotation": 180, "mirrored": True}),
        ("a.mp4", {"rotation": 270, "mirrored": True}),
        ("a.mp4", {"pixel": 2}),
    ],
    ids=str,
)
def test_whatever_a_clip_is_made_of(tmp_path: Path, name: str, made: dict[str, object]) -> None:
    require_alike(make_clip(tmp_path / name, times_s=every(0.1, 3), **made))


@pytest.mark.slow
def test_light_of_high_dynamic_range_comes_down(tmp_path: Path) -> None:
    skin = np.full((96, 128, 3), (224, 172, 138), np.uint8)
    path = make_clip(
        tmp_path / "a.mp4",
        times_s=every(0.1, 3),
        pixels="yuv420p10le",
        transfer=16,
        draw=lambda _: in_pq(skin),
    )
    require_alike(path)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(96, 192), (192, 96), (90, 150)])
def test_frames_of_another_shape_are_fitted_in(tmp_path: Path, size: tuple[int, int]) -> None:
    first = make_clip(tmp_path / "1.ts", times_s=every(0.04, 10))
    other = make_clip(tmp_path / "2.ts", times_s=[1 + t for t in every(0.04, 10)], size=size)
    last = read(appended(tmp_path / "a.ts", first, other), Form.PLANES)[-1].planes
    assert last is not None
    assert last.luma.shape == (96, 128)
    width, height = min((128, round(size[1] * 128 / size[0])), (round(size[0] * 96 / size[1]), 96))
    left, top = (128 - width) // 2, (96 - height) // 2
    rgb = as_rgb(last).astype(np.uint8)
    assert number_in(rgb[top : top + height, left : left + width]) == 9
    beside = np.ones((96, 128), np.bool_)
    beside[max(0, top - 2) : top + height + 2, max(0, left - 2) : left + width + 2] = False
    assert not beside.any() or rgb[beside].max() < 30


def test_a_clip_is_written_from_planes_with_a_part_hidden(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    region = Region(Box(80, 30, 110, 60))
    hiding = Hiding(Style.BLACK)

    def edit(frame: Frame) -> Planes:
        assert frame.planes is not None
        hiding.hide(frame.planes, [(0, region)])
        return frame.planes

    with source.open("rb") as file:
        done = rewrite(file, out, edit, Sampling(), form=Form.PLANES)
    before, after = read(source, Form.RGB), read(out, Form.RGB)
    assert done.frames == len(after) == len(before)
    for one, other in zip(before, after, strict=True):
        assert one.image is not None and other.image is not None
        assert other.image.pixels[35:55, 85:105].max() < 24
        assert np.abs(other.image.pixels[:, :64].astype(int) - one.image.pixels[:, :64]).mean() < 4


def planes_of(seed: int, height: int = 201, width: int = 241) -> Planes:
    random = np.random.default_rng(seed)
    samples = random.integers(16, 236, height * width * 2, np.uint8)
    return Planes.of(samples, width, height)


@pytest.mark.parametrize("style", Style)
def test_no_sample_of_a_face_is_left_in_any_plane(style: Style) -> None:
    """Two frames with the same cells become the same where they are hidden."""
    box, hiding = Box(61, 41, 120, 121), Hiding(style)
    first, other = planes_of(1), planes_of(2)
    for planes in (first, other):
        hiding.hide(planes, [(7, Region(box))])
    for one, theirs, step in zip(first.all, other.all, (1, 2, 2), strict=True):
        inside = np.s_[41 // step : -(-121 // step), 61 // step : -(-120 // step)]
        assert np.array_equal(one[inside], theirs[inside])
    assert (first.luma != other.luma).mean() > 0.6


def test_what_is_beside_a_hidden_face_is_left_in_every_plane() -> None:
    before, after = planes_of(1), planes_of(1)
    Hiding(Style.PIXELATE).hide(after, [(7, Region(Box(61, 41, 120, 121), 0.25))])
    for one, other, step in zip(before.all, after.all, (1, 2, 2), strict=True):
        changed = one != other
        far = np.ones_like(changed)
        far[20 // step - 1 : 142 // step + 1, 45 // step - 1 : 136 // step + 1] = False
        assert not changed[far].any()


def test_colours_of_an_odd_side_have_a_sample_more() -> None:
    planes = planes_of(0, 3, 5)
    assert planes.luma.shape == (3, 5)
    assert planes.blue.shape == planes.red.shape == (2, 3)


@pytest.mark.parametrize("made", [{}, {"rotation": 90}], ids=str)
def test_frames_are_freed_once_nobody_looks_at_them(
    tmp_path: Path, made: dict[str, object]
) -> None:
    """What waits for Python's search for garbage is hundreds of frames of a stream."""
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 3), **made)
    into = memoryview(bytearray(128 * 96 * 3))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                converter = Converter(shape_of(frame, None), frame)
                converter.picture(frame, 0.0, into)
                converter.planes(frame, 0.0, into)
                converter.thumbnail(frame)
            del frame, converter
        gc.collect()
        # Servers that other tests left behind may leave garbage of their own.
        assert [one for one in gc.garbage if type(one).__module__.partition(".")[0] == "av"] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_what_works_out_high_dynamic_range_serves_every_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes seconds to be made."""
    path = make_clip(tmp_path / "a.mp4", times_s=every(0.1, 3), pixels="yuv420p10le", transfer=16)
    into = memoryview(bytearray(128 * 96 * 3))
    with av.open(str(path)) as container:
        frames = [*container.decode(video=0)]
    converter = Converter(shape_of(frames[0], None), frames[0])
    monkeypatch.delattr(pictures, "VideoReformatter")
    for frame in frames:
        converter.planes(frame, 0.0, into)


def test_light_that_no_pixel_shows_is_not_written(tmp_path: Path) -> None:
    """Beyond black and white there may be a face that nobody saw, and so nobody hid."""
    levels = np.array([1, 14, 120, 238, 254], np.uint8)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame(1280, 720, "yuv420p")
        for plane, samples in zip(frame.planes, (levels.repeat(256), [4], [250]), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            rows[:, : plane.width] = samples
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (one,) = read(path, Form.PLANES)
    assert one.planes is not None
    assert one.planes.luma[360, 128::256].tolist() == [16, 16, 120, 235, 235]
    assert (one.planes.blue.min(), one.planes.red.max()) == (16, 240)


@pytest.mark.slow
def test_rows_may_lie_from_the_last_to_the_first(tmp_path: Path) -> None:
    made = make_clip(
        tmp_path / "a.avi", times_s=every(0.1, 2), codec="rawvideo", pixels="yuv420p"
    ).read_bytes()
    at = made.find(b"strf")
    (size,) = struct.unpack_from("<I", made, at + 4)
    end = at + 8 + size
    turned = bytearray(made[:end] + b"BottomUp\0\0" + made[end:])
    struct.pack_into("<I", turned, at + 4, size + 9)
    struct.pack_into("<I", turned, at + 8, size + 9)
    first = turned.find(b"LIST")
    for place in (0, first, turned.find(b"LIST", first + 8)):
        (held,) = struct.unpack_from("<I", turned, place + 4)
        struct.pack_into("<I", turned, place + 4, held + 10)
    path = tmp_path / "b.avi"
    path.write_bytes(turned)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).planes[0].line_size < 0
    require_alike(path)
