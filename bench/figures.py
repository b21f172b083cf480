"""Every figure, in the order in which they are measured: quick ones first."""

from bench import (
    accountability,
    batching,
    bulk_enrolment,
    chips,
    cold_start,
    deepface_pairs,
    detection,
    evenness,
    fused_subjects,
    gallery_growth,
    gallery_index,
    largest_face,
    ledger,
    lfw,
    likelihood,
    photographs,
    serving,
    soak,
)
from bench.figure import Figure

FIGURES: tuple[Figure, ...] = (
    *cold_start.FIGURES,
    *chips.FIGURES,
    *photographs.FIGURES,
    *detection.FIGURES,
    *likelihood.FIGURES,
    *largest_face.FIGURES,
    *deepface_pairs.FIGURES,
    *evenness.FIGURES,
    *lfw.FIGURES,
    *fused_subjects.FIGURES,
    *bulk_enrolment.FIGURES,
    *ledger.FIGURES,
    *accountability.FIGURES,
    *batching.FIGURES,
    *serving.FIGURES,
    *soak.FIGURES,
    *gallery_index.FIGURES,
    *gallery_growth.FIGURES,
)
