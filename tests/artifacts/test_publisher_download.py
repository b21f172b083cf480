"""A publisher has little time, and whatever it sends, only the pinned file is used."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from likeness.artifacts import (
    Address,
    PinnedFile,
    Publisher,
    Sources,
    cached,
    holds,
)
from likeness.artifacts import fetch_all as public
from likeness.artifacts.addresses import (
    FailedTry,
    Patience,
    PublisherFailed,
    download_from_publisher,
    failed_try,
    forget,
    remember,
)
from likeness.errors import ArtifactUnavailable, InvalidRequest, ModelTampered
from likeness.vision.models.cards import RETAIL_0095
from tests.certificates import make_certificate

from .conftest import WEIGHTS, fetch, sha256

SHORT = Patience(connect_s=0.5, total_s=1.0)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def body(content: bytes, kind: str = "application/octet-stream", length: int | None = None):
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(location: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.end_headers()

    return answer


def missing(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_error(503)


def drip(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b"w")
        request.wfile.flush()
        time.sleep(0.05)


class Site:
    """A publisher on loopback; `answers` says what each path gives."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        chain, key = make_certificate(folder)
        self.trusting = ssl.create_default_context(cafile=chain)
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                with suppress(OSError):  # who asked may have left
                    site.answers.get(self.path, missing)(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "certificate").mkdir()
    site = Site(tmp_path / "certificate")
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


def download(url: str, destination: Path, context: ssl.SSLContext | None = None) -> list[int]:
    told: list[int] = []
    download_from_publisher(
        Address(url), len(WEIGHTS), destination, told.append, patience=SHORT, context=context
    )
    return told


def test_a_file_is_fetched_through_a_redirect_within_the_host(site: Site, tmp_path: Path) -> None:
    site.answers = {"/w": redirect("/there"), "/there": body(WEIGHTS)}
    told = download(f"{site.url}/w", tmp_path / "w", site.trusting)
    assert (tmp_path / "w").read_bytes() == WEIGHTS
    assert told[-1] == len(WEIGHTS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (missing, "answered 503"),
        (redirect("https://elsewhere.example/w"), "redirects to another host"),
        (redirect("http://127.0.0.1/w"), "redirects to another host"),
        (redirect("https://127.0.0.1:x/w"), "redirects to another host"),
        (body(b"<html>Log in</html>", "text/html; charset=utf-8"), "answered with a web page"),
        (body(WEIGHTS[:1000], length=len(WEIGHTS)), "sent 1,000 of 8,000 bytes"),
        (body(WEIGHTS[:1000]), "sent 1,000 of 8,000 bytes"),
        (body(WEIGHTS * 1000), "sent more than the 8,000 bytes"),
        (drip, "took more than 1 s"),
        (lambda request: time.sleep(1.5), "took more than 1 s"),
        (lambda request: None, "could not be reached"),
    ],
)
def test_what_a_publisher_does_instead_is_said(
    site: Site, tmp_path: Path, answer: Answer, reason: str
) -> None:
    site.answers = {"/w": answer}
    with pytest.raises(PublisherFailed, match=reason):
        download(f"{site.url}/w", tmp_path / "w", site.trusting)


def test_a_publisher_whom_nobody_vouches_for_is_not_listened_to(site: Site, tmp_path: Path) -> None:
    site.answers = {"/w": body(WEIGHTS)}
    with pytest.raises(PublisherFailed, match="certificate that is not trusted"):
        download(f"{site.url}/w", tmp_path / "w")
    assert site.asked == []


def test_several_files_have_no_more_time_than_one(site: Site, tmp_path: Path) -> None:
    site.answers = {"/w": body(WEIGHTS)}
    with pytest.raises(PublisherFailed, match="took more than 30 s"):
        download_from_publisher(
            Address(f"{site.url}/w"),
            len(WEIGHTS),
            tmp_path / "w",
            lambda done: None,
            begun=time.monotonic() - 30,
            context=site.trusting,
        )


