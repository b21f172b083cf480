"""What an RTSP source says of its tracks (SDP, RFC 8866), and what of it a decoder is told.

A decoder is told of one video track, in lines of ours: what else a source writes it never reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from likeness.errors import InvalidStream
from likeness.streams.wire import rubbish

# Types of payload that need no description (RFC 3551).
_STATIC = {26: "JPEG/90000", 32: "MPV/90000", 33: "MP2T/90000"}
# What a decoder puts together of packets.
_READ = frozenset({"H264", "H265", "HEVC", "JPEG", "MP4V-ES", "MPV", "MP2T", "VP8"})
_MEDIA = re.compile(r"m=video [0-9]{1,5}(?:/[0-9]{1,5})? (RTP/[A-Z/]{1,16}) ([0-9]{1,3})(?: .*)?")
_CODING = re.compile(r"a=rtpmap:([0-9]{1,3}) +([A-Za-z0-9-]{1,16})/([0-9]{1,9})(?:/.*)?")
_FORMAT = re.compile(r"a=fmtp:([0-9]{1,3}) +([ -~]{1,8000})")
_CONTROL = re.compile(r"a=control:([!-~]{1,2048})")


@dataclass(frozen=True, slots=True)
class Track:
    """A video track: its URL and that of the whole, its packets, and the decoder's description."""

    url: str
    whole_url: str
    payload_type: int
    sdp: bytes


def video_track(description: bytes, base: str) -> Track:
    """Choose the first video track that can be read; `base` is what its URL is relative to.

    Raises:
        InvalidStream: there is none.
    """
    text = description.decode("utf-8", "replace")
    lines = [line.strip("\r\0") for line in text.split("\n")]
    if not lines[0].startswith("v=0"):
        raise rubbish()
    session = list(takewhile(lambda line: not line.startswith("m="), lines))
    base = _joined(base, _control(session) or "*")
    refused = ""
    for section in _sections(lines):
        media = _MEDIA.fullmatch(section[0])
        if media is None:
            continue
        payload_type = int(media[2])
        coding = _coding(section, payload_type)
        name = coding.partition("/")[0].upper()
        if media[1] not in ("RTP/AVP", "RTP/AVPF", "RTP/AVP/TCP"):
            refused = "encrypted by itself (SRTP), which is not read. Use rtsps:// for encryption"
        elif name not in _READ:
            refused = f"{name or 'of no known kind'}, which is not read. Choose H.264 or H.265"
        elif payload_type < 128:
            sdp = _told(payload_type, coding, _format(section, payload_type))
            url = _joined(base, _control(section) or "*")
            return Track(url, base, payload_type, sdp)
    if refused:
        raise InvalidStream(f"The source's video is {refused} in its settings.")
    raise InvalidStream("The source has no video. Check the path of its address.")


def _sections(lines: list[str]) -> Iterator[list[str]]:
    section: list[str] = []
    for line in lines:
        if line.startswith("m="):
            if section:
                yield section
            section = [line]
        elif section:
            section.append(line)
    if section:
        yield section


def _coding(section: list[str], payload_type: int) -> str:
    for line in section:
        if (found := _CODING.fullmatch(line)) and int(found[1]) == payload_type:
            return f"{found[2]}/{found[3]}"
    return _STATIC.get(payload_type, "")


def _format(section: list[str], payload_type: int) -> str:
    for line in section:
        if (found := _FORMAT.fullmatch(line)) and int(found[1]) == payload_type:
            return found[2]
    return ""


def _control(lines: list[str]) -> str:
    return next((found[1] for line in lines if (found := _CONTROL.fullmatch(line))), "")


def _joined(base: str, control: str) -> str:
    """Give the URL that a track is asked for by, which is sent to the source and nowhere else."""
    if control == "*":
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    # As cameras mean it, and players do it: what follows a query is no part of a path.
    return base + ("" if base.endswith("/") else "/") + control


def _told(payload_type: int, coding: str, form: str) -> bytes:
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=video 0 RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} {coding}",
    ]
    if form:
        lines.append(f"a=fmtp:{payload_type} {form}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
