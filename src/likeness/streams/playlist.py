"""Playlists of HLS (RFC 8216): of variants of one stream, or of the segments of one."""

import re
from dataclasses import dataclass

from likeness.errors import InvalidStream
from likeness.streams.wire import rubbish

FIRST_LINE = b"#EXTM3U"
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_NUMBER = re.compile(r"[0-9]{1,15}")
_DURATION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_RANGE = re.compile(r"([0-9]{1,12})(?:@([0-9]{1,12}))?")
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_SHORTEST_S, _LONGEST_S = 0.05, 60.0
_MOST_SEGMENTS = 20_000
_OF_VIDEO = ("avc", "hvc", "hev", "dvh", "av01", "vp0", "vp8", "vp9", "mp4v")
# What no screen shows better: more is only more to decode.
_TALLEST = 1080


@dataclass(frozen=True, slots=True)
class Part:
    """What is fetched at once: a reference, and of what lies there so many bytes from there on."""

    reference: str
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a segment is encrypted with (AES-128 in CBC)."""

    reference: str
    iv: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a stream; `head` is what has to be read before the first, if anything."""

    number: int
    body: Part
    duration_s: float
    head: Part | None
    key: Key | None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """The segments that there are now, and whether more will come."""

    segments: tuple[Segment, ...]
    target_s: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Variants:
    """Several playlists of one stream, and which of them is best."""

    best: str


def read_playlist(content: bytes) -> MediaPlaylist | Variants:
    """Read a playlist.

    Raises:
        InvalidStream: it is none, or encrypted in a way that is not read.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = [line.strip() for line in text.split("\n")]
    if lines[0] != FIRST_LINE.decode():
        raise rubbish()
    if any(line.startswith("#EXT-X-STREAM-INF:") for line in lines):
        return _variants(lines)
    return _Reader().read(lines[1:])


class _Reader:
    """What lines before a segment say of it."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.target_s = 0.0
        self.number = 0
        self.ended = False
        self.duration_s: float | None = None
        self.part: tuple[int, int] | None = None
        self.next_byte = 0
        self.head: Part | None = None
        self.key: tuple[str, bytes | None] | None = None

    def read(self, lines: list[str]) -> MediaPlaylist:
        for line in lines:
            tag, _, value = line.partition(":")
            if line and not line.startswith("#"):
                self._segment(line)
            elif tag == "#EXTINF":
                self.duration_s = _seconds(value.partition(",")[0].strip())
            elif tag == "#EXT-X-TARGETDURATION":
                self.target_s = _seconds(value)
            elif tag == "#EXT-X-MEDIA-SEQUENCE" and not self.segments:
                self.number = _number(value)
            elif tag == "#EXT-X-BYTERANGE":
                self.part = self._range(value, self.next_byte)
            elif tag == "#EXT-X-MAP":
                said = _attributes(value)
                part = self._range(said["BYTERANGE"], 0) if "BYTERANGE" in said else None
                self.head = Part(_required(said, "URI"), part)
            elif tag == "#EXT-X-KEY":
                self.key = _key(_attributes(value))
            elif tag == "#EXT-X-ENDLIST":
                self.ended = True
        longest_s = max((one.duration_s for one in self.segments), default=_SHORTEST_S)
        return MediaPlaylist(tuple(self.segments), self.target_s or longest_s, self.ended)

    def _segment(self, reference: str) -> None:
        if self.duration_s is None or len(self.segments) >= _MOST_SEGMENTS:
            raise rubbish()
        key = None
        if self.key is not None:
            key = Key(self.key[0], self.key[1] or self.number.to_bytes(16, "big"))
        self.segments.append(
            Segment(
                number=self.number,
                body=Part(reference, self.part),
                duration_s=self.duration_s,
                head=self.head,
                key=key,
            )
        )
        self.next_byte = sum(self.part) if self.part else 0
        self.number += 1
        self.duration_s, self.part = None, None

    def _range(self, text: str, begin: int) -> tuple[int, int]:
        found = _RANGE.fullmatch(text)
        if found is None or not int(found[1]):
            raise rubbish()
        return int(found[2]) if found[2] else begin, int(found[1])


def _variants(lines: list[str]) -> Variants:
    known: list[tuple[tuple[int, int, int], str]] = []
    said: dict[str, str] | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            said = _attributes(line.partition(":")[2])
        elif line and not line.startswith("#") and said is not None:
            if _has_video(said):
                known.append((_worth(said), line))
            said = None
    if not known:
        raise InvalidStream("The source has no video. Check the path of its address.")
    return Variants(max(known, key=lambda one: one[0])[1])


def _has_video(said: dict[str, str]) -> bool:
    codecs = [one.strip() for one in said.get("CODECS", "").lower().split(",") if one.strip()]
    return not codecs or any(one.startswith(_OF_VIDEO) for one in codecs)


def _worth(said: dict[str, str]) -> tuple[int, int, int]:
    size = _SIZE.fullmatch(said.get("RESOLUTION", ""))
    height = min(int(size[1]), int(size[2])) if size else 0
    bandwidth = said.get("BANDWIDTH", "")
    rate = int(bandwidth) if _NUMBER.fullmatch(bandwidth) else 0
    # Of those that are larger than need be the smallest.
    return (1, height, rate) if height <= _TALLEST else (0, -height, rate)


def _key(said: dict[str, str]) -> tuple[str, bytes | None] | None:
    method = said.get("METHOD", "")
    if method == "NONE":
        return None
    if method != "AES-128" or said.get("KEYFORMAT", "identity") != "identity":
        raise InvalidStream(
            "The source's stream is protected against copies (DRM), which is not read. Use one that"
            " is not."
        )
    iv = said.get("IV", "")
    if not iv:
        return _required(said, "URI"), None
    if not re.fullmatch(r"0[xX][0-9A-Fa-f]{1,32}", iv):
        raise rubbish()
    return _required(said, "URI"), int(iv, 16).to_bytes(16, "big")


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _required(said: dict[str, str], name: str) -> str:
    if not said.get(name):
        raise rubbish()
    return said[name]


def _seconds(text: str) -> float:
    if not _DURATION.fullmatch(text):
        raise rubbish()
    return min(max(float(text), _SHORTEST_S), _LONGEST_S)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise rubbish()
    return int(text)
