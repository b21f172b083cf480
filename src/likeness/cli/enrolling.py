"""Many pictures on their way into a collection: seen as they go, told of one by one and at last."""

import io
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.output_file import growing_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.stopping import stopping
from likeness.cli.terminal.words import several
from likeness.errors import QualityTooLow, SeveralFaces
from likeness.service.enrol.enrol import Enroller, Outcome, Result
from likeness.service.enrol.enrol_report import reported
from likeness.service.enrol.named_picture import NamedPicture

_CURES = {
    SeveralFaces.__name__: "`--foremost` takes the largest face of each",
    QualityTooLow.__name__: "`--any-quality` takes them as they are",
}
"""What would let rejected pictures be enrolled, by the kind of their rejection."""


class Pictures(Protocol):
    """Pictures that are counted before they are read."""

    def __len__(self) -> int:
        """Count them."""

    def __iter__(self) -> Iterator[NamedPicture]:
        """Name one after the other."""


@dataclass(slots=True)
class Tally:
    """How many pictures of how many came to what."""

    total: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    remarks: int = 0
    worst: ExitCode = ExitCode.DONE
    last: Result | None = None
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """How many came to anything."""
        return self.outcomes.total()

    @property
    def code(self) -> ExitCode:
        """What the shell is told."""
        return self.worst if self.done == self.total else ExitCode.INTERRUPTED

    def count(self, result: Result) -> None:
        """Count one more."""
        self.outcomes[result.outcome] += 1
        self.remarks += bool(result.remarks)
        self.last = result
        if result.error is not None:
            self.reasons[type(result.error).__name__] += 1
            self.worst = max(self.worst, code_of(result.error))


def enrol_all(enroller: Enroller, pictures: Pictures, report: Path | None) -> Tally:
    """Enrol pictures and write what comes of each; Ctrl-C ends it where it can go on later."""
    tally = Tally(len(pictures))
    begun = time.perf_counter()
    try:
        with (
            stopping() as stopped,
            growing_output(report) if report else nullcontext(io.StringIO()) as file,
            counting("Pictures") as tell,
        ):
            results = enroller.enrol(takewhile(lambda _: not stopped(), pictures))
            for result in reported(results, file):
                tally.count(result)
                tell(tally.done, tally.total)
    finally:
        tally.seconds = time.perf_counter() - begun
        if 0 < tally.done < tally.total:
            warn(
                f"{tally.done} of {several(tally.total, 'picture')} are done: the same command"
                " goes on after them"
            )
    return tally


def print_tally(tally: Tally, report: Path, as_json: bool) -> None:
    """Say how many came to what, how fast, and where each is told of."""
    counts = {outcome.value: tally.outcomes[outcome] for outcome in Outcome}
    if as_json:
        print_json(
            {
                **counts,
                "reasons": dict(tally.reasons),
                "remarks": tally.remarks,
                "report": str(report),
            }
        )
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in tally.reasons.most_common())
    print(
        f"{several(tally.done, 'picture')} in {tally.seconds:.1f} s,"
        f" {tally.done / tally.seconds:.1f} a second: "
        + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        + (f" ({reasons})" if reasons else "")
        + f"\n{plain(report)} says which"
    )
    if tally.remarks:
        print(f"{several(tally.remarks, 'picture')} with remarks: see the report")
    for kind, cure in _CURES.items():
        if count := tally.reasons[kind]:
            print(f"{count} {kind}: {cure}")
