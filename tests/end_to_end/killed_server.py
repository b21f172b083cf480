"""The program that test_killed_server.py kills: a server of discs, which says where it is."""

from multiprocessing.connection import Connection
from pathlib import Path

from likeness.app.serving import Serving
from likeness.config import Settings
from likeness.server import HttpServer, Place
from tests.cli.conftest import InstallationWithDiscs


def run(home: Path, shipped: Path, port: int, said: Connection) -> None:
    """Serve a home until it is killed; say where, and the key that the first start makes."""
    InstallationWithDiscs.shipped = shipped
    settings = Settings(home=home, cache=home / "cache", crops="on")
    with (
        HttpServer(Place(port=port), stop_within_s=10) as server,
        Serving(InstallationWithDiscs(settings)) as serving,
    ):
        first = serving.ensure_first_key()
        said.send((server.url, first and (first.access_key_id, first.secret)))
        server.run(serving.router, serving.refuse_malformed)
