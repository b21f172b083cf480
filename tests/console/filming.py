"""Clips of people who are discs, a collection that knows one of them, and jobs to wait for."""

from pathlib import Path

from likeness.service.enrol.collections import create_collection
from likeness.service.enrol.sources import read_source
from likeness.service.uses import Caller, Home
from tests.console.people import Person, Shown
from tests.service.people import BLUE, RED, draw, enroller
from tests.video.discs import Disc, clip_of_discs

_LONGEST_S = 120.0


def film(folder: Path, seconds: float = 3.0) -> Path:
    """Make a clip of Rosa (red), and of a stranger (blue) who comes a second later."""
    path = folder / "street.mp4"
    seen = [
        Disc(RED, 0.0, seconds - 0.5, (60, 80), (240, 80)),
        Disc(BLUE, 1.0, seconds, (240, 180), (80, 180)),
    ]
    clip_of_discs(path, seen, seconds=seconds)
    return path


def employ(home: Home, folder: Path, collection: str, name: str = "Rosa") -> None:
    """Enrol somebody who is red into a collection."""
    create_collection(home, Caller(home.somebody, "CreateCollection"), collection)
    draw(folder / f"{name}/one.png", RED)
    list(enroller(home, collection, any_quality=True).enrol(read_source(folder)))


def sent(person: Person, clip: bytes, called: str = "street.mp4", **fields: str) -> Shown:
    """Send a clip with its form, as a browser without scripts does, and begin a job."""
    page = person.see("/console/video")
    return person.send(page, "/console/video", fields, {"file": (called, clip)})


def done(person: Person, shown: Shown) -> Shown:
    """Listen until the job of a page has ended, and see the page then."""
    if "/cancel" in shown.html:
        person.client.get(f"{shown.path}/progress", timeout=_LONGEST_S)
        shown = person.see(shown.path)
        assert "/cancel" not in shown.html, "the job does not end"
    return shown
