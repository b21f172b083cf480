"""Pictures of people who are discs of a colour, and homes whose networks see them."""

import colorsys
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from likeness.app.home import open_home
from likeness.config import Settings
from likeness.gallery import NewReference
from likeness.service.enrol.collections import create_collection
from likeness.service.enrol.enrol import Demands, Enroller
from likeness.service.enrol.sources import NamedPicture, read_source
from likeness.service.uses import Home
from likeness.service.uses.caller import Caller
from likeness.service.uses.record import Record
from likeness.terms import Action, CohortStatistics, Principal, Role, Template, Use
from tests.cli.conftest import InstallationWithDiscs
from tests.gallery.galleries import create, face
from tests.service.unrecorded import UnrecordedDesk
from tests.vision.foremost import foremost_template

RED, GREEN, BLUE = (220, 40, 40), (40, 200, 60), (50, 70, 230)
Colour = tuple[int, int, int]


def colour(number: int) -> Colour:
    """A strong colour of its own for each number below 100."""
    r, g, b = colorsys.hsv_to_rgb(number / 100, 0.9, 0.9)
    return round(255 * r), round(255 * g), round(255 * b)


def draw(path: Path, *colours: Colour, side: int = 96, grain: float = 25.0) -> Path:
    """Draw a picture with a disc of each colour, side by side; without grain it looks blurred."""
    pixels = np.full((side, side * max(1, len(colours)), 3), 128.0)
    noise = np.random.default_rng(3).normal(0, grain, (side, side, 3))
    for place, colour in enumerate(colours):
        disc = np.zeros((side, side), np.uint8)
        cv2.circle(disc, (side // 2, side // 2), side // 3, 255, -1)
        part = pixels[:, side * place : side * (place + 1)]
        part[disc > 0] = (np.array(colour) + noise)[disc > 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels.clip(0, 255).astype(np.uint8)[..., ::-1])
    return path


def with_bystander(path: Path, radius_px: int) -> Path:
    """Draw somebody red, 65 px wide, and a smaller disc in blue in the corner beside them."""
    draw(path, RED, (128, 128, 128))
    pixels = cv2.imread(str(path))
    cv2.circle(pixels, (160, 32), radius_px, BLUE[::-1], -1)
    cv2.imwrite(str(path), pixels)
    return path


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody list a folder: its mode does not stop whoever runs tests as root."""

    def refusing(listed: Callable[..., Any]) -> Callable[..., Any]:
        def list_it(path: Any = ".") -> Any:
            if Path(path) == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return listed(path)

        return list_it

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(os, "listdir", refusing(os.listdir))


def crowd(folder: Path, count: int) -> list[NamedPicture]:
    """Draw a picture each of `count` people, and list them."""
    for number in range(count):
        draw(folder / f"person {number:02}.png", colour(number))
    return read_source(folder)


@contextmanager
def home_at(folder: Path, url: str, standards: Path, **chosen: Any) -> Iterator[Home]:
    """Open the home in a folder, whose standards are those of discs."""
    InstallationWithDiscs.shipped = standards
    settings = Settings(
        home=folder / "home", cache=folder / "cache", database=SecretStr(url), **chosen
    )
    with open_home(InstallationWithDiscs(settings)) as home:
        yield home


def make(home: Home, collection: str = "staff") -> None:
    """Make an empty collection of the home's model."""
    made = home.templates_of(None)
    create(
        home.gallery,
        collection,
        model=made.model,
        dimensions=made.dimensions,
        cohort_version=made.cohort_version,
    )


def make_on_record(home: Home, collection: str = "staff") -> None:
    """Make one as its door does: another process finds the entry that it has."""
    create_collection(home, Caller(home.somebody, "CreateCollection"), collection)


def person(home: Home, seed: int, subject: str | None = None) -> NewReference:
    """A face to enrol, whose template is drawn: of a person of their own for each seed."""
    drawn = np.random.default_rng(seed).normal(size=128)
    vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    standards, model = home.standards, home.templates_of(None).model
    cohort = standards.cohort(model)
    (mean,) = cohort.means(vector[None]).tolist()
    return NewReference(
        Template(vector, model, CohortStatistics(mean, cohort.version)),
        face(),
        hashlib.sha256(b"%d" % seed).digest(),
        (640, 480),
        subject,
    )


def no_record(home: Home) -> Record:
    """The record of a use that nobody records."""
    use = Use(Principal("local:test", Role.ADMIN), Action.ENROL, "test")
    with UnrecordedDesk(home.database).record(use) as record:
        return record


def enroller(home: Home, collection: str = "staff", **demands: bool) -> Enroller:
    caller = Caller(home.somebody, "enrol")
    return Enroller(home, caller, collection, Demands(**demands), workers=2)


def template_of(home: Home, path: Path) -> Template:
    return foremost_template(home.load_finder(None), path)
