"""Cohorts: other people's templates, blurred into crowds, that even scores out.

Where faces crowd together in a model's space, because the model tells them apart badly, strangers
score high and a raw score counts for less. How high a template scores against a fixed cohort of
strangers says how crowded its place is, and nobody's group has to be guessed. The method is
adaptive symmetric score normalisation (Cumani et al., Interspeech 2011; Matejka et al., Interspeech
2017); a cohort here holds averages of people and never one person's template (microaggregation,
Domingo-Ferrer and Mateo-Sanz 2002). docs/evenness.md has the formulas and what was tried.
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
from likeness.vision.whole_files import write_whole

# One average is of CROWD people, all with equal shares, drawn from a person's NEIGHBOURS nearest.
CROWD = 10
NEIGHBOURS = 16
FEWEST_PEOPLE = 100
# No average may score with any of its people further above what strangers score with that person
# than this many deviations: a second picture of the person does so by 7 (the median on LFW).
HIGHEST_LIKENESS = 3.5

_CROWDS_PER_PERSON = 2
_DRAWS = 20
_STRANGERS = 20
# Of the cohort's vectors, those that a template is compared with closely.
_NEAREST_SHARE = 0.015
_FEWEST_NEAREST = 10
# How far a template's own mean and deviation are followed, where 1 is wholly and 0 takes the
# typical ones: what evens best. Averages blur how places differ, so means are followed further.
_MEAN_FOLLOWED = 1.03
_DEVIATION_FOLLOWED = 0.85
_SMALLEST_DEVIATION = 1e-4
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
    these usually are, `typical_deviation` how far they usually spread.
    """

    vectors: NDArray[np.float32]
    model: str
    made_from: str
    nearest: int
    typical_mean: float
    typical_deviation: float

    @classmethod
    def of(cls, vectors: NDArray[np.float32], model: str, made_from: str) -> "Cohort":
        """Make a cohort of the (n, d) averages that `crowds` draws."""
        # What is kept on disk is what is used, so that a version means the same everywhere.
        vectors = vectors.astype(np.float16).astype(np.float32)
        nearest = min(max(_FEWEST_NEAREST, round(_NEAREST_SHARE * len(vectors))), len(vectors) - 1)
        # As if they were templates; the highest score of each is the one with itself.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        means, deviations = _mean_and_deviation(units, vectors, nearest, skip_highest=True)
        typical = (round(float(np.median(each)), 6) for each in (means, deviations))
        return cls(vectors, model, made_from, nearest, *typical)

    @cached_property
    def version(self) -> str:
        """A digest of everything that normalised scores depend on: twelve hexadecimal digits."""
        digest = hashlib.sha256(json.dumps(self._facts(), sort_keys=True).encode())
        digest.update(self.vectors.astype("<f2").tobytes())
        return digest.hexdigest()[:12]

    def statistics(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Say where (m, d) unit templates stand: the mean and the deviation to normalise by, (m,).

        They are those of a template's highest scores, followed by as much as evens best: from the
        typical mean by 1.03 times the difference, and s^0.85 (typical s)^0.15 for a deviation s.
        """
        means, deviations = _mean_and_deviation(vectors, self.vectors, self.nearest)
        means = self.typical_mean + _MEAN_FOLLOWED * (means - self.typical_mean)
        own = np.maximum(deviations, _SMALLEST_DEVIATION) ** _DEVIATION_FOLLOWED
        typical = max(self.typical_deviation, _SMALLEST_DEVIATION) ** (1 - _DEVIATION_FOLLOWED)
        return np.asarray(means, np.float32), np.asarray(own * typical, np.float32)

    def as_bytes(self) -> bytes:
        """Give what `from_bytes` reads: a NumPy archive without pickles."""
        facts = json.dumps({**self._facts(), "version": self.version})
        content = io.BytesIO()
        np.savez_compressed(content, vectors=self.vectors.astype("<f2"), facts=np.array(facts))
        return content.getvalue()

    def save(self, path: Path) -> None:
        """Write the cohort in one step.

        Raises:
            ArtifactUnavailable: the folder cannot be written.
        """
        write_whole(path, self.as_bytes())

    @classmethod
    def load(cls, path: Path) -> "Cohort":
        """Read a cohort that `save` wrote.

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
                cohort = cls(
                    archive["vectors"].astype(np.float32),
                    facts["model"],
                    facts["made_from"],
                    facts["nearest"],
                    facts["typical_mean"],
                    facts["typical_deviation"],
                )
            found, expected = cohort.version, facts["version"]
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
                f"{place} was expected to hold cohort {expected}; its content is {found}: delete it"
                " and make it again with `likeness models cohort`"
            )
        return cohort

    def _facts(self) -> dict[str, str | int | float]:
        return {
            "model": self.model,
            "made_from": self.made_from,
            "nearest": self.nearest,
            "typical_mean": self.typical_mean,
            "typical_deviation": self.typical_deviation,
            "mean_followed": _MEAN_FOLLOWED,
            "deviation_followed": _DEVIATION_FOLLOWED,
        }