@contextmanager
def silent_port(listens: bool) -> Iterator[int]:
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        if listens:
            port.listen()
        yield port.getsockname()[1]
        # A handshake that is cut off while it ends would leave its socket to the next test.
        for thread in threading.enumerate():
            if thread.name == "publisher":
                thread.join(5)


@pytest.mark.parametrize(
    ("listens", "reason"),
    [(True, "did not answer within 0.5 s"), (False, "refused the connection")],
    ids=["hanging", "refusing"],
)
def test_a_publisher_that_is_not_there_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listens: bool, reason: str
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with silent_port(listens) as port, pytest.raises(PublisherFailed, match=reason):
        download(f"https://127.0.0.1:{port}/w", tmp_path / "w")


def test_a_name_that_takes_for_ever_to_look_up_does_not_take_us_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    try:
        with pytest.raises(PublisherFailed, match=r"did not answer within 0\.5 s"):
            download("https://publisher.example/w", tmp_path / "w")
    finally:
        over.set()


# Who may ask


@pytest.fixture
def pinned() -> PinnedFile:
    source = Address("https://publisher.example/w.bin", needs_permission=True)
    return PinnedFile("w.bin", len(WEIGHTS), sha256(WEIGHTS), source, "MIT", "nobody")


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | Exception]]:
    """What a publisher does, one after the other."""
    does: list[bytes | Exception] = []

    def answer(
        address: Address, size: int, destination: Path, progress: object, begun: float
    ) -> None:
        match does.pop(0):
            case bytes(content):
                destination.write_bytes(content)
            case error:
                raise error

    module = __import__(public.__module__, fromlist=["_"])
    monkeypatch.setattr(module, "download_from_publisher", answer)
    yield does
    assert does == []


def test_nobody_asks_unless_let(pinned: PinnedFile, cache: Path, publisher: list[object]) -> None:
    with pytest.raises(
        ArtifactUnavailable, match=r"is not here\. `likeness models pull`"
    ) as refused:
        fetch(pinned, Sources(cache))
    assert "LIKENESS_ARTIFACTS" in str(refused.value)
    assert not cache.exists()


def test_a_failed_try_is_remembered_until_somebody_insists(
    pinned: PinnedFile, cache: Path, publisher: list[bytes | Exception]
) -> None:
    once = Sources(cache, publisher=Publisher.UNLESS_IT_FAILED)
    publisher.append(PublisherFailed("did not answer within 5 s"))
    with pytest.raises(ArtifactUnavailable, match="its publisher did not answer within 5 s"):
        fetch(pinned, once)
    # Now nobody is asked.
    with pytest.raises(ArtifactUnavailable, match="its publisher did not answer within 5 s on 20"):
        fetch(pinned, once)
    assert not holds(once, pinned)

    publisher.append(WEIGHTS)
    path = fetch(pinned, replace(once, publisher=Publisher.ALWAYS))

    assert path.read_bytes() == WEIGHTS
    assert failed_try(cache, "publisher.example", datetime.now(UTC)) is None
    assert fetch(pinned, Sources(cache)) == path


def test_other_bytes_of_a_publisher_are_not_used(
    pinned: PinnedFile, cache: Path, publisher: list[bytes | Exception]
) -> None:
    publisher.append(WEIGHTS[:-1] + b"!")
    with pytest.raises(ArtifactUnavailable, match="sent another file than the one pinned"):
        fetch(pinned, Sources(cache, publisher=Publisher.ALWAYS))
    assert cached(pinned, cache) is None


def test_a_full_disk_is_not_held_against_the_publisher(
    pinned: PinnedFile,
    cache: Path,
    publisher: list[bytes | Exception],
) -> None:
    publisher.append(OSError(28, "No space left on device"))
    with pytest.raises(ArtifactUnavailable, match=r"No space left on device.*LIKENESS_CACHE"):
        fetch(pinned, Sources(cache, publisher=Publisher.ALWAYS))
    assert failed_try(cache, "publisher.example", datetime.now(UTC)) is None
    assert list(cache.iterdir()) == []


