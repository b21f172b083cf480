"""Addresses of sources: what is read of them, and what of them is shown."""

import pytest

from likeness.errors import InvalidRequest
from likeness.reachable import Endpoint, read_networks
from likeness.streams import Location, read_location, require_reachable


def test_address_is_taken_apart() -> None:
    read = read_location("rtsp://viewer:s%2Fcr%40t@[2001:db8::1]:8554/main?channel=1&token=abc")
    assert read.endpoint == Endpoint("rtsp", "2001:db8::1", 8554, "/main?channel=1&token=abc")
    assert (read.user, read.password) == ("viewer", "s/cr@t")
    assert read.url() == "rtsp://[2001:db8::1]:8554/main?channel=1&token=abc"


def test_password_may_have_signs_that_cameras_allow() -> None:
    read = read_location("RTSP://admin:p@ss:w%rd@10.0.0.5/ch1")
    assert (read.user, read.password) == ("admin", "p@ss:w%rd")
    assert read.endpoint == Endpoint("rtsp", "10.0.0.5", 554, "/ch1")


@pytest.mark.parametrize(
    ("scheme", "port"), [("rtsp", 554), ("rtsps", 322), ("http", 80), ("https", 443)]
)
def test_usual_port_is_taken(scheme: str, port: int) -> None:
    assert read_location(f"{scheme}://cam.example").endpoint.port == port


def test_neither_password_nor_token_is_shown() -> None:
    read = read_location(
        "https://viewer:hunter2@cam.example:8443/live/AbCdEfGhIjKlMnO9/a.m3u8?ch=1&t=tok&raw"
    )
    for said in (read.shown, repr(read), str(read)):
        for secret in ("viewer", "hunter2", "AbCdEfGhIjKlMnO9", "tok", "raw"):
            assert secret not in said
    assert read.shown == "https://cam.example:8443/live/.../a.m3u8?ch=...&t=...&..."


def test_usual_paths_are_shown_whole() -> None:
    for path in (
        "/Streaming/Channels/101",
        "/h264Preview_01_main",
        "/cam/realmonitor",
        "/axis-media/media.amp",
        "/",
    ):
        assert read_location(f"rtsp://cam.example{path}").shown == f"rtsp://cam.example{path}"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://viewer:a%2Fb%3Fc%23d%25e@cam.example:8554/main?x=1",
        "https://viewer@cam.example/",
        "rtsps://[2001:db8::1]/a",
    ],
)
def test_whole_address_reads_as_the_same(text: str) -> None:
    assert read_location(read_location(text).text) == read_location(text)
    assert read_location(text).text == text


def test_password_that_is_asked_for_apart_is_taken() -> None:
    read = read_location("rtsp://cam.example/main").signed_in("viewer", "a/b#c")
    assert read_location(read.text) == read
    with pytest.raises(InvalidRequest, match="printable"):
        read.signed_in("viewer", "a\r\nTransport: x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cam.example/secret",
        "ftp://cam.example/secret",
        "file:///secret",
        "rtsp://",
        "rtsp:///secret",
        "rtsp://cam.example:99999/secret",
        "rtsp://cam.example/secret\r\nTransport: x",
        "rtsp://cam.example/a secret",
        "rtsp://cam.example/#secret",
        "rtsp://user%0d%0aSession:secret@cam.example/",
        "rtsp://user:secret%00@cam.example/",
        "rtsp://user:se/secret@cam.example/",
        "rtsp://user:se#secret@cam.example/",
        "rtsp://us%3Aer:secret@cam.example/",
        "rtsp://us%22er:secret@cam.example/",
        "rtsp://:secret@cam.example/",
        "rtsp://cam..example/secret",
        "rtsp://user:secret" + "x" * 256 + "@cam.example/",
        "rtsp://cam.example/secret" + "x" * 2048,
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Not a ") as raised:
        read_location(text)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["127.1", "169.254.169.254", "[::1]", "0x7f000001"])
def test_address_inside_is_refused_as_soon_as_it_is_named(host: str) -> None:
    location = read_location(f"rtsp://user:secret@{host}/secret")
    with pytest.raises(InvalidRequest, match="LIKENESS_SOURCE_NETWORKS") as raised:
        require_reachable(location, read_networks("10.0.0.0/8"))
    assert "secret" not in str(raised.value)


def test_camera_of_an_allowed_network_may_be_named() -> None:
    networks = read_networks("10.0.0.0/8")
    require_reachable(read_location("rtsp://10.1.2.3/main"), networks)
    require_reachable(read_location("rtsp://cam.example/main"), networks)


def test_location_is_a_value() -> None:
    assert Location(Endpoint("http", "a.example", 80, "/")) == read_location("http://a.example")
