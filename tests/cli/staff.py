"""People in a collection `staff` of the home that the command line's tests use."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from likeness.app import Workload
from likeness.app.home import Home
from likeness.config import read_settings
from likeness.gallery import NewReference
from likeness.vision.decode import read_sample

from .conftest import GREEN, RED, InstallationWithDiscs, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@contextmanager
def home() -> Iterator[Home]:
    """Open the home that the command uses."""
    with Home(InstallationWithDiscs(read_settings())) as opened:
        yield opened


def employ(likeness: Command, picture: Make, *options: object) -> None:
    """Make `staff` of Rosa, in two pictures, and of Greta, whose name is markup and an escape."""
    picture("people/Rosa/one.png", RED)
    picture("people/Rosa/two.png", RED, side=170)
    folder = picture("people/[bold]Greta.png", GREEN).parent
    assert likeness("collections", "create", "staff", *options).code == 0
    assert likeness("enrol", "--collection", "staff", "--any-quality", folder).code == 0


def enrol_unnamed(path: Path, expires_at: datetime | None = None) -> UUID:
    """Enrol a picture into `staff` as nobody's."""
    with home() as opened:
        sample = read_sample(path)
        engine = opened.installation.engine(Workload.ONE)
        face, template = opened.installation.finder(engine).largest_face(sample)
        sha256 = hashlib.sha256(sample.data).digest()
        size = (sample.width, sample.height)
        new = NewReference(template, face, sha256, size, expires_at=expires_at)
        return opened.gallery.enrol("staff", [new])[0].id
