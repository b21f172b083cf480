"""Frames are put together of packets, whatever of them is missing or makes no sense."""

import random
import struct

import av
import pytest

from likeness.video.decoding.packets import (
    Frames,
    Unit,
    content_of,
    read_coding,
)
from likeness.video.decoding.payloads import payload_of
from tests.video.clips import number_in
from tests.video.feeds import Filmed


def packet(number: int, stamp: int, payload: bytes, *, last: bool = False, **more: bytes) -> bytes:
    """Make a packet; `extension` and `padding` are what some senders add."""
    first = 0x80
    extension, padding = more.get("extension", b""), more.get("padding", b"")
    if extension:
        first |= 0x10
        extension = struct.pack(">HH", 0xBEDE, len(extension) // 4) + extension
    if padding:
        first |= 0x20
    head = struct.pack(">BBHII", first, 96 | last << 7, number & 0xFFFF, stamp & 0xFFFFFFFF, 7)
    return head + extension + payload + padding


def frames_of(name: str, form: str = "") -> Frames:
    sdp = f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\na=fmtp:96 {form}\r\n"
    coding = read_coding(sdp)
    assert coding is not None
    payload = payload_of(coding)
    assert payload is not None
    return Frames(payload)


def taken(frames: Frames, *packets: bytes) -> list[Unit]:
    return [unit for one in packets for unit in frames.take(one)]


def numbers_in(units: list[Unit], codec: str) -> list[int]:
    context = av.CodecContext.create(codec, "r")
    decoded = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    decoded += context.decode(None)
    return [number_in(frame.to_ndarray(format="rgb24")) for frame in decoded]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("libx264", "H264"),
        ("libx265", "H265"),
        ("mjpeg", "JPEG"),
        ("mpeg4", "MP4V-ES"),
        ("mpeg2video", "MPV"),
        ("libvpx", "VP8"),
    ],
)
def test_frames_are_what_was_sent(codec: str, name: str) -> None:
    filmed = Filmed(codec=codec, count=8, size=(320, 240), keyframe_every=4)
    coding = read_coding(filmed.sdp().decode())
    assert coding is not None
    assert (coding.name, coding.rate) == (name, 90_000)
    payload = payload_of(coding)
    assert payload is not None
    frames = Frames(payload)

    units = taken(frames, *[one for frame in filmed.packets() for one in frame])

    assert frames.damaged == 0
    assert numbers_in(units, payload.decoder) == list(range(8))
    assert [unit.ticks for unit in units] == [3000 * number for number in range(8)]
    alone = [number for number, unit in enumerate(units) if unit.stands_alone]
    assert alone == (list(range(8)) if codec == "mjpeg" else [0, 4])


def test_frame_is_whole_with_its_last_packet() -> None:
    frames = frames_of("H264")
    assert taken(frames, packet(1, 0, b"\x65one")) == []
    assert taken(frames, packet(2, 0, b"\x41two", last=True)) == [
        Unit(b"\0\0\0\1\x65one\0\0\0\1\x41two", 0, True)
    ]


def test_frame_whose_end_is_not_marked_is_whole_when_the_next_begins() -> None:
    frames = frames_of("H264")
    assert taken(frames, packet(1, 0, b"\x65one")) == []
    assert taken(frames, packet(2, 3000, b"\x41two")) == [Unit(b"\0\0\0\1\x65one", 0, True)]
    assert taken(frames, packet(3, 6000, b"\x41six", last=True)) == [
        Unit(b"\0\0\0\1\x41two", 3000, False),
        Unit(b"\0\0\0\1\x41six", 6000, False),
    ]


def test_numbers_and_stamps_turn_over() -> None:
    frames = frames_of("H264")
    units = taken(
        frames,
        packet(0xFFFF, 0xFFFF_FFFF, b"\x41a", last=True),
        packet(0x10000, 0x1_0000_0BB7, b"\x41b", last=True),
        packet(0x10001, 0x1_0000_0000, b"\x41c", last=True),
    )
    assert [unit.ticks for unit in units] == [0, 3000, 1]
    assert frames.damaged == 0


def test_frame_with_a_missing_packet_is_left_out() -> None:
    frames = frames_of("H264")
    units = taken(
        frames,
        packet(1, 0, b"\x41a", last=True),
        packet(2, 3000, b"\x41b"),
        packet(4, 3000, b"\x41b", last=True),
        packet(5, 6000, b"\x41c", last=True),
        packet(7, 9000, b"\x41d", last=True),
        packet(8, 12000, b"\x41e", last=True),
    )
    assert [unit.ticks for unit in units] == [0, 6000, 12000]
    assert frames.damaged == 2


