"""The audit that the card of a shipped recogniser carries: three sets, each for what it can show.

LFW View 1 has identities: error rates of pairs, by sex. utk_balanced has one picture a person: how
often strangers of one sex and race, or of one age, match at the threshold in force, and how many
pictures fail. fairface540 shows failures by age; the cohort was made of it, so nothing is compared.
"""

import csv
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import evenness, lfw
from bench.embedded import Embedded, embed_files
from bench.machine import this_machine
from bench.workplace import data
from likeness import __version__
from likeness.evaluation import Axis, Comparisons, Samples
from likeness.service.evaluate.calibrating import group_rates
from likeness.service.evaluate.evaluate import evaluate
from likeness.service.evaluate.findings import AxisFindings, Report, SystemFacts
from likeness.service.evaluate.questions import GivenThreshold, Questions
from likeness.service.evaluate.readers import DataDescription, plan_of_manifest
from likeness.service.evaluate.systems.pair_scores import Templates, compare_every_pair
from likeness.service.evaluate.trials import Plan, Scored, Tell
from likeness.terms import Calibration, MeasuredGroups

Mask = NDArray[np.bool_]

IN_FORCE = 1e-3
"""The false match rate of the settings, at whose threshold groups are compared."""
_GROUP_RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_SEXES, _RACES = ("men", "women"), ("White", "Black", "Asian", "Indian", "other")
_LFW_SEX = {"F": "women", "M": "men"}
_LABELLED = "sex, race and age by appearance, by the set's makers"


class _Embedded:
    """Templates that were made already, as a system under test; some pairs may be left out."""

    def __init__(
        self,
        facts: SystemFacts,
        pictures: Sequence[Path],
        embedded: Embedded,
        allowed: Mask | None,
        compares: bool,
    ) -> None:
        self._facts = facts
        self._numbers = {path: number for number, path in enumerate(pictures)}
        self._embedded = embedded
        self._allowed = allowed
        self._compares = compares

    def facts(self) -> SystemFacts:
        return self._facts

    def score(self, plan: Plan, tell: Tell) -> Scored:
        rows = np.array([self._numbers[sample.path] for sample in plan.samples])
        some = self._embedded.only(rows)
        samples = plan.counted(some.failed)
        compared = self._compared(some, samples, rows) if self._compares else None
        failures = tuple((int(n), "no face found") for n in np.flatnonzero(some.failed))
        unknown = np.full(len(rows), np.nan)
        return Scored(self._facts, plan, samples, compared, None, failures, unknown)

    def _compared(self, some: Embedded, samples: Samples, rows: NDArray[np.intp]) -> Comparisons:
        means = some.means.astype(np.float64)
        every = compare_every_pair(Templates(some.vectors, means, some.failed), samples)
        if self._allowed is None:
            return every
        return every.only(self._allowed[rows[every.references], rows[every.probes]])


def reports_of(recogniser: str, known: Calibration) -> Iterator[tuple[str, Report]]:
    """Audit a recogniser on each set, at the threshold that its calibration has for FMR 1e-3."""
    threshold = known.threshold(IN_FORCE)
    mated, non_mated = lfw.masks()
    yield (
        "lfw",
        _report(
            _system(
                recogniser,
                known,
                lfw.pictures_of_lfw(),
                lfw.embedded(recogniser),
                allowed=mated | non_mated | (mated | non_mated).T,
            ),
            _planned(
                lfw.pictures_of_lfw(),
                data("lfw_view1") / "images",
                lambda path: {"subject": path.parent.name, "sex": _sex_of(path.parent.name)},
                DataDescription(
                    "LFW deep-funneled, View 1",
                    "4,992 pictures; known label errors left out",
                    "Labeled Faces in the Wild, umass-vis-lfw; research use",
                    "names by LFW's makers; sex by name, as far as known",
                ),
            ),
            Questions(fmr=IN_FORCE, threshold=GivenThreshold(threshold), groups=("sex",)),
        ),
    )
    pictures, embedded = evenness.distinct(recogniser)
    yield (
        "utkface",
        _report(
            _system(
                recogniser, known, pictures, embedded, allowed=~evenness.one_person_twice_of_all()
            ),
            _planned(
                pictures,
                data("utk_balanced"),
                lambda path: {
                    "sex and race": sex_and_race(path),
                    "age": evenness.age_band(path),
                },
                DataDescription(
                    "UTKFace, 100 crops of each sex and race",
                    "copies of a picture, and pairs that are one person, left out; crops padded",
                    "UTKFace; non-commercial research. It names nobody: every picture counts as"
                    " another person's",
                    _LABELLED,
                ),
                has_identities=False,
            ),
            Questions(
                fmr=IN_FORCE,
                threshold=GivenThreshold(threshold),
                groups=("sex and race", "age"),
                crossed=False,
            ),
        ),
    )
    labels = _fairface_labels()
    yield (
        "fairface",
        _report(
            _system(recogniser, known, _fairface(), _fairface_embedded(recogniser), compares=False),
            _planned(
                _fairface(),
                data("fairface540"),
                lambda path: labels[path.name],
                DataDescription(
                    "FairFace sample, 30 pictures of each of nine ages and two sexes",
                    "540 pictures",
                    "K. Karkkainen and J. Joo, FairFace, WACV 2021, CC BY 4.0. The recogniser's"
                    " cohort was made of it, so nothing is compared",
                    _LABELLED,
                ),
                has_identities=False,
            ),
            Questions(groups=("age", "sex")),
        ),
    )


