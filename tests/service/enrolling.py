"""Programs that are killed while they enrol."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from likeness.service.enrol import enrol
from likeness.service.enrol.sources import read_source
from tests.service.people import enroller, home_at


def run(folder: Path, url: str, standards: Path, collection: str, said: Connection) -> None:
    """Enrol the people in `folder / "people"`; say each as (place, id of the reference)."""
    enrol._BATCH = 4
    with home_at(folder, url, standards) as home:
        said.send(None)
        for result in enroller(home, collection).enrol(read_source(folder / "people")):
            said.send((result.picture.place, result.reference_id))


def run_until_commit(folder: Path, url: str, standards: Path) -> None:
    """Enrol the people in `folder / "people"`; end as by kill -9 before anything is committed."""

    class Killed(enrol.Enroller):
        def _committed(self, *_: object) -> list[enrol.Result]:
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("killed")

    with home_at(folder, url, standards) as home:
        killed = enroller(home)
        killed.__class__ = Killed
        list(killed.enrol(read_source(folder / "people")))
