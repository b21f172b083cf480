"""The program that test_enrol_kill.py kills: it enrols, and says what was told as enrolled."""

from multiprocessing.connection import Connection
from pathlib import Path

from likeness.service import enrol
from likeness.service.enrol_source import read_source
from tests.service.people import enroller, home_at


def run(folder: Path, url: str, standards: Path, collection: str, said: Connection) -> None:
    """Enrol the people in `folder / "people"`; say each as (place, id of the reference)."""
    enrol._BATCH = 4
    with home_at(folder, url, standards) as home:
        said.send(None)
        for result in enroller(home, collection).enrol(read_source(folder / "people")):
            said.send((result.picture.place, result.reference_id))
