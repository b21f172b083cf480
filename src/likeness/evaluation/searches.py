"""Searches of a gallery, and their error rates: FPIR, FNIR and hit rates (ISO/IEC 19795-1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """p searches of one gallery; higher scores are more alike.

    `probes` is (p,) int32, numbers of samples; `mated` (p,) bool is whether the probe's subject is
    enrolled. `mate_scores` is (p,), that of the best mate within the list, minus infinity where
    there is none, or no template; `mate_ranks` (p,) int32 is its rank from 1, counted after every
    non-mate of the same score, 0 for none. `other_scores` is (p,), the best non-mate's, minus
    infinity for none. `gallery` is how many references were searched (N), `subjects` of how many
    people, `depth` how long candidate lists are (L).
    """

    probes: NDArray[np.int32]
    mated: NDArray[np.bool_]
    mate_scores: NDArray[np.floating]
    mate_ranks: NDArray[np.int32]
    other_scores: NDArray[np.floating]
    gallery: int
    subjects: int
    depth: int

    def __len__(self) -> int:
        """Count them."""
        return len(self.probes)
