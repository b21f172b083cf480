"""Pictures that move, as packets and containers that FFmpeg's own writers make of them."""

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from tests.video.clips import stamp

WIDTH, HEIGHT = 320, 240
RATE = 10

_CODERS = {
    "H264": ("libx264", "yuv420p", {"tune": "zerolatency", "g": "10"}),
    "H265": (
        "libx265",
        "yuv420p",
        {"x265-params": "log-level=none:keyint=10:bframes=0:repeat-headers=1:pools=1"},
    ),
    # FFmpeg writes neither tables of codes into packets, nor where several threads began anew.
    "JPEG": ("mjpeg", "yuvj420p", {"huffman": "default", "threads": "1"}),
}


@dataclass(frozen=True, slots=True)
class Packets:
    """RTP packets, those of each frame apart, and the lines of SDP that say what they hold."""

    frames: tuple[tuple[bytes, ...], ...]
    reports: tuple[bytes, ...]
    payload_type: int
    lines: tuple[str, ...]


def rtp_packets(coding: str, count: int) -> Packets:
    """Make RTP packets of so many frames in H264, H265 or JPEG."""
    sink = _Sink()
    with av.open(sink, "w", format="rtp", options={"packetsize": "1200"}) as container:
        encoder, pixels, options = _CODERS[coding]
        _write(container, encoder, options, pixels, count)
    frames: list[tuple[bytes, ...]] = []
    frame: list[bytes] = []
    for one in sink.written:
        if not _is_report(one):
            frame.append(one)
            if one[1] & 0x80:  # the last of its frame is marked
                frames.append(tuple(frame))
                frame = []
    assert len(frames) == count and not frame
    reports = tuple(one for one in sink.written if _is_report(one))
    payload_type = frames[0][0][1] & 0x7F
    lines = [f"m=video 0 RTP/AVP {payload_type}"]
    if coding != "JPEG":  # whose type of payload says it
        lines.append(f"a=rtpmap:{payload_type} {coding}/90000")
    if coding == "H264":
        lines.append(f"a=fmtp:{payload_type} packetization-mode=1")
    return Packets(tuple(frames), reports, payload_type, tuple(lines))


def container(form: str, count: int, options: dict[str, str] | None = None) -> bytes:
    """Make a container of H.264 in a format of FFmpeg's."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=form, options=options or {}) as written:
        encoder, pixels, encoding = _CODERS["JPEG" if form == "mpjpeg" else "H264"]
        _write(written, encoder, encoding, pixels, count)
    return sink.getvalue()


def write_hls(folder: Path, count: int, options: dict[str, str]) -> None:
    """Write a playlist, live.m3u8, and the segments that it names."""
    keyed = {}
    if options.pop("encrypted", ""):
        (folder / "live.key").write_bytes(bytes(range(16)))
        (folder / "key.info").write_text(f"live.key\n{folder / 'live.key'}\n")
        keyed = {"hls_key_info_file": str(folder / "key.info")}
    options = {"hls_time": "1", "hls_list_size": "0"} | options | keyed
    with av.open(str(folder / "live.m3u8"), "w", format="hls", options=options) as written:
        encoder, pixels, encoding = _CODERS["H264"]
        _write(written, encoder, encoding, pixels, count)


def picture(number: int, pixels: str) -> av.VideoFrame:
    """Make a picture that says its number (`number_in`)."""
    drawn = stamp(number, WIDTH, HEIGHT)
    frame = av.VideoFrame.from_ndarray(drawn, format="rgb24").reformat(format=pixels)
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def _write(
    written: OutputContainer, encoder: str, options: dict[str, str], pixels: str, count: int
) -> None:
    """Encode so many pictures that say their numbers."""
    stream = written.add_stream(encoder, rate=RATE, options=options)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
    for number in range(count):
        written.mux(stream.encode(picture(number, pixels)))
    written.mux(stream.encode(None))


def _is_report(packet: bytes) -> bool:
    return 200 <= packet[1] <= 204  # RTCP


class _Sink:
    """Takes what is written, each piece apart."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, content: bytes) -> int:
        self.written.append(bytes(content))
        return len(content)
