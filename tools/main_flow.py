"""The main flow, `likeness identify` on a collection: the files that a reader needs to follow it.

`STEPS` are the functions that a face goes through from the command to its answer, in reading order.
They are held against a recorded run: each is called there, and called by one that stands before it.
"""

from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1] / "src" / "likeness"

STEPS = """
cli/identify.py identify
"""


def flow_of(recorded: dict[str, Any]) -> tuple[int, int]:
    """Give how many files the flow has, and how many lines these have together.

    Raises:
        SystemExit: a step was not taken, or not from a step before it.
    """
    callers: dict[tuple[str, str], set[tuple[str, str] | None]] = {}
    for caller, called, _ in recorded["calls"]:
        callers.setdefault(tuple(called), set()).add(None if caller is None else tuple(caller))
    steps = [(file, name) for file, name in (line.split() for line in STEPS.split("\n") if line)]
    for place, step in enumerate(steps):
        if step not in callers:
            raise SystemExit(f"`likeness identify` does not call {step[1]} of {step[0]}.")
        if place and not callers[step] & set(steps[:place]):
            raise SystemExit(f"No step before it calls {step[1]} of {step[0]}: {callers[step]}.")
    files = {file for file, _ in steps}
    return len(files), sum(len((_PACKAGE / file).read_text().splitlines()) for file in files)