def crowds(views: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Average people with those who look most like them, so that no average is of anybody.

    Args:
        views: (v, n, d) unit templates of n different people, each from the same v views: the
            pictures as they are first, then any harder ones (`harder_views`). Neighbours are those
            of the first view, and an average is of the same people in every view.
        seed: makes the draw repeatable.

    Returns:
        About (2 v n, d) float32, each the plain mean of ten people: it is not brought to length
        one, so its score with anybody is the mean of ten people's. An average that would still
        score too high with one of its people is drawn again, and left out in the end.

    Raises:
        InvalidRequest: there are too few people to hide in.
    """
    people = views.shape[1]
    if people < FEWEST_PEOPLE:
        raise InvalidRequest(
            f"a cohort needs pictures of at least {FEWEST_PEOPLE} people, one each; there are"
            f" {people}: add more, or stay with the cohort that is shipped"
        )
    draws = np.random.default_rng(seed)
    scores = views[0] @ views[0].T
    np.fill_diagonal(scores, np.inf)  # everybody is in their own neighbourhood
    neighbours = np.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]
    limits = np.stack([_highest_allowed(view) for view in views])
    drawn = []
    waiting = np.repeat(np.arange(people), _CROWDS_PER_PERSON)
    for _ in range(_DRAWS):
        order = draws.random((len(waiting), NEIGHBOURS))
        order[:, 0] = -1.0  # whoever the neighbourhood is of always takes part
        chosen = np.argsort(order, axis=1)[:, :CROWD]
        members = np.take_along_axis(neighbours[waiting], chosen, axis=1)
        averages = views[:, members].mean(axis=2)
        fit = (averages @ views.transpose(0, 2, 1) <= limits[:, None]).all(axis=(0, 2))
        drawn.append(averages[:, fit])
        waiting = waiting[~fit]
        if not len(waiting):
            break
    return np.concatenate(drawn, axis=1).reshape(-1, views.shape[2]).astype(np.float32)


def _unreadable(place: str, error: Exception) -> ModelTampered:
    return ModelTampered(
        f"{place} was expected to hold a cohort and cannot be read ({error}): delete it and make it"
        " again with `likeness models cohort`"
    )


def _highest_allowed(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say what an average may score at most with each of (n, d) people: (n,)."""
    means, deviations = _mean_and_deviation(templates, templates, _STRANGERS, skip_highest=True)
    return np.asarray(means + HIGHEST_LIKENESS * deviations, np.float32)


def _mean_and_deviation(
    vectors: NDArray[np.float32],
    against: NDArray[np.float32],
    nearest: int,
    skip_highest: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation, (m,) each, of the highest scores of (m, d) vectors against (n, d)."""
    means, deviations = np.empty((2, len(vectors)), np.float32)
    kept = nearest + skip_highest
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        # Not a matrix product: threads that it wakes spin for 25 ms after each, waiting for more.
        scores = np.einsum("md,nd->mn", vectors[rows], against)
        highest = np.partition(scores, -kept, axis=1)[:, -kept:]
        if skip_highest:
            highest = np.sort(highest, axis=1)[:, :-1]
        means[rows] = highest.mean(axis=1)
        deviations[rows] = highest.std(axis=1)
    return means, deviations
