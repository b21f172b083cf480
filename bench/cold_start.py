"""`likeness detect` from a cold start: a new process, its networks converted before."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.peer import python
from bench.race import Runner, race
from bench.workplace import OUT, samples, settings

_ROUNDS = 5
_THEIRS = (
    "import sys, face_recognition as f; print(f.face_locations(f.load_image_file(sys.argv[1])))"
)


def _measure(full: bool) -> Measurement:
    command = Path(sys.executable).with_name("likeness")
    if not command.exists():
        raise NotMeasured(f"the command {command.name} is not here: `make install` makes it")
    picture = samples()[0]
    ours = _process(str(command), "detect", str(picture))
    theirs = _process(python(), "-W", "ignore", "-c", _THEIRS, str(picture))
    laps = race({"ours": ours, "theirs": theirs}, _ROUNDS)
    return Measurement(
        laps.median("ours"),
        f"{picture.name}, median of {_ROUNDS} starts; face_recognition, imported and given the same"
        f" picture to find its faces, {laps.median('theirs'):.2f} s",
        (
            Beside(
                "share-of-theirs",
                1 / laps.times_faster("ours", than="theirs"),
                "of theirs",
                "a third is wanted",
            ),
        ),
    )


FIGURES = (Figure("cold-start", "s", at_most(2), _measure),)


def _process(*command: str) -> Runner:
    """A runner that starts a process and waits for its end; it runs once before, uncounted."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LIKENESS_")
    }
    environment |= {"LIKENESS_HOME": str(OUT / "home"), "LIKENESS_CACHE": str(settings().cache)}

    def run() -> float:
        begun = time.perf_counter()
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False
        )
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NotMeasured(f"{Path(command[0]).name} ended with {ended.returncode}: {last}")
        return time.perf_counter() - begun

    run()
    return run
