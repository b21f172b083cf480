"""Cohorts: other people's templates, blurred into crowds, that even scores out.

Where faces crowd together in a model's space, because the model tells them apart badly, strangers
score high and a raw score counts for less. How high a template scores against a fixed cohort of
strangers says how crowded its place is, and nobody's group has to be guessed. Scores are relative
distances (`terms.template.relative_score`); a cohort here holds averages of people and never one
person's template (microaggregation, Domingo-Ferrer and Mateo-Sanz 2002). docs/evenness.md has the
formulas and what was tried.
"""

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, ModelTampered

# One average is of CROWD people, all with equal shares, drawn from a person's NEIGHBOURS nearest.
CROWD = 10
NEIGHBOURS = 16
FEWEST_PEOPLE = 100
# No average may score with any of its people further above what strangers score with that person
# than this many deviations: a second picture of the person does so by 7 (the median on LFW).
HIGHEST_LIKENESS = 3.5

# Names the formulas below in every version: scores of two methods never meet.
METHOD = "rd1"
_CROWDS_PER_PERSON = 8
_DRAWS = 20
_STRANGERS = 20
# Of the cohort's vectors, those that a template is compared with closely.
_NEAREST_SHARE = 1 / 18
_FEWEST_NEAREST = 10
# How far a template's own mean is followed, where 1 is wholly and 0 takes the typical one. Averages
# blur how places differ, so it is followed further.
_FOLLOWED = 1.2
_ROWS_AT_ONCE = 256
# A few bytes can be packed that fill all memory.
MOST_UNPACKED_BYTES = 1 << 30


