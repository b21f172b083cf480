"""Cohorts, calibrations and figures of models: what makes scores even, and what they mean.

All belong to everything that a template depends on, together. An operator's own cohorts,
calibrations and rates of groups, made with `likeness models cohort` and `likeness models
calibrate`, go before those that are shipped; figures of a recogniser's errors, for its card, are
shipped alone.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from likeness.artifacts import write_whole
from likeness.errors import InvalidRequest, NotFound
from likeness.terms import Calibration, MeasuredGroups
from likeness.vision.cohorts.cohort import Cohort

_SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class Miss:
    """At a false match rate, the share of pairs of one person that are missed.

    `fnmr` is of the score that decides, `raw_fnmr` of the raw one: what evenness costs or gains.
    """

    fmr: float
    fnmr: float
    raw_fnmr: float


@dataclass(frozen=True, slots=True)
class GroupRate:
    """How often two strangers of one group match at the threshold in force; a 95% interval."""

    group: str
    fmr: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupFailures:
    """In how many pictures of one group no face was found, with a 95% interval of that share."""

    data: str
    group: str
    failed: int
    pictures: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Unevenness:
    """Max/GeoMean of the rates within groups, at a false match rate over all pairs; 1 is even."""

    fmr: float
    by_sex_and_race: float
    by_sex_and_race_raw: float
    by_age: float
    by_age_raw: float


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """All that is told of a recogniser's errors; `groups` and `failures` are worst first.

    `alike` are (rate by any strangers, rate among those of one sex, race and age band).
    """

    measured_on: str
    misses: tuple[Miss, ...]
    misses_of_women: float
    misses_of_men: float
    groups: tuple[GroupRate, ...]
    alike: tuple[tuple[float, float], ...]
    unevenness: tuple[Unevenness, ...]
    failures: tuple[GroupFailures, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: bytes, where: str) -> "ModelFigures":
        """Read what `as_json` gave; `where` names the file.

        Raises:
            InvalidRequest: something is missing or unknown.
        """
        try:
            value = json.loads(text)
            return cls(
                **{
                    **value,
                    "misses": tuple(Miss(**one) for one in value["misses"]),
                    "groups": tuple(GroupRate(**one) for one in value["groups"]),
                    "alike": tuple((a, b) for a, b in value["alike"]),
                    "unevenness": tuple(Unevenness(**one) for one in value["unevenness"]),
                    "failures": tuple(GroupFailures(**one) for one in value.get("failures", ())),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidRequest(
                f"Not figures of a model: {where} ({error}). Install Likeness again."
            ) from error


class Standards:
    """Cohorts and calibrations: those kept under `root`, and those shipped."""

    def __init__(self, root: Path, shipped: Path = _SHIPPED) -> None:
        self._own = root / "standards"
        self._shipped = shipped

    def cohort(self, model: str) -> Cohort:
        """Find the cohort that evens a model's scores.

        Raises:
            NotFound: there is none yet.
            ModelTampered: its bytes are not those that were written.
        """
        for path in self._found(_cohort_name(model)):
            return Cohort.load(path)
        raise NotFound(
            f"There is no cohort for {model}, so its scores cannot be evened out. Make one with"
            " `likeness models cohort FOLDER`."
        )

    def has_cohort(self, model: str) -> bool:
        """Say whether there is a cohort for a model; its bytes are not looked at."""
        return any(self._found(_cohort_name(model)))

    def cohort_of(self, model: str, version: str) -> Cohort:
        """Find the cohort of a model that has a version.

        Raises:
            NotFound: none of those kept and shipped is of that version.
            ModelTampered: its bytes are not those that were written.
        """
        for path in self._found(_cohort_name(model)):
            if (cohort := Cohort.load(path)).version == version:
                return cohort
        raise NotFound(
            f"There is no cohort {version} of {model} here. Restore it, or make the templates anew"
            " with the cohort in force."
        )

    def calibration(self, model: str, cohort_version: str) -> Calibration:
        """Find what a model's scores mean when they are evened out by a cohort.

        Raises:
            NotFound: there is none yet.
            InvalidRequest: the file is damaged.
        """
        for path in self._found(_calibration_name(model, cohort_version)):
            return self.with_groups(_read_calibration(path))
        raise NotFound(
            f"There is no calibration for {model} with cohort {cohort_version}, so a score has no"
            " error rate. Make one with `likeness models calibrate FOLDER`."
        )

    def track_calibration(self, model: str, cohort_version: str) -> Calibration | None:
        """Find what the scores of tracks through clips mean; None where nobody measured it.

        Shipped ones are no part of an operator's own calibration, whose strangers are others.

        Raises:
            InvalidRequest: the file is damaged.
        """
        if (self._own / _calibration_name(model, cohort_version)).is_file():
            return None
        path = self._shipped / _tracks_name(model, cohort_version)
        return self.with_groups(_read_calibration(path)) if path.is_file() else None

    def with_groups(self, calibration: Calibration) -> Calibration:
        """Add what is known of groups to a calibration, whoever made it.

        Raises:
            InvalidRequest: the file is damaged.
        """
        measured = self.groups(calibration.model, calibration.cohort_version)
        return calibration if measured is None else replace(calibration, groups=measured.groups)

    def groups(self, model: str, cohort_version: str) -> MeasuredGroups | None:
        """Find how often strangers of one group match; None where nobody measured that.

        Raises:
            InvalidRequest: the file is damaged.
        """
        for path in self._found(_groups_name(model, cohort_version)):
            return _read_groups(path)
        return None

    def figures(self, model: str, cohort_version: str) -> ModelFigures | None:
        """Find what was measured of a model's errors; None where its shipped cohort is not used.

        Raises:
            InvalidRequest: the file is damaged.
        """
        path = self._shipped / f"{model}.figures.json"
        of_shipped = self._shipped / _calibration_name(model, cohort_version)
        if not path.is_file() or not of_shipped.is_file():
            return None
        return ModelFigures.from_json(path.read_bytes(), str(path))

    def reports(self, model: str, cohort_version: str) -> dict[str, bytes]:
        """Give the shipped audits of a model, by their names; none where figures are not its own.

        They are JSON as `likeness audit` writes it.
        """
        if not (self._shipped / _calibration_name(model, cohort_version)).is_file():
            return {}
        ending = ".report.json.gz"
        found = sorted(self._shipped.glob(f"{model}.*{ending}"))
        return {
            path.name.removeprefix(f"{model}.").removesuffix(ending): gzip.decompress(
                path.read_bytes()
            )
            for path in found
        }

    def keep_cohort(self, cohort: Cohort) -> Path:
        """Keep an operator's own cohort; it is used from now on."""
        path = self._own / _cohort_name(cohort.model)
        write_whole(path, cohort.as_bytes())
        return path

    def keep_calibration(self, calibration: Calibration) -> Path:
        """Keep an operator's own calibration; it is used from now on."""
        path = self._own / _calibration_name(calibration.model, calibration.cohort_version)
        write_whole(path, json.dumps(calibration.as_json(), indent=1).encode())
        return path

    def keep_groups(self, measured: MeasuredGroups) -> Path:
        """Keep an operator's own rates of groups; they are warned by from now on."""
        path = self._own / _groups_name(measured.model, measured.cohort_version)
        write_whole(path, json.dumps(measured.as_json(), indent=1).encode())
        return path

    def _found(self, name: str) -> Iterator[Path]:
        for folder in (self._own, self._shipped):
            if (folder / name).is_file():
                yield folder / name


def _cohort_name(model: str) -> str:
    return f"{model}.cohort.npz"


def _calibration_name(model: str, cohort_version: str) -> str:
    return f"{model}.{cohort_version}.calibration.json"


def _tracks_name(model: str, cohort_version: str) -> str:
    return f"{model}.{cohort_version}.tracks.json"


def _groups_name(model: str, cohort_version: str) -> str:
    return f"{model}.{cohort_version}.groups.json"


def _read_groups(path: Path) -> MeasuredGroups:
    try:
        return MeasuredGroups.from_json(json.loads(path.read_bytes()))
    except (InvalidRequest, ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidRequest(
            f"Not the rates of groups: {path} ({error}). Delete it and run `likeness models"
            " calibrate` with --group again."
        ) from error


def _read_calibration(path: Path) -> Calibration:
    try:
        return Calibration.from_json(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidRequest(
            f"Not a calibration: {path} ({error}). Delete it and run `likeness models calibrate`"
            " again."
        ) from error
