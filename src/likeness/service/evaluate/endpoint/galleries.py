"""Enrols pictures in a collection of our own, and searches for others in it.

Faces are known to the endpoint by their pictures' ids. IndexFaces with an id that is there already
keeps one face, at AWS and at Likeness; and whom a killed run enrolled without learning of it is
found by ListFaces, so that nothing is enrolled twice.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from likeness.errors import Fault
from likeness.service.evaluate.endpoint import answers, collections
from likeness.service.evaluate.endpoint.asking import Asker, Call, Progress, reason_of
from likeness.service.evaluate.endpoint.client import Unanswered, Unusable
from likeness.service.evaluate.endpoint.journal import Entry, Key
from likeness.service.evaluate.endpoint.sendable import Pictures

MOST_CANDIDATES = 4096
"""The longest list that Rekognition gives."""
_PAGE = 4096

_logger = logging.getLogger(__name__)


class Gallery:
    """The pictures `ids`, each once, as one collection of an endpoint."""

    def __init__(self, asker: Asker, pictures: Pictures, ids: Sequence[str], depth: int) -> None:
        self._asker, self._pictures = asker, pictures
        self.ids = tuple(ids)
        self._depth = depth
        self._numbers = {one: number for number, one in enumerate(self.ids)}
        self.fingerprint = hashlib.sha256("\n".join(self.ids).encode()).hexdigest()[:32]
        known = collections.collection_of(asker, self.fingerprint)
        self._name, self._state = known or ("", collections.DELETED)

    @property
    def collection(self) -> str | None:
        """The name of the collection that an earlier run left, if it did."""
        return self._name if self._state == collections.MADE else None

    def find(self, probes: Sequence[str]) -> None:
        """Look whether the collection that an earlier run left is still there, and who is in it.

        Raises:
            LikenessError: nothing can be asked.
        """
        if self.collection is None or all(self._search(one) is not None for one in probes):
            return
        if collections.is_there(self._asker, self._name):
            self._adopt()
        else:
            self._state = collections.DELETED

    def calls(self, probes: Sequence[str]) -> tuple[int, int]:
        """Count how many pictures are left to enrol and to search for."""
        searches = sum(self._search(one) is None for one in probes)
        if not searches:
            return 0, 0
        return sum(not self._is_enrolled(one) for one in self.ids), searches

    def ask(self, probes: Sequence[str], progress: Progress, workers: int) -> str | None:
        """Enrol and search what is left, and delete the collection.

        Gives what is wrong where the collection cannot be deleted, else None.

        Raises:
            LikenessError: nothing more can be asked; the collection stays for the next run.
        """
        enrol, search = self.calls(probes)
        progress.skip(len(self.ids) + len(probes) - enrol - search)
        if search:
            self._prepare()
            left = (one for one in self.ids if not self._is_enrolled(one))
            calls = map(self._indexing, self.ids)
            proven = next((one for one in calls if "faces" in (self._asker.known(one) or {})), None)
            self._asker.each(progress.over(left), self._enrol, workers, proven)
            left = (one for one in probes if self._search(one) is None)
            self._asker.each(progress.over(left), self._look_for, workers, None)
        if self._state == collections.DELETED:
            return None
        problem = collections.delete_collection(self._asker, self._name, self.fingerprint)
        return problem and f"The collection {self._name} could not be deleted ({problem})."

    def enrolment_failure(self, picture: str) -> str | None:
        """Give why a picture is not in the gallery; None where it is."""
        return self._pictures.unsendable(picture) or reason_of(
            self._asker.known(self._indexing(picture))
        )

    def search_failure(self, picture: str) -> str | None:
        """Give why there is no search with a picture; None where there is one."""
        return self._pictures.unsendable(picture) or reason_of(self._search(picture))

    def candidates(self, picture: str) -> Sequence[tuple[int, float]]:
        """Give numbers in `ids` and similarities of those that a picture was found alike."""
        return [(number, score) for number, score in (self._search(picture) or {}).get("found", ())]

    def keys(self, probes: Sequence[str]) -> Iterator[Key]:
        """Give the keys of all calls."""
        yield from (self._indexing(one).key for one in self.ids)
        yield from (self._searching(one).key for one in probes)

    def seconds(self, probe: str) -> float | None:
        """Give how long the search with a picture took."""
        return (self._search(probe) or {}).get("s")

    def enrolment_seconds(self, picture: str) -> float | None:
        """Give how long it took to enrol a picture."""
        return (self._asker.known(self._indexing(picture)) or {}).get("s")

    def _prepare(self) -> None:
        """Have a collection: the one that an earlier run left, or a new one."""
        if self.collection is not None:
            return
        try:
            self._name = collections.make_collection(self._asker, self.fingerprint)
        except (Unusable, Unanswered) as error:
            raise Fault(
                f"{self._asker.client.name} makes no collection ({error}). Compare pairs instead,"
                " or check what the credentials may do."
            ) from error
        self._state = collections.MADE

    def _adopt(self) -> None:
        """Learn of faces whose enrolment was on its way when a run was killed."""
        if all(map(self._is_enrolled, self.ids)):
            return
        page: dict[str, Any] = {"CollectionId": self._name, "MaxResults": _PAGE}
        seen: set[str] = set()
        try:
            while True:
                body = self._asker.client.call("ListFaces", **page).body
                for picture in answers.listed(body):
                    if picture in self._numbers and not self._is_enrolled(picture):
                        self._asker.journal.append(self._indexing(picture).key, {"faces": 1})
                token = body.get("NextToken")
                if not isinstance(token, str) or token in seen:
                    return
                seen.add(token)
                page["NextToken"] = token
        except (Unusable, Unanswered) as error:
            # They are enrolled again, which keeps one face.
            _logger.warning("faces of %s cannot be listed: %s", self._name, error)

    def _enrol(self, picture: str) -> None:
        self._asker.answer(self._indexing(picture))

    def _look_for(self, picture: str) -> None:
        self._asker.answer(self._searching(picture))

    def _is_enrolled(self, picture: str) -> bool:
        """Say whether its enrolment was answered, if only with a reason why not."""
        return bool(self._name) and (
            self._state != collections.DELETED
            and self._asker.known(self._indexing(picture)) is not None
        )

    def _search(self, picture: str) -> Entry | None:
        return self._asker.known(self._searching(picture))

    def _indexing(self, picture: str) -> Call:
        return Call(
            "IndexFaces",
            ("IndexFaces", self._name, picture),
            lambda: {
                "CollectionId": self._name,
                "Image": {"Bytes": self._pictures.bytes_of(picture)},
                "ExternalImageId": picture,
                "MaxFaces": 1,
                "QualityFilter": "NONE",
            },
            answers.indexed,
        )

    def _searching(self, picture: str) -> Call:
        return Call(
            "SearchFacesByImage",
            ("SearchFacesByImage", self.fingerprint, str(self._depth), picture),
            lambda: {
                "CollectionId": self._name,
                "Image": {"Bytes": self._pictures.bytes_of(picture)},
                "MaxFaces": self._depth,
                "FaceMatchThreshold": 0.0,
                "QualityFilter": "NONE",
            },
            lambda body: answers.found(body, self._numbers, self._depth),
        )
