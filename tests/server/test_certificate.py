"""A certificate that is renewed while the server runs, and what is none."""

import logging
import os
import pty
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from likeness.server import Certificate
from likeness.server.certificate import Shown
from tests.certificates import make_certificate

SERVER = """
import sys
from pathlib import Path
from starlette.responses import PlainTextResponse
from likeness.server import Certificate, HttpServer, Place, log_json_lines
log_json_lines()
certificate = Certificate(Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) > 1 else None
with HttpServer(Place(port=0, certificate=certificate), 5) as server:
    print(server.url, flush=True)
    server.run(PlainTextResponse("done"))
print("closed", flush=True)
"""


@pytest.fixture
def pair(tmp_path: Path) -> Certificate:
    return Certificate(*make_certificate(tmp_path))


@pytest.fixture
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(*make_certificate(tmp_path_factory.mktemp("renewed")))


def replace(pair: Certificate, by: Certificate) -> None:
    shutil.copy(by.chain, pair.chain)
    shutil.copy(by.key, pair.key)


def lock_key(pair: Certificate, by: Certificate) -> None:
    key = serialization.load_pem_private_key(by.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    replace(pair, by)
    pair.key.write_bytes(locked)


BAD: dict[str, Callable[[Certificate, Certificate], object]] = {
    "gone": lambda pair, by: pair.chain.unlink(),
    "empty": lambda pair, by: pair.chain.write_bytes(b""),
    "half": lambda pair, by: pair.chain.write_bytes(by.chain.read_bytes()[:200]),
    "another's key": lambda pair, by: shutil.copy(by.key, pair.key),
    "another's chain": lambda pair, by: shutil.copy(by.chain, pair.chain),
    "a folder": lambda pair, by: (pair.key.unlink(), pair.key.mkdir()),
    "a password": lock_key,
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_what_is_no_certificate_is_said_and_the_old_one_goes_on(
    pair: Certificate,
    renewed: Certificate,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Certificate, Certificate], object],
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    shown = Shown(pair)
    before = shown.context
    spoil(pair, renewed)
    shown.read_anew()
    assert shown.context is before
    (said,) = caplog.messages
    assert "the old one goes on" in said
    assert "\n" not in said


def test_a_renewed_certificate_is_shown(pair: Certificate, renewed: Certificate) -> None:
    shown = Shown(pair)
    before = shown.context
    replace(pair, renewed)
    shown.read_anew()
    assert shown.context is not before


@pytest.fixture
def served(pair: Certificate) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", SERVER, str(pair.chain), str(pair.key)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def shown_at(port: int) -> bytes:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=20).encode()


@pytest.mark.slow
def test_sighup_reads_the_certificate_anew_and_ends_nothing(
    served: "subprocess.Popen[str]", pair: Certificate, renewed: Certificate
) -> None:
    assert served.stdout is not None
    assert served.stderr is not None
    port = int(served.stdout.readline().strip().rpartition(":")[2])
    first = shown_at(port)
    assert first.strip() == pair.chain.read_bytes().strip()
    context = ssl.create_default_context(cafile=pair.chain)
    with context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="127.0.0.1"
    ) as kept:
        replace(pair, renewed)
        os.kill(served.pid, signal.SIGHUP)
        assert "read anew" in served.stderr.readline()
        assert shown_at(port).strip() == renewed.chain.read_bytes().strip()
        pair.key.write_bytes(b"no key")
        os.kill(served.pid, signal.SIGHUP)
        assert "the old one goes on" in served.stderr.readline()
        assert shown_at(port).strip() == renewed.chain.read_bytes().strip()
        kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(1000).startswith(b"HTTP/1.1 200 ")
    served.terminate()
    assert served.stdout.read() == "closed\n"
    assert served.wait(20) == 0


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True], ids=["plain", "nohup"])
def test_a_terminal_that_is_closed_ends_the_server_calmly(ignored: bool) -> None:
    end, other_end = os.pipe()
    said = f"import os; os.write({other_end}, b'closed')"
    program = SERVER.replace('print("closed", flush=True)', said)
    process, terminal = pty.fork()
    if not process:
        os.set_inheritable(other_end, True)
        if ignored:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, "-c", program])
    os.close(other_end)
    try:
        lines = os.fdopen(terminal, "rb", buffering=0)
        url = lines.readline().decode().strip()
        assert urllib.request.urlopen(url, timeout=20).read() == b"done"
        os.kill(process, signal.SIGHUP)
        assert b"there is none" in lines.readline()
        lines.close()
        if ignored:
            assert select.select([end], [], [], 0.3)[0] == []
            os.kill(process, signal.SIGTERM)
        assert os.read(end, 100) == b"closed"
        assert os.waitpid(process, 0)[1] == 0
    finally:
        os.close(end)
