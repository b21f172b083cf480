"""HLS: segments come in order and at their pace, and playlists lead nowhere but to them."""

import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from likeness.errors import InvalidStream, SourceUnavailable
from likeness.reachable import Endpoint
from likeness.streams import Feed, connect, read_location
from likeness.streams.hls import Fetcher, Place
from likeness.streams.http import Getter
from likeness.streams.playlist import Key, Part, Variants, read_playlist
from likeness.streams.sign_in import SignIn
from tests.certificates import make_certificate
from tests.streams.feeds import (
    LIMITS,
    LOOPBACK,
    end_of_read_when_let_go_of,
    is_definite,
    numbers_in,
    read_all,
    refused,
)
from tests.streams.packets import write_hls
from tests.streams.web import Page, Site, hosting

KIND = "application/vnd.apple.mpegurl"
KINDS = {
    "segments": {},
    "fragmented MP4": {"hls_segment_type": "fmp4"},
    "one file": {"hls_flags": "single_file"},
    "one file of fragmented MP4": {"hls_segment_type": "fmp4", "hls_flags": "single_file"},
    "encrypted": {"encrypted": "yes"},
}
RARE = b"\0\1\2"  # what is no text


def recorded(folder: Path, options: dict[str, str], faster: float = 30.0) -> Site:
    """Serve what FFmpeg writes, as if it lasted less."""
    write_hls(folder, 30, dict(options))
    pages = {f"/{path.name}": Page(path.read_bytes()) for path in folder.iterdir()}
    listed = re.sub(
        r"(?m)^#EXTINF:([0-9.]+)",
        lambda found: f"#EXTINF:{float(found[1]) / faster:.6f}",
        (folder / "live.m3u8").read_text(),
    )
    pages["/live.m3u8"] = Page(listed.encode(), KIND)
    return Site(pages)


def playlist(*lines: str, begin: int = 0, ended: bool = False) -> bytes:
    head = ["#EXTM3U", "#EXT-X-TARGETDURATION:0.1", f"#EXT-X-MEDIA-SEQUENCE:{begin}"]
    return "\n".join([*head, *lines, *(["#EXT-X-ENDLIST"] if ended else [])]).encode()


def segments(numbers: range, lasts_s: float = 0.02) -> list[str]:
    return [line for one in numbers for line in (f"#EXTINF:{lasts_s},", f"{one}.ts")]


def live(numbers: range, lasts_s: float = 0.02, ended: bool = False) -> bytes:
    return playlist(*segments(numbers, lasts_s), begin=numbers.start, ended=ended)


def numbered(count: int) -> dict[str, Page]:
    return {f"/{one}.ts": Page(RARE + b"%d;" % one) for one in range(count)}


@contextmanager
def opened(site: Site) -> Iterator[Feed]:
    with (
        hosting(site),
        closing(connect(read_location(site.url("/live.m3u8")), LOOPBACK, LIMITS)) as feed,
    ):
        yield feed


def came(site: Site) -> bytes:
    with closing(connect(read_location(site.url("/live.m3u8")), LOOPBACK, LIMITS)) as feed:
        assert feed.sdp == b""
        return b"".join(read_all(feed))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_recorded_comes_whole(kind: str, tmp_path: Path) -> None:
    with hosting(recorded(tmp_path, KINDS[kind])) as site:
        assert numbers_in(came(site)) == list(range(30))


def test_bytes_come_at_the_pace_at_which_they_are_seen(tmp_path: Path) -> None:
    with opened(recorded(tmp_path, {}, faster=5)) as feed:
        began_s, times = time.monotonic(), []
        while feed.read():
            times.append(time.monotonic() - began_s)
    assert 0.45 < times[-1] < 1.2  # three seconds, five times as fast
    assert len([at for at in times if at < 0.2]) < len(times) * 0.6


def test_live_stream_is_joined_at_its_newest_and_followed() -> None:
    pages = numbered(9)
    states = [
        live(range(0, 4)),
        live(range(0, 4)),
        live(range(1, 6)),
        live(range(3, 7), ended=True),
    ]

    def now() -> bytes:
        return states.pop(0) if len(states) > 1 else states[0]

    with hosting(Site(pages | {"/live.m3u8": Page(now, KIND)})) as site:
        content = came(site)
    assert content == b"".join(RARE + b"%d;" % one for one in (3, 4, 5, 6))


