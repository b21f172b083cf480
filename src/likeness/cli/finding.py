"""What `likeness doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state in words, whether that is well, and what mends or adds it."""

    subject: str
    state: str
    well: bool = True
    mend: str | None = None
