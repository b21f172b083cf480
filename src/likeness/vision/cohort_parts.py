"""A cohort made of the very people who are then compared: in parts, so that none meet themselves.

Whoever is averaged into a cohort scores high with their own averages, and so would be turned away
far more often than others. So the people are dealt into three parts, with a cohort of each. A
template is held against all three, and the part where it scores highest does not count: that is
where its own person is, if anywhere. docs/changing-models.md has the figures.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, ModelTampered
from likeness.vision.cohort import Cohort, crowds

_PARTS = 3
# With fewer, scores are less even, and less telling, than with the shipped cohort.
FEWEST_PEOPLE_IN_PARTS = 500


# Without slots: a version is kept once it is made.
@dataclass(frozen=True, eq=False)
class CohortInParts:
    """Cohorts of one model, no person in two of them; see `Cohort` for what each is."""

    parts: tuple[Cohort, ...]

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], model: str, made_from: str, seed: int
    ) -> "CohortInParts":
        """Make one of (n, d) unit templates of n different people.

        Raises:
            InvalidRequest: there are too few people.
        """
        if len(vectors) < FEWEST_PEOPLE_IN_PARTS:
            raise InvalidRequest(
                f"a cohort of one's own people needs {FEWEST_PEOPLE_IN_PARTS} of them, there are"
                f" {len(vectors)}: enrol more, or stay with the cohort of the model"
            )
        order = np.random.default_rng(seed).permutation(len(vectors))
        dealt = [vectors[order[part::_PARTS]] for part in range(_PARTS)]
        return cls(tuple(Cohort.of(crowds(one[None], seed), model, made_from) for one in dealt))

    @cached_property
    def version(self) -> str:
        """A digest of everything that normalised scores depend on: twelve hexadecimal digits."""
        versions = ",".join(part.version for part in self.parts)
        return hashlib.sha256(versions.encode()).hexdigest()[:12]

    def statistics(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Say where (m, d) unit templates stand: the mean and the deviation to normalise by, (m,).

        Both are means over the parts but the one whose mean is highest.
        """
        every = [part.statistics(vectors) for part in self.parts]
        means = np.stack([mean for mean, _ in every])
        deviations = np.stack([deviation for _, deviation in every])
        counted = np.argsort(means, axis=0, kind="stable")[:-1]
        return (
            np.take_along_axis(means, counted, axis=0).mean(axis=0),
            np.take_along_axis(deviations, counted, axis=0).mean(axis=0),
        )

    def as_bytes(self) -> bytes:
        """Give what `from_bytes` reads."""
        content = io.BytesIO()
        parts = [np.frombuffer(part.as_bytes(), np.uint8) for part in self.parts]
        np.savez(content, *parts)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "CohortInParts":
        """Read what `as_bytes` gave.

        Raises:
            ModelTampered: the bytes are no such cohort, or not as they were written.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                parts = [archive[name].tobytes() for name in _names(archive.files)]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelTampered(
                f"a collection's cohort was expected and what was kept is none ({error}): make it"
                " again with `likeness collections cohort`"
            ) from error
        return cls(tuple(Cohort.from_bytes(part) for part in parts))


def _names(found: Sequence[str]) -> list[str]:
    names = [f"arr_{part}" for part in range(_PARTS)]
    if sorted(found) != names:
        raise ValueError(f"{_PARTS} parts were expected, {len(found)} came")
    return names
