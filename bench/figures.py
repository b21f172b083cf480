"""Every figure, in the order in which they are measured: quick ones first."""

from bench import (
    bulk_enrolment,
    chips,
    cold_start,
    deepface_pairs,
    detection,
    evenness,
    gallery_index,
    lfw,
    photographs,
)
from bench.figure import Figure

FIGURES: tuple[Figure, ...] = (
    *cold_start.FIGURES,
    *chips.FIGURES,
    *photographs.FIGURES,
    *detection.FIGURES,
    *deepface_pairs.FIGURES,
    *evenness.FIGURES,
    *lfw.FIGURES,
    *bulk_enrolment.FIGURES,
    *gallery_index.FIGURES,
)
