"""Debian's PostgreSQL, started for the tests in a folder of its own and gone with them."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

_INSTALLED = Path("/usr/lib/postgresql")
_START_S = 60.0
_INITDB_OPTIONS = (
    "--username=likeness",
    "--auth=trust",
    "--no-locale",
    "--encoding=UTF8",
    "--no-sync",
)
# No port; and nothing has to outlive a power cut.
_SERVER_OPTIONS = ("-c", "listen_addresses=", "-c", "fsync=off")


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """A server on a Unix socket; gives the URL of its database `postgres`."""
    # It refuses to run as root; Debian's package makes a user for it.
    owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
    # Not pytest's folder: that is closed to other users, and its path too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="likeness-pg-"))
    try:
        if owner == "postgres":
            account = pwd.getpwnam(owner)
            os.chown(folder, account.pw_uid, account.pw_gid)
            become = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        else:
            become = []
        # The server ends with us, even if we are killed.
        run_as = ["setpriv", *become, "--pdeathsig=INT", "--"]
        data, log = folder / "data", folder / "log"
        subprocess.run(
            [*run_as, programs / "initdb", f"--pgdata={data}", *_INITDB_OPTIONS],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*run_as, programs / "postgres", "-D", data, "-k", folder, *_SERVER_OPTIONS],
                stdout=output,
                stderr=output,
                cwd=folder,
            )
        try:
            url = f"postgresql://likeness@/postgres?host={folder}"
            _wait_for(server, url, log)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(_START_S)
    finally:
        shutil.rmtree(folder)


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    import psycopg

    until = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of the database `postgres` of a server, for tests marked `services`."""
    pytest.importorskip("psycopg", reason="needs psycopg, which is not installed")
    versions = sorted(_INSTALLED.glob("*/bin"), key=lambda path: int(path.parent.name))
    if not versions:
        pytest.skip(f"needs Debian's package postgresql, and there is none in {_INSTALLED}")
    with running_server(versions[-1]) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of an empty database on the server."""
    import psycopg

    database = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    return postgresql_server.replace("/postgres?", f"/{database}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'likeness.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url
