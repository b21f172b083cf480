"""The main flow, `likeness identify` on a collection: the files that a reader needs to follow it.

`STEPS` are the functions that a face goes through from the command to its answer, in reading order.
They are held against a recorded run: each is called there, and called by one that stands before it
or written within one.
"""

from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1] / "src" / "likeness"

STEPS = """
cli/identify.py identify
cli/identify.py _identify_in_pictures
cli/identify.py _identify_in_pictures.<locals>.name
cli/searched.py collection_ready.<locals>.identify
service/search/search.py search_sample
service/uses/home.py Home.collection
service/uses/home.py Rows.record_use
service/uses/record.py Desk.record
service/uses/admission.py Admission.admit
service/uses/admission.py Admission.admit.<locals>.decide
service/uses/admission.py Admission._decided
policy/in_force.py RulesInForce.decide
service/uses/record.py Record.begin
vision/find.py FaceFinder.locate
service/search/faces.py faces_in
vision/find.py FaceFinder.templates
service/search/search.py _Search.of_face
service/search/search.py _Search._released
service/search/search.py _Search._released.<locals>.found
gallery/collection.py OpenCollection.search
gallery/collection.py OpenCollection._search
gallery/search.py Search.find
service/search/search.py _Search._matches
service/search/naming.py Naming.verdict
service/uses/record.py Record.release
service/uses/record.py Record.answered
service/uses/record.py Record._append
service/uses/record.py Record._append.<locals>.<lambda>
ledger/ledger.py Ledger.append
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
        file, name = step
        around = {(file, name.rpartition(".<locals>.")[0])}
        if place and not (callers[step] | around) & set(steps[:place]):
            raise SystemExit(f"No step before it calls {step[1]} of {step[0]}: {callers[step]}.")
    files = {file for file, _ in steps}
    return len(files), sum(len((_PACKAGE / file).read_text().splitlines()) for file in files)
