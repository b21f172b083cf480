"""An S3 endpoint: its versions, its faults, and that nothing else is asked."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from likeness.buckets import S3Buckets
from likeness.buckets import s3 as s3_module
from likeness.errors import (
    BucketsUnavailable,
    ClipTooLarge,
    Conflict,
    ImageTooLarge,
    InvalidRequest,
    NotFound,
)

from .conftest import SECRET, s3_buckets

pytestmark = pytest.mark.slow


def test_the_version_that_is_named_is_read(s3: Any, s3_server: str) -> None:
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="photos", Key="one.jpg", Body=b"first")["VersionId"]
    s3.put_object(Bucket="photos", Key="one.jpg", Body=b"second")
    buckets = s3_buckets(s3_server)
    assert buckets.read("photos", "one.jpg", None, 100) == b"second"
    assert buckets.read("photos", "one.jpg", first, 100) == b"first"


@pytest.mark.parametrize(
    "key",
    [
        "/one.jpg",
        "one.jpg/",
        "folder//one.jpg",
        "//",
        ".",
        "..",
        "./one.jpg",
        "../photos/one.jpg",
        "folder/../one.jpg",
        "folder\\one.jpg",
        "one two+three%2F.jpg",
        "写真/ü?.jpg",
    ],
)
def test_whatever_s3_takes_for_a_key_is_one(s3: Any, s3_server: str, key: str) -> None:
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="one.jpg", Body=b"another")
    s3.put_object(Bucket="photos", Key=key, Body=b"a picture")
    buckets = s3_buckets(s3_server)
    assert buckets.read("photos", key, None, 100) == b"a picture"
    assert buckets.size("photos", key, None) == 9
    assert buckets.keys("photos", "") == sorted(["one.jpg", key])


def test_what_marks_a_folder_is_not_listed(s3: Any, s3_server: str) -> None:
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="folder/", Body=b"")
    s3.put_object(Bucket="photos", Key="folder/one.jpg", Body=b"a picture")
    assert s3_buckets(s3_server).keys("photos", "") == ["folder/one.jpg"]


def test_the_version_that_is_named_is_opened(s3: Any, s3_server: str, tmp_path: Path) -> None:
    s3.create_bucket(Bucket="clips")
    s3.put_bucket_versioning(Bucket="clips", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="clips", Key="one.mp4", Body=b"first")["VersionId"]
    gone = s3.delete_object(Bucket="clips", Key="one.mp4")["VersionId"]
    buckets = s3_buckets(s3_server, tmp_path)
    assert buckets.size("clips", "one.mp4", first) == 5
    with buckets.open("clips", "one.mp4", first, 100) as clip:
        assert clip.read() == b"first"
    for version in (None, gone):
        with pytest.raises(NotFound):
            buckets.size("clips", "one.mp4", version)
        with pytest.raises(NotFound):
            buckets.open("clips", "one.mp4", version, 100)
    s3.delete_object(Bucket="clips", Key="one.mp4", VersionId=gone)


def test_an_opened_object_has_no_name_and_its_folder_is_private(
    s3: Any, s3_server: str, tmp_path: Path
) -> None:
    s3.create_bucket(Bucket="clips")
    s3.put_object(Bucket="clips", Key="one.mp4", Body=b"a clip")
    work = tmp_path / "home" / "work"
    with s3_buckets(s3_server, work).open("clips", "one.mp4", None, 100):
        assert list(work.iterdir()) == []
    assert work.stat().st_mode & 0o777 == 0o700


def test_a_list_of_several_pages_is_whole(
    s3: Any, s3_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.create_bucket(Bucket="photos")
    keys = [f"people/{n}.jpg" for n in range(5)]
    for key in [*keys, "people/"]:
        s3.put_object(Bucket="photos", Key=key, Body=b"")
    buckets = s3_buckets(s3_server)
    listed = buckets._client.list_objects_v2
    monkeypatch.setattr(
        buckets._client, "list_objects_v2", lambda **page: listed(**page, MaxKeys=2)
    )
    assert buckets.keys("photos", "people/") == keys


class Answering(BaseHTTPRequestHandler):
    """Answers everything with what the test chose, and counts."""

    status, headers_sent, body = 200, {}, b""
    asked = 0

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.body)

    def do_HEAD(self) -> None:
        type(self).asked += 1
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve from threads; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def answering() -> Iterator[type[Answering]]:
    class Server(Answering):
        address = ""

    with serving(Server) as address:
        Server.address = address
        yield Server


def test_an_object_over_the_limit_is_not_read(answering: Any) -> None:
    answering.headers_sent = {"Content-Length": str(1 << 40)}  # and never comes
    with pytest.raises(ImageTooLarge):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


def test_an_object_that_hides_its_size_is_read_up_to_the_limit(answering: Any) -> None:
    answering.body = b"0" * 200
    with pytest.raises(ImageTooLarge):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


def test_an_answer_that_is_cut_off_is_a_fault(answering: Any) -> None:
    answering.headers_sent, answering.body = {"Content-Length": "50"}, b"0" * 20
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


@pytest.fixture
def leaves_nothing(tmp_path: Path) -> Iterator[Path]:
    """A work folder in which nothing is left, nor any open file of it."""
    work = tmp_path / "work"
    yield work
    assert not work.exists() or list(work.iterdir()) == []
    files = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert not [one for one in files if one.startswith(str(work))]


def test_a_clip_over_the_limit_is_not_read(answering: Any, leaves_nothing: Path) -> None:
    answering.headers_sent = {"Content-Length": str(1 << 40)}  # and never comes
    with pytest.raises(ClipTooLarge):
        s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, 100)
    assert s3_buckets(answering.address).size("clips", "one.mp4", None) == 1 << 40


def test_a_clip_that_hides_its_size_is_read_up_to_the_limit(
    answering: Any, leaves_nothing: Path
) -> None:
    answering.body = b"0" * 200
    with pytest.raises(ClipTooLarge):
        s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, 100)
    with s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, 200) as clip:
        assert clip.read() == answering.body


def test_a_bucket_that_vanishes_amid_a_clip_is_a_fault(
    answering: Any, leaves_nothing: Path
) -> None:
    answering.headers_sent, answering.body = {"Content-Length": "5000000"}, b"0" * 3_000_000
    with pytest.raises(BucketsUnavailable, match="LIKENESS_S3_ENDPOINT"):
        s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, 5_000_000)


def test_a_clip_that_is_not_wanted_any_more_is_read_no_further(
    answering: Any, leaves_nothing: Path
) -> None:
    answering.headers_sent, answering.body = {"Content-Length": str(1 << 30)}, b"0" * (4 << 20)
    asked = 0

    def require_wanted() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise Conflict("The job was cancelled.")

    with pytest.raises(Conflict):
        s3_buckets(answering.address, leaves_nothing).open(
            "clips", "one.mp4", None, 1 << 30, require_wanted
        )
    assert asked == 2


def test_a_clip_that_no_disk_holds_is_not_begun(answering: Any, leaves_nothing: Path) -> None:
    answering.headers_sent = {"Content-Length": str(1 << 60)}  # and never comes
    with pytest.raises(BucketsUnavailable, match="No space left on device") as raised:
        s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, 1 << 61)
    assert "Make room there" in str(raised.value)


def test_a_disk_that_fills_amid_a_clip_is_one_line(
    answering: Any, leaves_nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> Any:
        return Path("/dev/full").open("w+b")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    for length in (100, 3_000_000):
        answering.body = b"0" * length
        with pytest.raises(BucketsUnavailable, match="No space left on device") as raised:
            s3_buckets(answering.address, leaves_nothing).open("clips", "one.mp4", None, length)
        assert "\n" not in str(raised.value)


def test_a_work_folder_that_cannot_be_made_is_one_line(answering: Any, tmp_path: Path) -> None:
    answering.body = b"a clip"
    (tmp_path / "file").touch()
    with pytest.raises(BucketsUnavailable, match="cannot be written to"):
        s3_buckets(answering.address, tmp_path / "file" / "work").open("clips", "1.mp4", None, 9)


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_an_object_without_a_head_is_not_found(answering: Any, status: int) -> None:
    answering.status = status
    with pytest.raises(NotFound):
        s3_buckets(answering.address).size("clips", "one.mp4", None)


@pytest.mark.parametrize("status", [301, 307, 500])
def test_a_head_that_says_anything_else_is_a_fault(answering: Any, status: int) -> None:
    answering.status = status
    answering.headers_sent = {"Location": "http://127.0.0.1:1/"}
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).size("clips", "one.mp4", None)


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidObjectState"])
def test_an_object_that_may_not_be_read_is_not_found(answering: Any, code: str) -> None:
    answering.status, answering.body = 403, f"<Error><Code>{code}</Code></Error>".encode()
    with pytest.raises(NotFound):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


def test_a_wrong_access_key_is_a_fault_that_names_no_secret(answering: Any) -> None:
    answering.status = 403
    answering.body = (
        f"<Error><Code>SignatureDoesNotMatch</Code><Message>{SECRET}</Message></Error>".encode()
    )
    with pytest.raises(BucketsUnavailable, match="'SignatureDoesNotMatch'") as raised:
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)
    assert SECRET not in str(raised.value)


def test_an_endpoint_that_fails_is_asked_three_times_and_is_a_fault(answering: Any) -> None:
    answering.status = 503
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)
    assert answering.asked == 3


class Dripping(BaseHTTPRequestHandler):
    """Sends a part of an answer a byte at a time, for as long as somebody listens."""

    before, piece, after = b"", b"", b""

    def do_GET(self) -> None:
        self.close_connection = True
        try:
            self.wfile.write(self.before)
            for _ in range(400):
                self.wfile.write(self.piece)
                time.sleep(0.02)
            self.wfile.write(self.after)
        except OSError:
            pass

    def log_message(self, format: str, *values: object) -> None:
        pass


OK, LENGTH = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 400\r\n\r\n"


def steady(first: int = 0) -> type[Dripping]:
    """A server that drips about 45 bytes a second, after some that come at once."""

    class Server(Dripping):
        before = OK + b"Content-Length: %d\r\n\r\n" % (first + 400) + b"0" * first
        piece = b"0"

    return Server


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        (OK + LENGTH, b"0", b""),
        (OK, b"X: y\r\n", LENGTH + b"0" * 400),
        (OK + b"X: ", b"0", b"\r\n" + LENGTH + b"0" * 400),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n0\r\n", b"0\r\n\r\n"),
        (b"HTTP/1.1 404 No\r\n" + LENGTH, b"0", b""),
    ],
    ids=["body", "headers", "header", "chunks", "error"],
)
def test_an_answer_that_drips_is_a_fault_once_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, before: bytes, piece: bytes, after: bytes
) -> None:
    monkeypatch.setattr(s3_module, "_WHOLE_S", 0.3)

    class Server(Dripping):
        pass

    Server.before, Server.piece, Server.after = before, piece, after
    with serving(Server) as address, pytest.raises(BucketsUnavailable, match="Timeout"):
        s3_buckets(address).read("photos", "one.jpg", None, 1000)


def test_a_clip_may_take_long_as_long_as_it_keeps_coming(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(s3_module, "_WHOLE_S", 1.0)
    monkeypatch.setattr(s3_module, "_SLOWEST_BYTES_S", 10.0)
    with serving(steady()) as address:
        began = time.monotonic()
        with s3_buckets(address, tmp_path).open("clips", "one.mp4", None, 1000) as clip:
            assert clip.read() == b"0" * 400
        assert time.monotonic() - began > 2


def test_a_clip_that_drips_is_a_fault_once_it_is_too_far_behind(
    monkeypatch: pytest.MonkeyPatch, leaves_nothing: Path
) -> None:
    monkeypatch.setattr(s3_module, "_WHOLE_S", 1.0)
    monkeypatch.setattr(s3_module, "_SLOWEST_BYTES_S", 100.0)
    # What came at once buys no more than that second.
    with serving(steady(first=100_000)) as address, pytest.raises(BucketsUnavailable, match="Time"):
        began = time.monotonic()
        s3_buckets(address, leaves_nothing).open("clips", "one.mp4", None, 200_000)
    assert time.monotonic() - began < 6


def test_an_error_that_does_not_end_is_a_fault(answering: Any) -> None:
    answering.status, answering.body = 404, b"0" * (4 << 20)
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


def test_a_list_that_makes_no_sense_is_a_fault(answering: Any) -> None:
    answering.body = b"no XML"
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).keys("photos", "")


@pytest.mark.parametrize(
    "head",
    [{"Content-Length": "many"}, {"Last-Modified": "long ago"}, {"x-amz-missing-meta": "some"}],
)
def test_a_head_that_makes_no_sense_is_a_fault(answering: Any, head: dict[str, str]) -> None:
    answering.headers_sent = head
    buckets = s3_buckets(answering.address)
    for ask in (buckets.read, buckets.open):
        with pytest.raises(BucketsUnavailable):
            ask("photos", "one.jpg", None, 100)
    with pytest.raises(BucketsUnavailable):
        buckets.size("photos", "one.jpg", None)


def test_a_redirect_is_not_followed(answering: Any) -> None:
    answering.status = 307
    answering.headers_sent = {"Location": "http://127.0.0.1:1/", "Content-Length": "0"}
    with pytest.raises(BucketsUnavailable):
        s3_buckets(answering.address).read("photos", "one.jpg", None, 100)


def test_an_endpoint_that_is_away_is_a_fault() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(BucketsUnavailable, match="LIKENESS_S3_ENDPOINT"):
            s3_buckets(endpoint).read("photos", "one.jpg", None, 100)


def test_the_users_own_aws_profile_has_no_say(
    s3: Any, s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "credentials"):
        (tmp_path / name).write_text(
            "[default]\nregion = nowhere-1\ns3 =\n  use_accelerate_endpoint = true\n"
        )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")  # asks the machine for its region
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="one.jpg", Body=b"a picture")
    assert s3_buckets(s3_server).read("photos", "one.jpg", None, 100) == b"a picture"


@pytest.mark.parametrize(
    "endpoint",
    [
        "s3.example.org",
        "ftp://s3.example.org",
        "http://",
        "https://user:hidden-7@s3.example.org",
        "https://s3.example.org?token=hidden-7",
        "https://s3.example.org:hidden-7",
        "https://[hidden-7",
    ],
)
def test_what_is_no_endpoint_is_refused_unquoted(endpoint: str) -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_S3_ENDPOINT") as raised:
        s3_buckets(endpoint)
    assert "hidden-7" not in str(raised.value)


def test_half_an_access_key_is_refused() -> None:
    for key_id, secret in (("", "secret"), ("id", "")):
        with pytest.raises(InvalidRequest, match="LIKENESS_S3_SECRET_ACCESS_KEY"):
            S3Buckets(
                "http://127.0.0.1:1",
                region="us-east-1",
                access_key_id=key_id,
                secret_access_key=secret,
                work=Path("/nowhere"),
            )