def test_where_nothing_can_be_written_nobody_is_asked(
    pinned: PinnedFile, tmp_path: Path, publisher: list[bytes | Exception]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArtifactUnavailable, match="Not a directory"):
        fetch(pinned, Sources(tmp_path / "file" / "cache", publisher=Publisher.ALWAYS))


# What is remembered


def test_a_failed_try_is_forgotten_after_a_day(tmp_path: Path) -> None:
    failed = FailedTry(NOON, "did not answer")
    remember(tmp_path, "a.example", failed)
    assert failed_try(tmp_path, "a.example", NOON + timedelta(hours=23)) == failed
    assert failed_try(tmp_path, "a.example", NOON + timedelta(hours=24)) is None
    assert failed_try(tmp_path, "a.example", NOON - timedelta(seconds=1)) is None
    assert failed_try(tmp_path, "b.example", NOON) is None
    forget(tmp_path, "a.example")
    assert failed_try(tmp_path, "a.example", NOON) is None
    assert str(failed) == "its publisher did not answer on 2026-01-02 at 12:00 UTC"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"at": "x"}', b'{"at": 1e99, "reason": ""}', b"\xff"]
)
def test_a_damaged_memory_is_none(tmp_path: Path, damage: bytes) -> None:
    remember(tmp_path, "a.example", FailedTry(NOON, "did not answer"))
    (path,) = (tmp_path / "failed-tries").iterdir()
    path.write_bytes(damage)
    assert failed_try(tmp_path, "a.example", NOON) is None


def test_a_cache_that_cannot_be_written_does_not_remember(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    remember(tmp_path / "file", "a.example", FailedTry(NOON, "did not answer"))
    forget(tmp_path / "file", "a.example")


# The folder of artifacts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    return folder


def test_the_folder_goes_before_the_cache(pinned: PinnedFile, cache: Path, folder: Path) -> None:
    (folder / "w.bin").write_bytes(WEIGHTS)
    sources = Sources(cache, folder)
    assert holds(sources, pinned)
    assert fetch(pinned, sources) == folder / "w.bin"
    assert not cache.exists()


def test_a_wrong_file_in_the_folder_is_never_passed_over(
    pinned: PinnedFile, cache: Path, folder: Path, publisher: list[bytes | Exception]
) -> None:
    publisher.append(WEIGHTS)
    fetch(pinned, Sources(cache, publisher=Publisher.ALWAYS))
    (folder / "w.bin").write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(ModelTampered, match=rf"w\.bin is another file: .*folder {folder}, or take"):
        fetch(pinned, Sources(cache, folder))


def test_a_missing_folder_is_said_to_be_missing(
    pinned: PinnedFile, cache: Path, folder: Path
) -> None:
    (folder / "file").touch()
    for place in (folder / "nowhere", folder / "file"):
        sources = Sources(cache, place)
        with pytest.raises(InvalidRequest, match=f"There is no artifacts folder {place}"):
            fetch(pinned, sources)
        with pytest.raises(InvalidRequest, match="There is no artifacts folder"):
            holds(sources, pinned)


def test_a_folder_that_may_not_be_read_is_said_to_be_so(
    pinned: PinnedFile, cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "w.bin").mkdir()
    with pytest.raises(ArtifactUnavailable, match=r"cannot be read or written \(Is a directory\)"):
        fetch(pinned, Sources(cache, folder))

    def forbidden(path: Path) -> bool:  # root may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", forbidden)
    with pytest.raises(
        ArtifactUnavailable, match=r"cannot be read or written \(Permission denied\)"
    ):
        holds(Sources(cache, folder), pinned)


@pytest.mark.online
@pytest.mark.parametrize("file", RETAIL_0095.files, ids=lambda file: file.name)
def test_the_better_recogniser_is_where_the_catalogue_says(file: PinnedFile, cache: Path) -> None:
    path = fetch(file, Sources(cache, publisher=Publisher.ALWAYS))
    assert path.stat().st_size == file.size