def test_packets_that_come_again_are_passed_over() -> None:
    frames = frames_of("H264")
    one, two = packet(1, 0, b"\x41a"), packet(2, 0, b"\x41b", last=True)
    assert len(taken(frames, one, one, two, one, two)) == 1
    assert frames.damaged == 0


def test_packets_off_the_line_are_passed_over_until_they_are_a_line() -> None:
    frames = frames_of("H264")
    sent = [packet(number, 3000 * number, b"\x41a", last=True) for number in range(20)]
    astray = packet(30_000, 9, b"\x41x", last=True)
    other = packet(11, 9, b"\x41x", last=True)[:8] + b"else" + b"\x41x"

    units = taken(frames, *sent[:10], astray, *sent[10:12], other, *sent[12:])
    assert [unit.ticks for unit in units] == [3000 * number for number in range(20)]
    assert frames.damaged == 0

    begun_anew = [packet(50_000 + number, 60_000, b"\x41a", last=True) for number in range(8)]
    assert len(taken(frames, *begun_anew)) == 3


def test_packets_are_read_behind_extensions_and_before_padding() -> None:
    frames = frames_of("H264")
    units = taken(
        frames,
        packet(1, 0, b"\x41a", last=True, extension=b"\1\2\3\4" * 2, padding=b"\0\0\3"),
    )
    assert [unit.data for unit in units] == [b"\0\0\0\1\x41a"]


def test_units_of_h264_are_taken_apart_and_put_together() -> None:
    frames = frames_of("H264")
    several = b"\x18" + b"\0\2\x67s" + b"\0\2\x68p"
    units = taken(
        frames,
        packet(1, 0, several),
        packet(2, 0, b"\x7c\x85AB"),
        packet(3, 0, b"\x7c\x05CD"),
        packet(4, 0, b"\x7c\x45EF", last=True),
    )
    assert [unit.data for unit in units] == [b"\0\0\0\1\x67s\0\0\0\1\x68p\0\0\0\1\x65ABCDEF"]
    assert units[0].stands_alone


@pytest.mark.parametrize(
    "payload",
    [
        b"\x7c\x05middle",
        b"\x7c\x85beginning",
        b"\x7c",
        b"\x18\0\0",
        b"\x18\xff\xffx",
        b"\x18\0",
    ],
)
def test_units_of_h264_that_make_no_sense_are_damaged(payload: bytes) -> None:
    frames = frames_of("H264")
    units = taken(frames, packet(1, 0, payload, last=True), packet(2, 3000, b"\x41fine", last=True))
    assert [unit.ticks for unit in units] == [3000]
    assert frames.damaged == 1


def test_parameter_sets_of_the_description_come_first() -> None:
    frames = frames_of("H264", "packetization-mode=1;sprop-parameter-sets=Z3M=,aHA=,%%%")
    units = taken(frames, packet(1, 0, b"\x65a", last=True), packet(2, 3000, b"\x41b", last=True))
    assert [unit.data for unit in units] == [
        b"\0\0\0\1gs\0\0\0\1hp\0\0\0\1\x65a",
        b"\0\0\0\1\x41b",
    ]


def test_units_of_h265_are_taken_apart_and_put_together() -> None:
    frames = frames_of("H265", "sprop-vps=QAE=; sprop-sps=QgE=; sprop-pps=RAE=")
    units = taken(
        frames,
        packet(1, 0, b"\x60\x01" + b"\0\3\x4e\x01s"),
        packet(2, 0, b"\x62\x01\x93AB"),
        packet(3, 0, b"\x62\x01\x53CD", last=True),
    )
    sets = b"\0\0\0\1\x40\x01\0\0\0\1\x42\x01\0\0\0\1\x44\x01"
    assert units == [Unit(sets + b"\0\0\0\1\x4e\x01s\0\0\0\1\x26\x01ABCD", 0, True)]


def jpeg(offset: int, scan: bytes, *, kind: int = 1, quality: int = 50, more: bytes = b"") -> bytes:
    return b"\0" + offset.to_bytes(3) + bytes([kind, quality, 16, 12]) + more + scan


