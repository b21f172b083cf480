"""The cohort and the calibration of a model: what makes its scores even, and what they mean.

Both belong to everything that a template depends on, together. An operator's own, made with
`likeness models cohort` and `likeness models calibrate`, go before those that are shipped.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from likeness.artifacts import write_whole
from likeness.errors import InvalidRequest, NotFound
from likeness.terms import Calibration
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.models.model_figures import ModelFigures

_SHIPPED = Path(__file__).parent / "shipped"


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
            return _read_calibration(path)
        raise NotFound(
            f"There is no calibration for {model} with cohort {cohort_version}, so a score has no"
            " error rate. Make one with `likeness models calibrate FOLDER`."
        )

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

    def _found(self, name: str) -> Iterator[Path]:
        for folder in (self._own, self._shipped):
            if (folder / name).is_file():
                yield folder / name


def _cohort_name(model: str) -> str:
    return f"{model}.cohort.npz"


def _calibration_name(model: str, cohort_version: str) -> str:
    return f"{model}.{cohort_version}.calibration.json"


def _read_calibration(path: Path) -> Calibration:
    try:
        return Calibration.from_json(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidRequest(
            f"Not a calibration: {path} ({error}). Delete it and run `likeness models calibrate`"
            " again."
        ) from error