def test_who_is_far_behind_goes_on_with_the_newest() -> None:
    states = [live(range(0, 4)), live(range(2, 9)), live(range(2, 10), ended=True)]

    def now() -> bytes:
        return states.pop(0) if len(states) > 1 else states[0]

    with hosting(Site(numbered(10) | {"/live.m3u8": Page(now, KIND)})) as site:
        content = came(site)
    assert content == b"".join(RARE + b"%d;" % one for one in (3, 8, 9))


def test_segment_that_is_gone_is_passed_over() -> None:
    pages = numbered(4)
    del pages["/1.ts"]
    listed = Page(live(range(0, 4), ended=True), KIND)
    with hosting(Site(pages | {"/live.m3u8": listed})) as site:
        assert came(site) == b"".join(RARE + b"%d;" % one for one in (0, 2, 3))


def test_stream_whose_segments_are_gone_has_stopped() -> None:
    listed = Page(live(range(0, 9), ended=True), KIND)
    with hosting(Site({"/live.m3u8": listed, "/0.ts": Page(RARE)})) as site:
        assert "has no such stream" in str(refused(site.url("/live.m3u8")))
        assert site.asked.count("/1.ts") == 1


def test_stream_to_which_nothing_is_added_has_stopped() -> None:
    with hosting(Site(numbered(4) | {"/live.m3u8": Page(live(range(0, 4)), KIND)})) as site:
        error = refused(site.url("/live.m3u8"), replace(LIMITS, silence_s=0.2))
    assert "names nothing new" in str(error)
    assert not is_definite(error)


def test_stream_that_begins_anew_ends() -> None:
    states = [live(range(5, 9)), live(range(0, 3))]

    def now() -> bytes:
        return states.pop(0) if len(states) > 1 else states[0]

    with hosting(Site(numbered(9) | {"/live.m3u8": Page(now, KIND)})) as site:
        assert came(site) == RARE + b"8;"


def test_stream_with_another_head_ends() -> None:
    lines = [
        '#EXT-X-MAP:URI="a.mp4"',
        *segments(range(0, 2)),
        '#EXT-X-MAP:URI="b.mp4"',
        *segments(range(2, 4)),
    ]
    pages = numbered(4) | {"/a.mp4": Page(RARE + b"head;"), "/b.mp4": Page(RARE)}
    listed = Page(playlist(*lines, ended=True), KIND)
    with hosting(Site(pages | {"/live.m3u8": listed})) as site:
        content = came(site)
    assert content == RARE + b"head;" + RARE + b"0;" + RARE + b"1;"


def test_best_that_is_not_too_large_is_chosen() -> None:
    lines = [
        "#EXTM3U",
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="mp4a.40.2"',
        "sound.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"',
        "small.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1920x1080",
        "large/index.m3u8?token=1",
        "#EXT-X-STREAM-INF:BANDWIDTH=15000000,RESOLUTION=3840x2160",
        "huge.m3u8",
    ]
    pages = {
        "/live.m3u8": Page("\n".join(lines).encode(), KIND),
        "/large/index.m3u8": Page(live(range(0, 1), ended=True), KIND),
        "/large/0.ts": Page(RARE),
    }
    with (
        hosting(Site(pages, sign_in="sha-256")) as site,
        closing(
            connect(read_location(site.url("/live.m3u8", signed=True)), LOOPBACK, LIMITS)
        ) as feed,
    ):
        assert b"".join(read_all(feed)) == RARE
    assert site.asked == ["/live.m3u8", "/large/index.m3u8?token=1", "/large/0.ts"]


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        (["#EXT-X-STREAM-INF:BANDWIDTH=1", "a", "#EXT-X-STREAM-INF:BANDWIDTH=2", "b"], "b"),
        (
            [
                "#EXT-X-STREAM-INF:RESOLUTION=3840x2160",
                "a",
                "#EXT-X-STREAM-INF:RESOLUTION=1440x2560",
                "b",
            ],
            "b",
        ),
        (["#EXT-X-STREAM-INF:BANDWIDTH=x,RESOLUTION=y", "# a note", "", "a"], "a"),
    ],
)
def test_variants_say_which_is_best(lines: list[str], best: str) -> None:
    assert read_playlist("\r\n".join(["#EXTM3U", *lines]).encode()) == Variants(best)


