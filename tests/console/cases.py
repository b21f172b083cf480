"""A server that keeps pictures, and cases that wait for reviewers: of faces that are discs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from likeness.app.serving import Serving
from likeness.review import Case, Found, Owed, Search, open_case, outcome_of
from likeness.service.govern.ledger import last_entries
from likeness.terms import Role
from likeness.vision.decode import inspect
from likeness.vision.draw import face_crop_jpeg
from tests.console.conftest import Pages
from tests.console.people import Person, Shown
from tests.rekognition.conftest import Running, serving_discs
from tests.rekognition.operations.discs import RED, Colour, disc

FEATURES = {"feature-eyes": "clear", "feature-ears": "partly"}
NOTE = {"suitability": "good", "remark": "a notch in the left ear", **FEATURES}
VERDICT = {
    "support": "same",
    "feature-eyes": "alike",
    "feature-nose": "not-comparable",
    "reason": "the same notch in the left ear",
}
NEARLY_RED = (214, 46, 46)


class Desk:
    """Cases of a server, and people who review them."""

    def __init__(self, running: Running, serving: Serving) -> None:
        self.pages = Pages(running, serving)
        self.home = serving.home
        self.client: Any = running.client()

    def open(
        self,
        *candidates: Colour,
        probe: Colour = RED,
        purpose: str = "missing-persons",
        by: str = "key:searcher",
        keeps_probe: bool = True,
        **owed: Any,
    ) -> Case:
        """Open a case of a search that found these, the most alike first."""
        name = f"c{uuid4().hex[:8]}"
        self.client.create_collection(CollectionId=name)
        found = [
            Found(self._enrol(name, colour), None, 99.5 - i) for i, colour in enumerate(candidates)
        ]
        crop = self._crop(disc(probe))
        now = self.home.clock()
        search = Search(
            by,
            self.home.gallery.collection(name).id,
            "SearchFacesByImage",
            purpose,
            (),
            uuid4().bytes * 2,
        )
        return self.home.database.write(
            lambda connection: open_case(
                connection,
                self.home.keyring,
                search,
                Owed(**{"reviews": 1, **owed}),
                found,
                use_id=uuid4(),
                crop_jpeg=crop if keeps_probe else None,
                now=now,
                expires_at=now + timedelta(days=30),
            )
        )

    def reviewer(self, role: Role = Role.REVIEWER) -> Person:
        """Somebody who is signed in and reviews."""
        return self.pages.person(role)

    def standings(self, case: Case) -> list[str]:
        """Where the candidates stand, in the order of their numbers."""
        outcome = self.home.database.read(lambda connection: outcome_of(connection, case))
        return [one.standing.value for one in outcome.candidates]

    def operations(self, case: Case) -> list[str]:
        """What the ledger says was done with a case, in turn."""
        entries = [one.entry for one in last_entries(self.home, 400)]
        return [one.use.operation for one in entries if str(case.id) in one.details.values()]

    def _enrol(self, name: str, colour: Colour) -> UUID:
        answer = self.client.index_faces(CollectionId=name, Image={"Bytes": disc(colour)})
        return UUID(answer["FaceRecords"][0]["Face"]["FaceId"])

    def _crop(self, picture: bytes) -> bytes:
        sample = inspect(picture)
        located = self.home.load_finder(None).locate(sample)
        return face_crop_jpeg(located.image, located.faces[0].box)


@contextmanager
def reviewing(folder: Path, shipped: Path, **chosen: object) -> Iterator[Desk]:
    """Serve a home that keeps pictures of faces."""
    with serving_discs(folder, shipped, crops="on", **chosen) as (running, serving):
        desk = Desk(running, serving)
        with desk.pages.opened:
            yield desk


def note(person: Person, case: Case, **changed: Any) -> Shown:
    """Note the features of the face that was searched for; gives what is shown then."""
    path = path_of(case)
    return person.send(person.see(path), path, {**NOTE, **changed})


def decide(person: Person, case: Case, number: int = 1, **changed: Any) -> Shown:
    """Give a verdict on a candidate; gives what is shown then."""
    path = path_of(case, number)
    return person.send(person.see(path), path, {**VERDICT, **changed})


def path_of(case: Case, *more: object) -> str:
    """The path of a case's page."""
    return "/".join(["/console/review", str(case.id), *(str(one) for one in more)])


def pictures_of(shown: Shown) -> int:
    """How many pictures a page shows."""
    return shown.html.count("data:image/jpeg;base64,")
