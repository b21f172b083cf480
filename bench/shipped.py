"""Make what is shipped with the recognisers: cohorts of averages, and what scores mean.

    python -m bench.shipped             # all of it
    python -m bench.shipped --figures   # audits, what cards say, and rates of groups

Cohorts are made of FairFace's sample (CC BY 4.0), ten people in every average. Calibrations are
tables of rates: *any* strangers are those of LFW View 1, *alike* ones are the pairs of utk_balanced
of one sex, race and age band, without people who are there twice. None holds anybody's template.
Audits are of LFW View 1, utk_balanced and fairface540 (`bench.audited`).
"""

import gzip
import json
import sys

import numpy as np

from bench import audited, evenness, lfw
from bench.embedded import Scores
from bench.evenness import DLIB, RETAIL
from bench.lfw import Mask
from bench.model_figures import figures_of
from bench.workplace import REPOSITORY, data, settings
from likeness.app import Installation, Workload
from likeness.evaluation import DECADES, UPPER_95, PairScores, StrangerScores, groups_of, misses_of
from likeness.service.evaluate.findings import to_json
from likeness.service.models.cohort import make_cohort
from likeness.terms import Calibration

SHIPPED = REPOSITORY / "src" / "likeness" / "vision" / "cohorts" / "shipped"
_MADE_FROM = (
    "540 people of a FairFace sample (K. Karkkainen and J. Joo, WACV 2021, CC BY 4.0; changed:"
    " averaged, ten people each)"
)
_ANY = "LFW deep-funneled, View 1, label errors left out"
_ALIKE = "UTKFace, 990 crops: pairs of one sex, race and age band, repeated people left out"


def main() -> None:
    """Make everything anew, in place of what is there."""
    for recogniser in (RETAIL, DLIB):
        if "--figures" in sys.argv:
            continue
        model = _cohort(recogniser)
        for older in SHIPPED.glob(f"{model}.*.calibration.json"):
            older.unlink()
        calibration = _calibration(recogniser)
        path = SHIPPED / f"{model}.{calibration.cohort_version}.calibration.json"
        path.write_text(json.dumps(calibration.as_json(), indent=1) + "\n")
        print(f"{path.name}: down to {calibration.lowest_fmr:.2g}", flush=True)
    for recogniser in (RETAIL, DLIB):
        _figures(recogniser)


def _figures(recogniser: str) -> None:
    """Audit a recogniser by its standards, and write what its card says of it."""
    standards = Installation(settings(recogniser=recogniser)).standards
    model = next(SHIPPED.glob(f"{recogniser}@*.cohort.npz")).name.removesuffix(".cohort.npz")
    known = standards.calibration(model, standards.cohort(model).version)
    measured = audited.measured_groups(recogniser, known)
    name = f"{model}.{known.cohort_version}.groups.json"
    (SHIPPED / name).write_text(json.dumps(measured.as_json(), indent=1) + "\n")
    print(f"{name}: {len(measured.groups)} groups", flush=True)
    reports = dict(audited.reports_of(recogniser, known))
    for which, report in reports.items():
        path = SHIPPED / f"{model}.{which}.report.json.gz"
        # Without the moment of packing, the same report is the same file.
        path.write_bytes(gzip.compress(to_json(report), mtime=0))
        print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)
    path = SHIPPED / f"{model}.figures.json"
    path.write_text(json.dumps(figures_of(recogniser, reports).as_json(), indent=1) + "\n")
    print(path.name, flush=True)


def _cohort(recogniser: str) -> str:
    installation = Installation(settings(recogniser=recogniser))
    engine = installation.engine(Workload.MANY)
    made = make_cohort(
        data("fairface540"),
        installation.locator(engine),
        installation.embedder(engine),
        limits=installation.limits,
        workers=installation.workers(Workload.MANY),
        made_from=_MADE_FROM,
    )
    path = SHIPPED / f"{made.cohort.model}.cohort.npz"
    path.write_bytes(made.cohort.as_bytes())
    print(f"{path.name}: {len(made.cohort.vectors)} averages, {made.cohort.version}", flush=True)
    return made.cohort.model


def _calibration(recogniser: str) -> Calibration:
    finder = Installation(settings(recogniser=recogniser)).standards
    embedded = lfw.embedded(recogniser)
    mated, non_mated = lfw.masks()
    names = np.array([path.parent.name for path in lfw.pictures_of_lfw()])
    scores = embedded.scores()
    raw = embedded.raw_scores()[mated]
    alike = _alike(recogniser)
    model = next(SHIPPED.glob(f"{recogniser}@*.cohort.npz")).name.removesuffix(".cohort.npz")
    version = finder.cohort(model).version
    any_strangers = _counted(scores, non_mated, np.unique(names, return_inverse=True)[1])
    found = np.isfinite(scores[mated])
    return table_of(
        any_strangers,
        model,
        version,
        _ANY,
        misses_of(scores[mated][found]),
        float(np.quantile(raw[np.isfinite(raw)], 2 / 3)),
        table_of(alike, model, version, _ALIKE),
    )


def _alike(recogniser: str) -> StrangerScores:
    crops = evenness.crops(recogniser)
    kinds = np.array([f"{a} {b}" for a, b in zip(crops.groups, crops.ages, strict=True)])
    same_kind = (kinds[:, None] == kinds) & ~evenness.one_person_twice(recogniser)
    return _counted(crops.deciding.scores(), np.triu(same_kind, 1), np.arange(len(kinds)))


def _counted(scores: Scores, chosen: Mask, people: np.ndarray) -> StrangerScores:
    """Count the chosen of all pairs; a picture without a face matches nobody."""
    groups = groups_of(people)
    counts = StrangerScores()
    for row in range(len(scores)):
        columns = np.flatnonzero(chosen[row] & np.isfinite(scores[row]))
        if len(columns):
            ones = np.full(len(columns), groups[row])
            counts.add(PairScores(scores[row, columns].astype(float), ones, groups[columns]))
    return counts


def table_of(
    counts: StrangerScores,
    model: str,
    version: str,
    measured_on: str,
    misses: tuple[tuple[float, float], ...] = (),
    one_person: float = 1.0,
    alike: Calibration | None = None,
) -> Calibration:
    """Make a table of what was counted: its knots, and the tail beyond them."""
    scores, fmrs = counts.knots()
    tail = counts.tail(scores[-1], fmrs[-1] / 10**DECADES, UPPER_95)
    return Calibration(
        model,
        version,
        scores,
        fmrs,
        counts.total,
        measured_on,
        tail,
        misses,
        alike,
        one_person,
    )


if __name__ == "__main__":
    sys.exit(main())
