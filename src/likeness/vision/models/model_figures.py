"""What was measured of a recogniser's errors, for its card: shipped beside its calibration."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from likeness.errors import InvalidRequest


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
class Unevenness:
    """Max/GeoMean of the rates within groups, at a false match rate over all pairs; 1 is even."""

    fmr: float
    by_sex_and_race: float
    by_sex_and_race_raw: float
    by_age: float
    by_age_raw: float


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """All that is told of a recogniser's errors; `groups` are worst first.

    `alike` are (rate by any strangers, rate among those of one sex, race and age band).
    """

    measured_on: str
    misses: tuple[Miss, ...]
    misses_of_women: float
    misses_of_men: float
    groups: tuple[GroupRate, ...]
    alike: tuple[tuple[float, float], ...]
    unevenness: tuple[Unevenness, ...]

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
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidRequest(
                f"{where} holds no figures of a model ({error}): install Likeness again."
            ) from error
