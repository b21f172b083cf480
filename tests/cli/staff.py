"""People in a collection `staff` of the home that the command line's tests use."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from likeness.app.home import open_home, open_rows
from likeness.config import read_settings
from likeness.gallery import NewReference
from likeness.service.uses import Home, Rows
from likeness.vision.decode import read_sample
from tests.gallery.galleries import enrol
from tests.ledger.recording import done, record
from tests.vision.foremost import foremost_face

from .conftest import GREEN, RED, InstallationWithDiscs, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@contextmanager
def home() -> Iterator[Home]:
    """Open the home that the command uses."""
    with open_home(InstallationWithDiscs(read_settings())) as opened:
        yield opened


def make_home() -> None:
    """Make the home that the command uses, with nothing in it."""
    with open_rows(InstallationWithDiscs(read_settings())):
        pass


def begin_ledger(rows: Rows) -> None:
    """Leave an entry, as whatever makes something in a home does."""
    record(rows.database, rows.ledger, done())


def employ(likeness: Command, picture: Make, *options: object) -> None:
    """Make `staff` of Rosa, in two pictures, and of Greta, whose name is markup and an escape.

    The commands run once for all tests with the same settings, which get copies of what they made.
    """
    picture("people/Rosa/one.png", RED)
    picture("people/Rosa/two.png", RED, side=170)
    folder = picture("people/[bold]Greta.png", GREEN).parent
    home_folder = Path(os.environ["LIKENESS_HOME"])
    if home_folder.exists() or {*folder.parent.iterdir()} - {folder}:
        _employ(likeness, folder, *options)
        return
    key = sha256(repr((options, _settings())).encode()).hexdigest()
    made = folder.parents[1] / f"staff-{key}"  # beside the folders of all tests
    if made.exists():
        shutil.copytree(made, folder.parent, dirs_exist_ok=True)
        return
    _employ(likeness, folder, *options)
    shutil.copytree(folder.parent, made)


def _employ(likeness: Command, folder: Path, *options: object) -> None:
    assert likeness("collections", "create", "staff", *options).code == 0
    assert likeness("enrol", "--collection", "staff", "--any-quality", folder).code == 0


def _settings() -> list[object]:
    places = {"LIKENESS_HOME", "LIKENESS_CACHE"}
    chosen = {name: value for name, value in os.environ.items() if name.startswith("LIKENESS_")}
    return [
        sorted((name, value) for name, value in chosen.items() if name not in places),
        sorted(InstallationWithDiscs.missing_parts),
    ]


def enrol_unnamed(path: Path, expires_at: datetime | None = None) -> UUID:
    """Enrol a picture into `staff` as nobody's."""
    with home() as opened:
        sample = read_sample(path)
        face, template = foremost_face(opened.load_finder(None), path)
        digest = sha256(sample.data).digest()
        size = (sample.width, sample.height)
        new = NewReference(template, face, digest, size, expires_at=expires_at)
        return enrol(opened.gallery, "staff", [new])[0].id


def enable_rules(likeness: Command, folder: Path, rules: str) -> None:
    """Put rules of one's own in force, which lie in a folder."""
    facts = {"title": "Ours", "jurisdiction": "everywhere", "status": "ours", "version": "1"}
    facts |= {"source": "the house", "reading": "A test."}
    text = "".join(f'{name} = "{value}"\n' for name, value in facts.items())
    (folder / "house.toml").write_text(f"{text}effective = 2020-01-01\n")
    (folder / "house.cedar").write_text(rules)
    outcome = likeness("policy", "enable", folder / "house.cedar")
    assert (outcome.code, outcome.err) == (0, "")
