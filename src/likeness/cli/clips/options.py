"""Options that are about clips alone."""

from dataclasses import dataclass
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.terms import moment
from likeness.video import LOOK_EVERY_S, Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipOptions:
    """What a command is told about clips, and about nothing else."""

    every_s: float | None = None
    from_s: float | None = None
    to_s: float | None = None
    csv: Path | None = None
    shots: Path | None = None
    unblurred: bool = False

    @property
    def sampling(self) -> Sampling:
        """At which moments the clip is looked at.

        Raises:
            InvalidRequest: there is none.
        """
        every_s = LOOK_EVERY_S if self.every_s is None else self.every_s
        return Sampling(every_s, self.from_s or 0.0, self.to_s)

    def require_unused(self) -> None:
        """Refuse them for pictures.

        Raises:
            InvalidRequest: one is given.
        """
        given = {
            "--every": self.every_s,
            "--from": self.from_s,
            "--to": self.to_s,
            "--csv": self.csv,
            "--shots": self.shots,
            "--unblurred": self.unblurred or None,
        }
        for name, value in given.items():
            if value is not None:
                raise InvalidRequest(f"{name} is for clips, and pictures are given. Leave it out.")


def clip_options(
    every: str | None,
    from_: str | None,
    to: str | None,
    csv: Path | None,
    shots: Path | None,
    *,
    unblurred: bool = False,
) -> ClipOptions:
    """Read what was typed.

    Raises:
        InvalidRequest: a time is none, or nothing lies between two.
    """
    every_s, from_s, to_s = (None if one is None else moment(one) for one in (every, from_, to))
    Sampling(every_s or 0.0, from_s or 0.0, to_s)  # refused before networks are loaded
    return ClipOptions(
        every_s=every_s, from_s=from_s, to_s=to_s, csv=csv, shots=shots, unblurred=unblurred
    )
