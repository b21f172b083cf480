"""What is asked of whoever makes a picture or a clip safe to share."""

from dataclasses import dataclass
from enum import StrEnum

from likeness.video import Holding, Style

MAY_BE_FMR = 1e-2
"""Who is more like somebody than 99 of 100 strangers may be them: nearly all their pictures are."""


class Whom(StrEnum):
    """Whose faces are hidden."""

    ALL = "all"
    ALL_BUT = "keep"
    """All but those of some people."""
    ONLY = "only"
    """Those of some people alone."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How faces are hidden.

    `careful` prefers hiding what is no face to missing one, and to showing somebody of whom it is
    not sure who they are.
    """

    style: Style = Style.BLUR
    careful: bool = True

    @property
    def holding(self) -> Holding:
        """How long and how widely a face is hidden where it was not found."""
        return Holding() if self.careful else Holding(before_s=0.3, after_s=0.3)
