"""Compares pairs of pictures by CompareFaces, and finds out which of two an endpoint cannot use."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from likeness.service.evaluate.systems.endpoint import answers, collections
from likeness.service.evaluate.systems.endpoint.asking import Asker, Call, Progress, reason_of
from likeness.service.evaluate.systems.endpoint.journal import Entry, Key
from likeness.service.evaluate.systems.endpoint.sendable import Pictures
from likeness.service.evaluate.systems.endpoint.work import CallsLeft

Pair = tuple[str, str]


class PairComparison:
    """Pairs of the ids of pictures, reference first, of one endpoint."""

    def __init__(self, asker: Asker, pictures: Pictures, pairs: Sequence[Pair]) -> None:
        self._asker, self._pictures = asker, pictures
        self._pairs = list(dict.fromkeys(pairs))

    def find(self) -> None:
        """Pairs leave nothing at an endpoint."""

    def collections(self) -> Sequence[str]:
        """Name none."""
        return ()

    def left(self) -> CallsLeft:
        """Count pairs; as many probes may come as there are pictures that may fail."""
        left = [
            pair
            for pair in self._pairs
            if self.answer(pair) is None and not any(map(self.failure_of, pair))
        ]
        unsure = {one for pair in left for one in pair if self._probe(one) is None}
        return CallsLeft({"CompareFaces": len(left)}, len(self._pairs) - len(left), len(unsure))

    def ask(self, progress: Progress, workers: int) -> Sequence[str]:
        """Ask what is left, and before and after it which model it is.

        Raises:
            LikenessError: nothing more can be asked.
        """
        left = (pair for pair in progress.over(self._pairs) if self._is_left(pair))
        answered = (pair for pair in self._pairs if "score" in (self.answer(pair) or {}))
        proven = next(map(self._call, answered), None)
        asks = any(self.left().calls.values())
        if asks:
            collections.note_version(self._asker)
        self._asker.each(left, self._compare, workers, proven)
        if asks:
            collections.note_version(self._asker)
        return ()

    def failures(self) -> Mapping[str, str]:
        """Give the pictures that the endpoint cannot use, and why."""
        pictures = dict.fromkeys(one for pair in self._pairs for one in pair)
        reasons = ((one, self.failure_of(one)) for one in pictures)
        return {one: reason for one, reason in reasons if reason is not None}

    def seconds(self) -> Iterator[tuple[str, float]]:
        """Give probes with how long each comparison took."""
        known = ((pair, self.answer(pair) or {}) for pair in self._pairs)
        return ((pair[1], answer["s"]) for pair, answer in known if "s" in answer)

    def answer(self, pair: Pair) -> Entry | None:
        """Give what is known of a pair; None where one of it failed before it was asked."""
        return self._asker.known(self._call(pair))

    def failure_of(self, picture: str) -> str | None:
        """Give why the endpoint has no face of a picture; None where it has, or nobody asked."""
        if (unsendable := self._pictures.unsendable(picture)) is not None:
            return unsendable
        if (probe := self._probe(picture)) is None:
            return None
        return reason_of(probe) or (None if probe.get("faces") else answers.NO_FACE)

    def call_keys(self) -> Iterator[Key]:
        """Give the keys of all pairs."""
        return (self._call(pair).key for pair in self._pairs)

    def _is_left(self, pair: Pair) -> bool:
        if any(map(self.failure_of, pair)):
            return False
        answer = self.answer(pair)
        # Of a run that was killed before it found out whose fault it was, that is left.
        return answer is None or reason_of(answer) is not None

    def _compare(self, pair: Pair) -> None:
        if any(map(self.failure_of, pair)):
            return
        answer = self._asker.answer(self._call(pair))
        if reason_of(answer) and not any(map(self._pictures.unsendable, pair)):
            for picture in pair:
                self._asker.answer(self._probing(picture))

    def _probe(self, picture: str) -> Entry | None:
        return self._asker.known(self._probing(picture))

    def _call(self, pair: Pair) -> Call:
        def request() -> Mapping[str, Any]:
            source, target = map(self._pictures.bytes_of, pair)
            return {
                "SourceImage": {"Bytes": source},
                "TargetImage": {"Bytes": target},
                "SimilarityThreshold": 0.0,
                "QualityFilter": "NONE",
            }

        return Call("CompareFaces", ("CompareFaces", *pair), request, answers.compared)

    def _probing(self, picture: str) -> Call:
        return Call(
            "DetectFaces",
            ("DetectFaces", picture),
            lambda: {"Image": {"Bytes": self._pictures.bytes_of(picture)}},
            answers.detected,
        )
