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

from likeness.storage import migrate, open_database
from tests.copied_schema import become_another_installation

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
_ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.services))


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
            # At once: nothing is written that would be deleted with the folder.
            server.send_signal(signal.SIGQUIT)
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


@pytest.fixture(scope="session")
def postgresql_schema(postgresql_server: str) -> str:
    """The name of a database with the schema, to copy."""
    database = "likeness_schema"
    _create(postgresql_server, database)
    with open_database(_url_of(postgresql_server, database)) as opened:
        migrate(opened)
    return database


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of an empty database on the server."""
    database = f"test_{uuid4().hex}"
    _create(postgresql_server, database)
    return _url_of(postgresql_server, database)


@pytest.fixture(params=_ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'likeness.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(params=_ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that `migrate` makes at once, on each engine: of a copied schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'likeness.db'}"
    server: str = request.getfixturevalue("postgresql_server")
    database = f"test_{uuid4().hex}"
    _create(server, database, like=request.getfixturevalue("postgresql_schema"))
    url = _url_of(server, database)
    with open_database(url) as opened:
        opened.write(become_another_installation)
    return url


def _create(server: str, database: str, like: str = "template1") -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database} TEMPLATE {like}")


def _url_of(server: str, database: str) -> str:
    return server.replace("/postgres?", f"/{database}?")