# Without slots: a version is kept once it is made.
@dataclass(frozen=True, eq=False)
class Cohort:
    """What templates of one model are held against before they are compared.

    `vectors` is (n, d) float32, averages of unit templates and so a little shorter than one.
    `model` names the model that made the templates, `made_from` says of whose pictures and under
    what terms. `nearest` is how many of a template's highest scores count, `typical_mean` how high
    these usually are.
    """

    vectors: NDArray[np.float32]
    model: str
    made_from: str
    nearest: int
    typical_mean: float

    @classmethod
    def of(cls, vectors: NDArray[np.float32], model: str, made_from: str) -> "Cohort":
        """Make a cohort of the (n, d) averages that `crowds` draws."""
        # What is kept on disk is what is used, so that a version means the same everywhere.
        vectors = vectors.astype(np.float16).astype(np.float32)
        nearest = min(max(_FEWEST_NEAREST, round(_NEAREST_SHARE * len(vectors))), len(vectors) - 1)
        # As if they were templates; the highest score of each is the one with itself.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        means = _highest(units, vectors, nearest + 1)[:, 1:].mean(axis=1)
        return cls(vectors, model, made_from, nearest, round(float(np.median(means)), 6))

    @cached_property
    def version(self) -> str:
        """The method, and a digest of all that scores depend on: twelve hexadecimal digits."""
        return f"{METHOD}-{_digest(self._facts(), self.vectors)}"

    @property
    def followed(self) -> float:
        """How far a change in a template's mean is followed; `means` has done so."""
        return _FOLLOWED

    def means(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Say how crowded the places of (m, d) unit templates are, (m,).

        It is the mean of a template's highest scores, followed from the typical one by 1.2 times
        the difference.
        """
        means = _highest(vectors, self.vectors, self.nearest).mean(axis=1, dtype=np.float64)
        return np.asarray(self.typical_mean + _FOLLOWED * (means - self.typical_mean), np.float64)

    def highest(self, vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Give the `count` highest scores of (m, d) unit templates: (m, count), descending."""
        return _highest(vectors, self.vectors, min(count, len(self.vectors)))

    def as_bytes(self) -> bytes:
        """Give what `from_bytes` reads: a NumPy archive without pickles."""
        facts = json.dumps({**self._facts(), "version": self.version})
        content = io.BytesIO()
        np.savez_compressed(content, vectors=self.vectors.astype("<f2"), facts=np.array(facts))
        return content.getvalue()

    @classmethod
    def load(cls, path: Path) -> "Cohort":
        """Read a cohort whose `as_bytes` were written.

        Raises:
            ModelTampered: the file is not one, or not as it was written.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(str(path), error) from error
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, place: str = "what was kept") -> "Cohort":
        """Read what `as_bytes` gave; `place` says in errors where it lay.

        Raises:
            ModelTampered: the bytes are no cohort, or not as they were written.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                if sum(part.file_size for part in archive.zip.infolist()) > MOST_UNPACKED_BYTES:
                    raise ValueError(f"it is larger than {MOST_UNPACKED_BYTES >> 20} MiB")
                facts = json.loads(str(archive["facts"]))
                vectors = archive["vectors"].astype(np.float32)
                expected = facts.pop("version")
                found = _digest(facts, vectors)
            if facts.get("method") == METHOD:
                places = ("model", "made_from", "nearest", "typical_mean")
                cohort = cls(vectors, *(facts[place] for place in places))
                found = cohort.version
            else:  # of an older Likeness: its averages serve as well
                cohort = cls.of(vectors, facts["model"], facts["made_from"])
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise _unreadable(place, error) from error
        if found != expected:
            raise ModelTampered(
                f"{place} holds cohort {found}, not {expected}. Delete it and make it again with"
                " `likeness models cohort`."
            )
        return cohort

    def _facts(self) -> dict[str, str | int | float]:
        return {
            "model": self.model,
            "made_from": self.made_from,
            "method": METHOD,
            "nearest": self.nearest,
            "typical_mean": self.typical_mean,
            "followed": _FOLLOWED,
        }


def crowds(templates: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Average people with those who look most like them, so that no average is of anybody.

    Args:
        templates: (n, d), of length one, of n different people.
        seed: makes the draw repeatable.

    Returns:
        About (8 n, d) float32, each the plain mean of ten people: it is not brought to length one,
        so its score with anybody is the mean of ten people's. An average that would still score
        too high with one of its people is drawn again, and left out in the end.

    Raises:
        InvalidRequest: there are too few people to hide in.
    """
    people = len(templates)
    if people < FEWEST_PEOPLE:
        raise InvalidRequest(
            f"Too few people for a cohort: {people}, one picture each, of at least {FEWEST_PEOPLE}."
            " Add more, or stay with the cohort that is shipped."
        )
    draws = np.random.default_rng(seed)
    scores = templates @ templates.T
    np.fill_diagonal(scores, np.inf)  # everybody is in their own neighbourhood
    neighbours = np.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]
    limits = _highest_allowed(templates)
    drawn = []
    waiting = np.repeat(np.arange(people), _CROWDS_PER_PERSON)
    for _ in range(_DRAWS):
        order = draws.random((len(waiting), NEIGHBOURS))
        order[:, 0] = -1.0  # whoever the neighbourhood is of always takes part
        chosen = np.argsort(order, axis=1)[:, :CROWD]
        members = np.take_along_axis(neighbours[waiting], chosen, axis=1)
        averages = templates[members].mean(axis=1)
        fit = (averages @ templates.T <= limits).all(axis=1)
        drawn.append(averages[fit])
        waiting = waiting[~fit]
        if not len(waiting):
            break
    return np.concatenate(drawn).astype(np.float32)


def _unreadable(place: str, error: Exception) -> ModelTampered:
    return ModelTampered(
        f"Not a cohort: {place} ({error}). Delete it and make it again with `likeness models"
        " cohort`."
    )


def _highest_allowed(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say what an average may score at most with each of (n, d) people: (n,)."""
    strangers = _highest(templates, templates, _STRANGERS + 1)[:, 1:]
    return np.asarray(strangers.mean(axis=1) + HIGHEST_LIKENESS * strangers.std(axis=1), np.float32)


def _digest(facts: dict[str, str | int | float], vectors: NDArray[np.float32]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(vectors.astype("<f2").tobytes())
    return digest.hexdigest()[:12]


def _highest(
    vectors: NDArray[np.float32], against: NDArray[np.float32], count: int
) -> NDArray[np.float32]:
    """Give the `count` highest scores of (m, d) vectors against (n, d): (m, count), descending."""
    highest = np.empty((len(vectors), count), np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        # Not a matrix product: threads that it wakes spin for 25 ms after each, waiting for more.
        scores = np.einsum("md,nd->mn", vectors[rows], against)
        highest[rows] = -np.sort(-np.partition(scores, -count, axis=1)[:, -count:], axis=1)
    return highest
