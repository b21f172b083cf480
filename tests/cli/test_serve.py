"""`likeness serve`, from its first key to its end, in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from likeness.cli.terminal.exit_codes import ExitCode
from tests.certificates import make_certificate

from .conftest import Outcome

pytestmark = pytest.mark.slow

_REPOSITORY = Path(__file__).parents[2]
_WITH_DISCS = """
import signal
import sys
from pathlib import Path
from likeness.cli import installation as cli_installation
from likeness.cli.terminal import command
from tests.cli.conftest import InstallationWithDiscs
InstallationWithDiscs.shipped = Path(sys.argv.pop(1))
cli_installation.Installation = InstallationWithDiscs
# Whoever runs tests in the background of a script has it ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
command.main()
"""


@contextmanager
def server(home: Path, standards: Path, *options: object) -> Iterator[Any]:
    """The command, until the test is over."""
    environment = {
        **os.environ,
        "LIKENESS_HOME": str(home),
        "LIKENESS_CACHE": str(home),
        "PYTHONPATH": os.pathsep.join([str(_REPOSITORY / "src"), str(_REPOSITORY)]),
    }
    command = [sys.executable, "-c", _WITH_DISCS, standards, "serve", "--port=0", *options]
    with subprocess.Popen(
        [str(part) for part in command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def introduction(process: Any) -> dict[str, str]:
    """Read what is printed until the address."""
    lines = ""
    while "ENDPOINT_URL" not in lines:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        lines += line
    return dict(re.findall(r"(AWS_\w+)=(\S+)", lines))


def client(introduced: dict[str, str], **more: Any) -> Any:
    return boto3.client(
        "rekognition",
        endpoint_url=introduced["AWS_ENDPOINT_URL_REKOGNITION"],
        aws_access_key_id=introduced["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=introduced["AWS_SECRET_ACCESS_KEY"],
        region_name="eu-west-1",
        **more,
    )


def test_the_first_start_prints_a_key_once_and_the_end_is_calm(
    tmp_path: Path, standards: Path
) -> None:
    with server(tmp_path, standards) as process:
        introduced = introduction(process)
        client(introduced).create_collection(CollectionId="staff-of-somebody")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == ExitCode.DONE
        assert process.stdout.read() == ""
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert [line["operation"] for line in lines] == ["CreateCollection"]
    assert "somebody" not in str(lines)
    with server(tmp_path, standards) as process:
        again = introduction(process)
        assert "AWS_SECRET_ACCESS_KEY" not in again
        listed = client({**introduced, **again}).list_collections()
        assert listed["CollectionIds"] == ["staff-of-somebody"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == ExitCode.INTERRUPTED


def test_nobody_who_has_not_asked_yet_holds_the_end_up(tmp_path: Path, standards: Path) -> None:
    with server(tmp_path, standards) as process:
        url = introduction(process)["AWS_ENDPOINT_URL_REKOGNITION"]
        place = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(place), socket.create_connection(place) as stranger:
            stranger.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
            urllib.request.urlopen(f"{url}/healthz").read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == ExitCode.DONE
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert {line["level"] for line in lines} == {"info"}


def test_health_readiness_and_measures_need_no_key(tmp_path: Path, standards: Path) -> None:
    with server(tmp_path, standards) as process:
        url = introduction(process)["AWS_ENDPOINT_URL_REKOGNITION"]
        assert json.load(urllib.request.urlopen(f"{url}/healthz")) == {"alive": True}
        assert json.load(urllib.request.urlopen(f"{url}/readyz")) == {"ready": True}
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            assert b'likeness_requests_inside{lane="pictures"} 0.0' in answer.read()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path)


def test_it_speaks_tls(tmp_path: Path, standards: Path, certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    with server(tmp_path, standards, "--tls-cert", chain, "--tls-key", key) as process:
        introduced = introduction(process)
        assert introduced["AWS_ENDPOINT_URL_REKOGNITION"].startswith("https://127.0.0.1:")
        assert client(introduced, verify=str(chain)).list_collections()["CollectionIds"] == []


def test_one_of_certificate_and_key_is_not_enough(
    likeness: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = likeness("serve", "--tls-cert", tmp_path / "cert.pem")
    assert (outcome.code, outcome.out) == (ExitCode.USED_WRONGLY, "")
    assert outcome.err.count("\n") == 1
    assert "--tls-cert and --tls-key" in outcome.err


def test_beyond_loopback_it_refuses_to_start_in_the_clear(likeness: Callable[..., Outcome]) -> None:
    outcome = likeness("serve", "--host", "0.0.0.0")
    assert outcome.code == ExitCode.USED_WRONGLY
    assert outcome.err.count("\n") == 1
    assert "--behind-proxy" in outcome.err