def groups_by(report: Report) -> tuple[AxisFindings, ...]:
    """Give the groups of a report of one system."""
    return report.findings[0].axes


def measured_groups(recogniser: str, known: Calibration) -> MeasuredGroups:
    """Say how often strangers of one sex and race, or of one age, reach thresholds."""
    crops = evenness.crops(recogniser)
    count = len(crops.pictures)
    failed = np.zeros(count, np.bool_)
    axes = (
        Axis.of("sex and race", [sex_and_race(path) for path in crops.pictures]),
        Axis.of("age", crops.ages),
    )
    samples = Samples(np.arange(count, dtype=np.int32), failed, axes)
    templates = crops.deciding
    every = compare_every_pair(
        Templates(templates.vectors, templates.means.astype(np.float64), failed), samples
    )
    twice = evenness.one_person_twice(recogniser)
    strangers = every.only(~twice[every.references, every.probes])
    thresholds = [known.threshold(rate) for rate in _GROUP_RATES if rate >= known.lowest_fmr]
    return MeasuredGroups(
        known.model,
        known.cohort_version,
        f"UTKFace ({count} crops), at thresholds of LFW View 1",
        group_rates(strangers, samples, axes, thresholds),
    )


def sex_and_race(picture: Path) -> str:
    """Name the group of a picture of utk_balanced."""
    sex, race = map(int, picture.name.split("_")[1:3])
    return f"{_RACES[race]} {_SEXES[sex]}"


def _system(
    recogniser: str,
    known: Calibration,
    pictures: Sequence[Path],
    embedded: Embedded,
    *,
    allowed: Mask | None = None,
    compares: bool = True,
) -> _Embedded:
    facts = SystemFacts(
        f"Likeness with {recogniser}",
        "likeness",
        __version__,
        known.model,
        "relative distance, negated",
        {
            "cohort": known.cohort_version,
            "face": "the one portrayed: large and near the middle",
            "threshold in force": f"{known.threshold(IN_FORCE):.4f}, for FMR {IN_FORCE:g} of"
            f" {known.measured_on}",
        },
    )
    return _Embedded(facts, pictures, embedded, allowed, compares)


def without_names(report: Report) -> Report:
    """Leave out whose pictures look wrongly labelled: what ships with a model names nobody."""

    def unnamed(limit: str) -> str:
        return _LISTED.sub(
            "were found and count as labelled; their names are not told here.", limit
        )

    return replace(
        report,
        findings=tuple(
            replace(one, suspicions=(), limits=tuple(unnamed(limit) for limit in one.limits))
            for one in report.findings
        ),
    )


_LISTED = re.compile(r"are listed (below )?and counted as labelled\..*", re.DOTALL)


def _report(system: _Embedded, plan: Plan, questions: Questions) -> Report:
    report = evaluate(
        plan,
        [system],
        questions,
        title=f"{system.facts().name}, as shipped: {plan.data.name}",
        made_by=f"Likeness {__version__}, python -m bench.shipped",
        processor=this_machine().description,
        clock=lambda: datetime.now(UTC).replace(microsecond=0),
    )
    return without_names(report)


def _planned(
    pictures: Sequence[Path],
    root: Path,
    row_of: Callable[[Path], dict[str, str]],
    description: DataDescription,
    *,
    has_identities: bool = True,
) -> Plan:
    rows = [{"path": str(path.relative_to(root)), **row_of(path)} for path in pictures]
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.csv"
        with manifest.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return plan_of_manifest(
            manifest, root=root, has_identities=has_identities, description=description
        )


@cache
def _sexes() -> dict[str, str]:
    with (data("lfw_view1") / "lfw_demographics.csv").open(newline="") as file:
        return {row["identity"]: _LFW_SEX.get(row["gender"], "") for row in csv.DictReader(file)}


def _sex_of(name: str) -> str:
    return _sexes().get(name, "")


@cache
def _fairface() -> tuple[Path, ...]:
    return tuple(sorted(data("fairface540").glob("*.jpg")))


@cache
def _fairface_embedded(recogniser: str) -> Embedded:
    return embed_files(_fairface(), recogniser)


@cache
def _fairface_labels() -> dict[str, dict[str, str]]:
    rows = json.loads((data("fairface540") / "ground_truth.json").read_text())
    return {row["filename"]: {"age": row["age"], "sex": row["gender"].lower()} for row in rows}
