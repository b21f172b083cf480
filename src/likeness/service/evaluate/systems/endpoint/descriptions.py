"""Has faces described by DetectFaces: what an endpoint says of their sex and age."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint import answers
from likeness.service.evaluate.systems.endpoint.asking import Asker, Call, Progress, reason_of
from likeness.service.evaluate.systems.endpoint.journal import Entry, Key
from likeness.service.evaluate.systems.endpoint.sendable import Pictures
from likeness.service.evaluate.systems.endpoint.work import CallsLeft


@dataclass(frozen=True, slots=True)
class FaceDescription:
    """What an endpoint says of the largest face of a picture.

    `gender` is its own word, empty where it says none, and `gender_confidence` is percent.
    `youngest` and `oldest` are years. `failure` says why there is no face.
    """

    gender: str = ""
    gender_confidence: float | None = None
    youngest: float | None = None
    oldest: float | None = None
    failure: str = ""


# So many pictures are tried first, and so many faces tell whether sex or age is ever said.
_TRIED_FIRST, _TELLING = 20, 10


class FaceDescriptions:
    """Pictures by their ids, to be described by one endpoint."""

    def __init__(self, asker: Asker, pictures: Pictures, ids: Sequence[str]) -> None:
        self._asker, self._pictures = asker, pictures
        self.ids = tuple(dict.fromkeys(ids))

    def find(self) -> None:
        """Descriptions leave nothing at an endpoint."""

    def collections(self) -> Sequence[str]:
        """Name none."""
        return ()

    def left(self) -> CallsLeft:
        """Count pictures."""
        left = sum(self._known(one) is None for one in self.ids)
        return CallsLeft({"DetectFaces": left}, len(self.ids) - left)

    def ask(self, progress: Progress, workers: int) -> Sequence[str]:
        """Ask what is left; the first few alone, lest all be paid for and nothing be said.

        Raises:
            InvalidRequest: of the first few faces neither sex nor age is said.
            LikenessError: nothing more can be asked.
        """
        for some in (self.ids[:_TRIED_FIRST], self.ids[_TRIED_FIRST:]):
            left = (one for one in progress.over(some) if self._known(one) is None)
            proven = next(map(self._call, self._described()), None)
            self._asker.each(left, lambda one: self._asker.answer(self._call(one)), workers, proven)
            self._require_something_said()
        return ()

    def _described(self) -> Iterator[str]:
        return (one for one in self.ids if "faces" in (self._known(one) or {}))

    def _require_something_said(self) -> None:
        said = [self.of(one) for one in self._described()]
        faces = [one for one in said if not one.failure]
        if len(faces) >= _TELLING and not any(
            one.gender or one.youngest is not None for one in faces
        ):
            raise InvalidRequest(
                f"The endpoint found faces in {len(faces)} pictures and said nothing of anybody's"
                " sex or age, so there is nothing to judge. The other pictures were not sent."
            )

    def failures(self) -> Mapping[str, str]:
        """Give the pictures that have no description, and why."""
        reasons = ((one, reason_of(self._known(one))) for one in self.ids)
        return {one: reason for one, reason in reasons if reason is not None}

    def seconds(self) -> Iterator[tuple[str, float]]:
        """Give pictures with how long it took to describe them."""
        known = ((one, self._known(one) or {}) for one in self.ids)
        return ((one, entry["s"]) for one, entry in known if "s" in entry)

    def call_keys(self) -> Iterator[Key]:
        """Give the keys of all calls."""
        return (self._call(one).key for one in self.ids)

    def of(self, picture: str) -> FaceDescription:
        """Give what was said of a picture that was asked about."""
        entry = self._known(picture) or {}
        if failure := reason_of(entry):
            return FaceDescription(failure=failure)
        youngest, oldest = entry.get("age") or (None, None)
        return FaceDescription(
            entry.get("gender", ""), entry.get("gender_confidence"), youngest, oldest
        )

    def _known(self, picture: str) -> Entry | None:
        return self._asker.known(self._call(picture))

    def _call(self, picture: str) -> Call:
        return Call(
            "DetectFaces",
            ("DetectFaces", "ALL", picture),
            lambda: {
                "Image": {"Bytes": self._pictures.bytes_of(picture)},
                "Attributes": ["ALL"],
            },
            answers.described,
        )
