"""Turn chips into templates."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelMismatch
from likeness.terms import CohortStatistics, Image, Template
from likeness.vision.align import ChipLayout, Chips, cut_chips
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.networks.session import Session

# Chips computed at a time: enough to fill the processor, few enough to stay in its caches.
_BATCH_CHIPS = 48


class Embedder:
    """Turns faces into vectors with one network.

    `model` names everything that a vector depends on: recogniser, detector, alignment, chips.
    """

    def __init__(self, network: Session, layout: ChipLayout, chips: Chips, model: str) -> None:
        self._network = network
        self.layout = layout
        self.chips = chips
        self.model = model

    def vectors(self, image: Image, landmarks_xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed n > 0 faces, given (n, 5, 2) landmarks in the full frame: (n, d) of length one.

        The chips' features are averaged, then brought to length one.
        """
        features = np.concatenate(
            [
                self._network.run(chips.reshape(-1, *chips.shape[2:]))[0]
                .reshape(len(chips), self.chips.count, -1)
                .mean(axis=1)
                for chips in self._batches(image, landmarks_xy)
            ]
        )
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / lengths, np.float32)

    def _batches(
        self, image: Image, landmarks_xy: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        faces = max(1, _BATCH_CHIPS // self.chips.count)
        for start in range(0, len(landmarks_xy), faces):
            yield cut_chips(image, landmarks_xy[start : start + faces], self.layout, self.chips)


class Recogniser:
    """Makes templates: an embedder's vectors, evened out against a cohort of its model."""

    def __init__(self, embedder: Embedder, cohort: Cohort) -> None:
        if cohort.model != embedder.model:
            raise ModelMismatch(
                f"This cohort is of {cohort.model}, not of {embedder.model}. Make one with"
                " `likeness models cohort`."
            )
        self._embedder = embedder
        self.cohort = cohort
        self.model = embedder.model
        self.cohort_version = cohort.version

    def embed(self, image: Image, landmarks_xy: NDArray[np.float32]) -> list[Template]:
        """Make a template of every face, from its (n, 5, 2) landmarks in the full frame."""
        if not len(landmarks_xy):
            return []
        vectors = self._embedder.vectors(image, landmarks_xy)
        means = self.cohort.means(vectors).tolist()
        return [
            Template(vector, self.model, CohortStatistics(mean, self.cohort_version))
            for vector, mean in zip(vectors, means, strict=True)
        ]
