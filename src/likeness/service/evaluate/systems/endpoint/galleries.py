"""Enrols pictures in a collection of our own, and searches for others in it.

Faces are known to the endpoint by their pictures' ids. IndexFaces with an id that is there already
keeps one face, at AWS and at Likeness; and whom a killed run enrolled without learning of it is
found by ListFaces, so that nothing is enrolled twice.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import Fault, InvalidRequest
from likeness.service.evaluate.systems.endpoint import answers, collections
from likeness.service.evaluate.systems.endpoint.asking import Asker, Call, Progress, reason_of
from likeness.service.evaluate.systems.endpoint.client import Unanswered, Unusable
from likeness.service.evaluate.systems.endpoint.journal import Entry, Key
from likeness.service.evaluate.systems.endpoint.sendable import Pictures
from likeness.service.evaluate.systems.endpoint.work import CallsLeft

MOST_CANDIDATES = 4096
"""The longest list that Rekognition gives."""
_PAGE = 4096
_NONE = np.empty((0, 2))

_logger = logging.getLogger(__name__)


class Gallery:
    """The pictures `ids`, each once, as one collection of an endpoint, and who is searched for.

    A search lists `depth` candidates at most.
    """

    def __init__(
        self,
        asker: Asker,
        pictures: Pictures,
        ids: Sequence[str],
        probes: Sequence[str],
        depth: int,
    ) -> None:
        self._asker, self._pictures = asker, pictures
        self.ids, self.probes = tuple(ids), tuple(probes)
        self._depth = depth
        self._numbers = {one: number for number, one in enumerate(self.ids)}
        self.fingerprint = hashlib.sha256("\n".join(self.ids).encode()).hexdigest()[:32]
        known = collections.collection_of(asker, self.fingerprint)
        self._name, self._state = known or ("", collections.DELETED)

    def find(self) -> None:
        """Look whether the collection that an earlier run left is still there, and who is in it.

        Raises:
            LikenessError: nothing can be asked.
        """
        if not self.collections() or all(self._search(one) is not None for one in self.probes):
            return
        if collections.is_there(self._asker, self._name):
            self._adopt()
        else:
            self._state = collections.DELETED

    def collections(self) -> Sequence[str]:
        """Name the collection that an earlier run left, if it did."""
        return (self._name,) if self._state == collections.MADE else ()

    def left(self) -> CallsLeft:
        """Count how many pictures are left to enrol and to search for."""
        search = sum(self._search(one) is None for one in self.probes)
        enrol = sum(not self._is_enrolled(one) for one in self.ids) if search else 0
        answered = len(self.ids) + len(self.probes) - enrol - search
        return CallsLeft({"IndexFaces": enrol, "SearchFacesByImage": search}, answered)

    def ask(self, progress: Progress, workers: int) -> Sequence[str]:
        """Enrol and search what is left, and delete the collection.

        Raises:
            LikenessError: nothing more can be asked; the collection stays for the next run.
        """
        left = self.left()
        progress.skip(left.answered)
        if any(left.calls.values()):
            if not self.collections():
                self._make()
            calls = map(self._indexing, self.ids)
            proven = next((one for one in calls if "faces" in (self._asker.known(one) or {})), None)
            to_enrol = (one for one in self.ids if not self._is_enrolled(one))
            self._asker.each(progress.over(to_enrol), self._enrol, workers, proven)
            to_search = (one for one in self.probes if self._search(one) is None)
            self._asker.each(progress.over(to_search), self._look_for, workers, None)
        if self._state == collections.DELETED:
            return ()
        problem = collections.delete_collection(self._asker, self._name, self.fingerprint)
        if problem is None:
            return ()
        return (f"The collection {self._name} could not be deleted ({problem}). Delete it.",)

    def failures(self) -> Mapping[str, str]:
        """Give the pictures that could not be enrolled or searched for, and why."""
        reasons = (
            *((one, self.enrolment_failure(one)) for one in self.ids),
            *((one, self._search_failure(one)) for one in self.probes),
        )
        return {one: reason for one, reason in reversed(reasons) if reason is not None}

    def seconds(self) -> Iterator[tuple[str, float]]:
        """Give pictures with how long it took to enrol them, or to search for them."""
        calls = (
            *((one, self._indexing(one)) for one in self.ids),
            *((one, self._searching(one)) for one in self.probes),
        )
        known = ((one, self._asker.known(call) or {}) for one, call in calls)
        return ((one, entry["s"]) for one, entry in known if "s" in entry)

    def call_keys(self) -> Iterator[Key]:
        """Give the keys of all calls."""
        yield from (self._indexing(one).key for one in self.ids)
        yield from (self._searching(one).key for one in self.probes)

    def enrolment_failure(self, picture: str) -> str | None:
        """Give why a picture is not in the gallery; None where it is."""
        return self._pictures.unsendable(picture) or reason_of(
            self._asker.known(self._indexing(picture))
        )

    def candidates(self, picture: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Give numbers in `ids` and similarities of those that a picture was found alike."""
        found = (self._search(picture) or {}).get("found", _NONE)
        if len(found) and found[:, 0].max() >= len(self.ids):
            raise InvalidRequest(
                f"The journal {str(self._asker.journal.path)!r} names candidates whom nobody"
                " enrolled. Delete it; all is asked again."
            )
        return found[:, 0].astype(np.intp), found[:, 1]

    def _search_failure(self, picture: str) -> str | None:
        return self._pictures.unsendable(picture) or reason_of(self._search(picture))

    def _make(self) -> None:
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