def test_jpeg_has_tables_by_its_quality_or_from_its_packet() -> None:
    frames = frames_of("JPEG")
    table = bytes(range(1, 65))
    units = taken(
        frames,
        packet(1, 0, jpeg(0, b"scan"), last=True),
        packet(2, 1, jpeg(0, b"scan", quality=255, more=b"\0\0\0\x40" + table), last=True),
        packet(3, 2, jpeg(0, b"scan", quality=255, more=b"\0\0\0\0"), last=True),
        packet(4, 3, jpeg(0, b"scan", kind=65, more=b"\0\x08\xff\xff"), last=True),
    )
    assert all(unit.data.endswith(b"scan\xff\xd9") for unit in units)
    assert units[0].data[:9] == b"\xff\xd8\xff\xdb\0\x43\0\x10\x0b"
    assert table in units[1].data
    assert table in units[2].data
    assert b"\xff\xdd\0\4\0\x08" in units[3].data


@pytest.mark.parametrize(
    "payload",
    [
        jpeg(4, b"later"),
        jpeg(0, b"scan", kind=2),
        jpeg(0, b"scan", quality=0),
        jpeg(0, b"scan", quality=200, more=b"\0\0\0\0"),
        jpeg(0, b"", quality=200, more=b"\0\1\0\x80" + bytes(128)),
        jpeg(0, b"", quality=200, more=b"\0\0\0\x80" + bytes(3)),
        b"\0\0",
    ],
)
def test_jpeg_that_makes_no_sense_is_damaged(payload: bytes) -> None:
    frames = frames_of("JPEG")
    assert taken(frames, packet(1, 0, payload, last=True)) == []
    assert frames.damaged == 1


def test_vp8_begins_where_it_says() -> None:
    frames = frames_of("VP8")
    units = taken(
        frames,
        packet(1, 0, b"\x90\xe0\x80\x01\x02\x03" + b"\x10key"),
        packet(2, 0, b"\x80\x80\x05" + b"more", last=True),
        packet(3, 3000, b"\0" + b"middle", last=True),
        packet(4, 6000, b"\x10" + b"\x01later", last=True),
        packet(5, 9000, b"\x10", last=True),
    )
    assert units == [Unit(b"\x10keymore", 0, True), Unit(b"\x01later", 6000, False)]
    assert frames.damaged == 2


def test_mpeg4_has_its_settings_first() -> None:
    frames = frames_of("MP4V-ES", "profile-level-id=1;config=000001b0")
    units = taken(
        frames,
        packet(1, 0, b"\0\0\1\xb6\x00i", last=True),
        packet(2, 3000, b"\0\0\1\xb6\x40p", last=True),
    )
    assert [(unit.data, unit.stands_alone) for unit in units] == [
        (b"\0\0\1\xb0\0\0\1\xb6\x00i", True),
        (b"\0\0\1\xb6\x40p", False),
    ]
    assert frames_of("MP4V-ES", "config=xyz").damaged == 0


def test_frame_without_an_end_is_bounded() -> None:
    frames = frames_of("H264")
    for number in range(600):
        assert taken(frames, packet(number, 0, b"\x41" + bytes(64_000))) == []
    assert taken(frames, packet(600, 0, b"\x41", last=True)) == []
    assert frames.damaged == 1


@pytest.mark.parametrize("name", ["H264", "H265", "JPEG", "MP4V-ES", "MPV", "VP8"])
def test_rubbish_is_survived(name: str) -> None:
    chance = random.Random(7)
    frames = frames_of(name)
    for number in range(2000):
        payload = chance.randbytes(chance.randrange(1, 20))
        stamp = number // 3
        taken(frames, packet(number, stamp, payload, last=chance.random() < 0.3))
        taken(frames, chance.randbytes(chance.randrange(40)))
    assert frames.damaged >= 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        bytes(12),
        b"\x40" + bytes(20),
        b"\x8f\x60" + bytes(12),
        b"\x80\xc8" + bytes(20),
    ],
)
def test_what_is_no_packet_is_passed_over(data: bytes) -> None:
    assert taken(frames_of("H264"), data) == []
    assert content_of(data) == b""


def test_containers_in_packets_are_taken_out() -> None:
    assert content_of(packet(1, 0, b"\x47bytes")) == b"\x47bytes"


def test_codings_are_read_from_descriptions() -> None:
    assert read_coding("v=0\r\n") is None
    for kind, name in ((26, "JPEG"), (32, "MPV"), (33, "MP2T")):
        static = read_coding(f"m=video 0 RTP/AVP {kind}\r\n")
        assert static is not None
        assert static.name == name
    other = read_coding("m=video 0 RTP/AVP 96\r\na=rtpmap:96 theora/0\r\n")
    assert other is not None
    assert other.rate == 90_000
    assert payload_of(other) is None