def test_playlist_is_read_as_the_standard_has_it() -> None:
    read = read_playlist(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-MEDIA-SEQUENCE:7\r\n"
        b'#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x0A\r\n'
        b"#EXTINF:3.5,title\r\n#EXT-X-BYTERANGE:10@5\r\na\r\n"
        b'#EXT-X-KEY:METHOD=AES-128,URI="k"\r\n'
        b"#EXTINF:99999\r\n#EXT-X-BYTERANGE:20\r\na\r\n"
        b"#EXT-X-KEY:METHOD=NONE\r\n#EXT-X-DISCONTINUITY\r\n#EXTINF:1,\r\nb\r\n"
    )
    assert not isinstance(read, Variants)
    assert (read.target_s, read.ended) == (4.0, False)
    first, second, third = read.segments
    assert [one.number for one in read.segments] == [7, 8, 9]
    assert (first.body, second.body) == (Part("a", (5, 10)), Part("a", (15, 20)))
    assert first.key is not None and first.key.iv == bytes(15) + b"\x0a"
    assert second.key is not None and second.key.iv == bytes(15) + b"\x08"
    assert third.key is None and third.body == Part("b")
    assert second.duration_s == 60.0  # whoever says more is not waited for


ONE = segments(range(0, 1))
PLAYLISTS = [
    (playlist(), "playlist is empty"),
    (playlist("0.ts"), "is no stream"),
    (playlist("#EXTINF:x,", "0.ts"), "is no stream"),
    (playlist("#EXTINF:-1,", "0.ts"), "is no stream"),
    (playlist("#EXTINF:nan,", "0.ts"), "is no stream"),
    (playlist("#EXT-X-MEDIA-SEQUENCE:" + "9" * 40, *ONE), "is no stream"),
    (playlist("#EXT-X-BYTERANGE:0@0", *ONE), "is no stream"),
    (playlist("#EXT-X-BYTERANGE:5@5@5", *ONE), "is no stream"),
    (playlist("#EXT-X-BYTERANGE:999999999999@0", *ONE), "is no stream"),
    (playlist("#EXT-X-MAP:BYTERANGE=1", *ONE), "is no stream"),
    (playlist("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=k", *ONE), "protected against copies"),
    (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="drm"', *ONE), "protected"),
    (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0xXX', *ONE), "is no stream"),
    (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k"', *ONE), "is no stream"),
    (playlist('#EXT-X-KEY:METHOD=AES-128,URI="short"', *ONE), "is no stream"),
    (playlist("#EXTINF:1,", "file:///etc/passwd"), "is no stream"),
    (playlist("#EXTINF:1,", "data:video/mp2t;base64,AAAA"), "is no stream"),
    (playlist("#EXTINF:1,", "http://user:s@127.0.0.1/"), "is no stream"),
    (playlist("#EXTINF:1,", "http://[::1/"), "is no stream"),
    (playlist("#EXTINF:1,", "page"), "a web page"),
    (playlist("#EXTINF:1,", "subtitles"), "text instead"),
    (playlist("#EXTINF:1,", "gone"), "has no such stream"),
    (playlist("#EXTINF:1,", "long"), "is no stream"),
    (b"#EXTM3U8\n", "is no stream"),
    (b"#EXTM3U\n" + b"#" * 3000, "is no stream"),
    (b'#EXTM3U\n#EXT-X-STREAM-INF:CODECS="mp4a"\na\n', "has no video"),
    (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8\n", "is no stream"),
]


@pytest.mark.parametrize(("content", "said"), PLAYLISTS)
def test_playlist_that_leads_nowhere_is_said(content: bytes, said: str) -> None:
    pages = {
        "/live.m3u8": Page(content, KIND),
        "/0.ts": Page(RARE * 16),
        "/k": Page(bytes(16)),
        "/short": Page(bytes(15)),
        "/page": Page(b"<html>", "text/html"),
        "/subtitles": Page(b"WEBVTT\n"),
        "/long": Page(RARE * 1000),
    }
    limits = replace(LIMITS, playlist_bytes=2000, part_bytes=2000)
    with hosting(Site(pages)) as site:
        assert said in str(refused(site.url("/live.m3u8"), limits))


def test_part_that_is_not_given_as_one_is_refused() -> None:
    listed = Page(playlist("#EXT-X-BYTERANGE:2@1", *ONE), KIND)
    # A server that knows no parts sends all.
    with hosting(Site({"/live.m3u8": listed, "/0.ts": Page(lambda: [RARE])})) as site:
        assert "is no stream" in str(refused(site.url("/live.m3u8")))


@pytest.mark.parametrize("what", ["segment", "playlist", "key"])
def test_playlist_does_not_choose_what_inside_is_asked(what: str) -> None:
    with hosting(Site({"/secret": Page(RARE)})) as inside:
        there = inside.url("/secret")
        lines = {
            "segment": playlist("#EXTINF:1,", there),
            "playlist": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{there}\n".encode(),
            "key": playlist(f'#EXT-X-KEY:METHOD=AES-128,URI="{there}"', *ONE),
        }
        pages = {"/live.m3u8": Page(lines[what], KIND), "/0.ts": Page(RARE * 16)}
        with hosting(Site(pages, sign_in="basic")) as site:
            error = refused(site.url("/live.m3u8", signed=True))
        assert "an address elsewhere that is not public" in str(error)
        assert inside.heads == []


def test_playlist_elsewhere_does_not_choose_what_of_the_source_is_asked() -> None:
    """The password is for what the source's own playlists name."""
    asked: list[tuple[str, bool, bool]] = []

    class Asked(Getter):
        def get(self, endpoint: Endpoint, networks: Any, sign_in: Any, *_: Any, **__: Any) -> Any:
            asked.append((endpoint.target, bool(networks), sign_in is not None))
            return SimpleNamespace(whole=lambda *_: bytes(16), close=lambda: None)

    location = read_location("http://viewer:hunter2@10.0.0.5/live.m3u8")
    fetcher = Fetcher(Asked(LIMITS, None), Place(location.endpoint, LOOPBACK, SignIn(location)))
    elsewhere = read_location("http://93.184.216.34/theirs.m3u8").endpoint
    for by in (location.endpoint, elsewhere):
        fetcher.part(by, Part("http://10.0.0.5/reboot"), time.monotonic() + 1)
    fetcher.key(elsewhere, Key("http://10.0.0.5/key", bytes(16)))
    assert asked == [("/reboot", True, True), ("/reboot", False, False), ("/key", False, False)]


def test_encrypted_playlist_names_nothing_in_the_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listed = Page(playlist("#EXTINF:1,", "http://93.184.216.34/0.ts"), KIND)
    with hosting(Site({"/live.m3u8": listed}, context=context)) as site:
        assert "names what is not encrypted" in str(refused(site.url("/live.m3u8")))


def test_reading_ends_when_another_thread_lets_go() -> None:
    site = Site(numbered(4) | {"/live.m3u8": Page(live(range(0, 4), 30), KIND)})
    with opened(site) as feed:
        assert feed.read() == RARE + b"3;"
        assert end_of_read_when_let_go_of(feed) == b""


def test_reading_ends_while_a_server_does_not_answer() -> None:
    over = threading.Event()
    site = Site({"/0.ts": Page(RARE), "/live.m3u8": Page(live(range(0, 1)), KIND)})

    def nothing() -> bytes:
        over.wait(10)
        return b""

    with opened(site) as feed:
        assert feed.read() == RARE
        site.pages["/live.m3u8"] = Page(nothing, KIND)
        last: list[bytes] = []
        thread = threading.Thread(target=lambda: last.append(feed.read()))
        thread.start()
        while site.asked.count("/live.m3u8") < 2:
            time.sleep(0.01)
        feed.close()
        thread.join(5)
        assert last == [b""]
        over.set()


def test_playlist_that_is_none_any_more_is_no_stream() -> None:
    states = [live(range(0, 1))]

    def now() -> bytes:
        return states.pop(0) if states else b"<html>"

    site = Site(numbered(1) | {"/live.m3u8": Page(now, KIND)})
    with (
        hosting(site),
        closing(connect(read_location(site.url("/live.m3u8")), LOOPBACK, LIMITS)) as feed,
    ):
        assert feed.read() == RARE + b"0;"
        with pytest.raises(InvalidStream, match="is no stream"):
            feed.read()


def test_playlist_that_is_gone_is_asked_for_again_before_it_has_stopped() -> None:
    site = Site(numbered(1) | {"/live.m3u8": Page(live(range(0, 1)), KIND)})
    with (
        hosting(site),
        closing(connect(read_location(site.url("/live.m3u8")), LOOPBACK, LIMITS)) as feed,
    ):
        assert feed.read() == RARE + b"0;"
        del site.pages["/live.m3u8"]
        with pytest.raises(SourceUnavailable, match="has no such stream"):
            feed.read()
        assert site.asked.count("/live.m3u8") == 4
