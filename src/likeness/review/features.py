"""What people look at in faces, in FISWG's words, and how they say what they found.

FISWG (Facial Identification Scientific Working Group) has faces compared feature by feature, the
features of what is searched for noted before anybody is seen whom it is compared with: Facial
Comparison Overview and Methodology Guidelines, 1.0, 2019-10-25. Which features there are is in its
Facial Image Comparison Feature List for Morphological Analysis, 2.0, 2018-09-11 (ASTM E3149), from
the top of a face to the bottom.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from likeness.errors import InvalidRequest

LONGEST_REMARK = 2000


class Feature(StrEnum):
    """A part of a face, or what is on it, that people look at by itself."""

    SKIN = "skin"
    OUTLINE = "outline"
    COMPOSITION = "composition"
    HAIRLINE = "hairline"
    FOREHEAD = "forehead"
    EYEBROWS = "eyebrows"
    EYES = "eyes"
    CHEEKS = "cheeks"
    NOSE = "nose"
    EARS = "ears"
    MOUTH = "mouth"
    CHIN = "chin"
    NECK = "neck"
    FACIAL_HAIR = "facial-hair"
    LINES = "lines"
    SCARS = "scars"
    MARKS = "marks"
    ALTERATIONS = "alterations"


class Suitability(StrEnum):
    """How far a picture can be compared at all."""

    GOOD = "good"
    LIMITED = "limited"
    POOR = "poor"


class Clarity(StrEnum):
    """How well a feature is seen in a picture."""

    CLEAR = "clear"
    PARTLY = "partly"
    HIDDEN = "hidden"


class Finding(StrEnum):
    """What two pictures show of one feature."""

    ALIKE = "alike"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not-comparable"


class Verdict(StrEnum):
    """What a person says of a probe and a candidate."""

    SAME = "same"
    NOT_SAME = "not-same"
    CANNOT_TELL = "cannot-tell"


class Support(StrEnum):
    """How strongly what was seen speaks for one person or for two, as examiners say it.

    Limited support either way settles nothing: nobody is named, nor ruled out, by it.
    """

    STRONGLY_SAME = "strongly-same"
    SAME = "same"
    BARELY_SAME = "barely-same"
    NEITHER = "neither"
    BARELY_DIFFERENT = "barely-different"
    DIFFERENT = "different"
    STRONGLY_DIFFERENT = "strongly-different"

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        if self in (Support.STRONGLY_SAME, Support.SAME):
            return Verdict.SAME
        if self in (Support.STRONGLY_DIFFERENT, Support.DIFFERENT):
            return Verdict.NOT_SAME
        return Verdict.CANNOT_TELL


@dataclass(frozen=True, slots=True)
class ProbeNote:
    """What somebody saw in a face that was searched for, before they saw anybody else.

    Raises:
        InvalidRequest: no feature is noted of a picture that can be compared, or the remark is too
            long.
    """

    suitability: Suitability
    features: Mapping[Feature, Clarity] = field(default_factory=dict)
    remark: str = ""

    def __post_init__(self) -> None:
        """Refuse a note that says nothing."""
        if self.suitability is not Suitability.POOR and not self.features:
            raise InvalidRequest(
                "No feature is noted. Say of at least one how well you see it, or that the picture"
                " is too poor to compare."
            )
        _require_short(self.remark)

    def as_bytes(self) -> bytes:
        """Give what `from_bytes` reads."""
        kept = {
            "suitability": self.suitability,
            "features": dict(self.features),
            "remark": self.remark,
        }
        return json.dumps(kept).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "ProbeNote":
        """Read what `as_bytes` gave."""
        kept = json.loads(content)
        return cls(
            Suitability(kept["suitability"]), _read(kept["features"], Clarity), kept["remark"]
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """What somebody found in comparing two faces: feature by feature, and on the whole.

    Raises:
        InvalidRequest: it comes to one person or two, and no feature was compared.
    """

    support: Support
    features: Mapping[Feature, Finding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a verdict for which nothing speaks."""
        compared = set(self.features.values()) - {Finding.NOT_COMPARABLE}
        if self.support.verdict is not Verdict.CANNOT_TELL and not compared:
            raise InvalidRequest(
                "No feature is compared. Say of at least one whether it is alike or different, or"
                " that you cannot tell."
            )

    def as_bytes(self) -> bytes:
        """Give what `from_bytes` reads."""
        return json.dumps({"support": self.support, "features": dict(self.features)}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Findings":
        """Read what `as_bytes` gave."""
        kept = json.loads(content)
        return cls(Support(kept["support"]), _read(kept["features"], Finding))


_Said = TypeVar("_Said", Clarity, Finding)


def _read(kept: Mapping[str, str], said: type[_Said]) -> dict[Feature, _Said]:
    return {Feature(name): said(value) for name, value in kept.items()}


def _require_short(remark: str) -> None:
    if len(remark) > LONGEST_REMARK or not remark.replace("\n", " ").isprintable():
        raise InvalidRequest(
            f"Not a remark: {len(remark)} characters. Write at most {LONGEST_REMARK}, without"
            " control characters."
        )
