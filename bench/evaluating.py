"""`likeness evaluate` from pictures to a report: LFW View 1, every pair and searches."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.workplace import OUT, data, settings


def _measure(full: bool) -> Measurement:
    command = Path(sys.executable).with_name("likeness")
    if not command.exists():
        raise NotMeasured(f"the command {command.name} is not here: `make install` makes it")
    pictures = data("lfw_view1") / "images"
    chosen = settings()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LIKENESS_")
    }
    environment |= {"LIKENESS_HOME": str(chosen.home), "LIKENESS_CACHE": str(chosen.cache)}
    if chosen.artifacts is not None:
        environment["LIKENESS_ARTIFACTS"] = str(chosen.artifacts)
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder, tempfile.TemporaryFile("w+") as told:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(command), "evaluate", str(pictures), "--search", "--out", f"{folder}/report"],
            stdout=subprocess.DEVNULL,
            stderr=told,
            env=environment,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            last = (told.read().strip().splitlines() or ["no reason given"])[-1]
            raise NotMeasured(f"{command.name} evaluate ended with {process.returncode}: {last}")
        page = Path(folder, "report", "report.html").stat().st_size
    return Measurement(
        seconds,
        "LFW deep-funneled View 1, 4,992 pictures: 12.5 million pairs, searches of half the people,"
        " 1,000 resamples, and the report",
        (
            Beside("processor", used.ru_utime + used.ru_stime, "s", "of all cores together"),
            Beside("resident", used.ru_maxrss / 1024, "MiB", "at most"),
            Beside("page", page / 1e6, "MB", "3 is the most that a report may have"),
        ),
    )


FIGURES = (Figure("evaluate-view1", "s", at_most(240), _measure),)
