"""One run of `likeness evaluate` or `audit`: from options to a report in a folder."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from likeness import __version__
from likeness.app import Installation, Workload
from likeness.cli.installation import load_finder, prepare
from likeness.cli.terminal.exit_codes import ExitCode, resumable, warn
from likeness.cli.terminal.findings import write_and_print
from likeness.cli.terminal.output_file import check_report_folder
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import require_consent
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.evaluation import rate_name
from likeness.reports import terminal, write_html
from likeness.service.evaluate.calibrating import groups_found
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.evaluate import evaluate
from likeness.service.evaluate.findings import Report, to_json
from likeness.service.evaluate.measure import all_groups, count_groups, require_groups
from likeness.service.evaluate.questions import GivenThreshold, Questions
from likeness.service.evaluate.readers import NOT_STATED, PairRows, read_scores, split_for_searches
from likeness.service.evaluate.systems.endpoint.prices import AWS_PRICES, Cost
from likeness.service.evaluate.systems.own_system import OwnSystem
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from likeness.service.evaluate.systems.score_file import ScoreFile
from likeness.service.evaluate.trials import SystemUnderTest

OWN, REKOGNITION, IN_FORCE = "likeness", "rekognition", "in-force"
_WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChoice:
    """A Rekognition endpoint: Amazon's own of the region without a URL."""

    url: str | None
    region: str
    calls_per_second: float
    price: float | None
    yes: bool

    def system(self, out: Path) -> RekognitionSystem:
        """Give the system under test, whose answers are kept in the folder of the report."""
        return RekognitionSystem(
            self.url,
            self.region,
            self.calls_per_second,
            out / _WORK,
            self._confirm,
            prices=None if self.price is None else dict.fromkeys(AWS_PRICES, self.price),
        )

    def _confirm(self, cost: Cost) -> None:
        require_consent(cost.question, self.yes, "nothing was asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that was chosen for a run.

    `systems` are as they are typed, `names` and `versions` what reports call files of scores, in
    their order; `search` is the share of people who are not enrolled,
    None for no searches. `networks` are settings of Likeness as the system under test.
    """

    title: str
    source: DataSource
    systems: Sequence[str]
    names: Sequence[str]
    versions: Sequence[str]
    endpoint: EndpointChoice
    search: float | None
    questions: Questions
    all_groups: bool
    threshold: str | None
    out: Path
    as_json: bool
    networks: dict[str, object]
    keep: bool = False


def run(chosen: Run) -> ExitCode:
    """Test, measure, and write the report; the same command continues an interrupted one."""
    check_report_folder(chosen.out)
    if chosen.keep:
        chosen = _kept_by(chosen)
    plan, scores = read_data(chosen.source)
    questions = chosen.questions
    if chosen.all_groups and not questions.groups:
        plan, questions = all_groups(plan, questions)
        if not questions.groups:
            many = ", ".join(count_groups(plan))
            raise InvalidRequest(
                f"There are no groups to compare{f': {many} have too many values' if many else ''}."
                " Give a manifest with columns of labels, or"
                " --labels FILE.csv; `likeness evaluate` measures everybody together."
            )
    require_groups(questions, count_groups(plan))
    if chosen.search is not None:
        plan = split_for_searches(plan, unenrolled=chosen.search, seed=questions.seed)
    systems = _systems(chosen, scores)
    questions = replace(questions, threshold=_threshold(chosen, systems))
    for system in systems:
        # Before hours of work, not after them.
        if isinstance(system, RekognitionSystem):
            system.agree(plan)
    with _saying_what_stays(chosen.out / _WORK):
        with resumable(), counting("Pictures or calls") as tell:
            report = evaluate(
                plan,
                systems,
                questions,
                title=chosen.title,
                made_by=f"Likeness {__version__}",
                processor=processor(),
                clock=lambda: datetime.now(UTC),
                tell=tell,
            )
        write_and_print(
            chosen.out,
            page=write_html(report),
            document=to_json(report),
            blocks=terminal(report),
            problems=(problem for findings in report.findings for problem in findings.problems),
            as_json=chosen.as_json,
        )
        if chosen.keep:
            _keep_groups(chosen, report)
        for system in systems:
            # Templates are people's; an endpoint's answers cost money, and stay until they are
            # deleted.
            if isinstance(system, OwnSystem):
                system.remove_work()
    return ExitCode.DONE


@contextmanager
def _saying_what_stays(work: Path) -> Iterator[None]:
    """Say, however a run ends, that templates lie there: this run's or an earlier one's."""
    try:
        yield
    finally:
        if any(work.glob("templates-*")):
            warn(
                f"Templates of a run that was not finished stay in '{work}'. Run its command again"
                " to continue, or delete the folder."
            )


def _kept_by(chosen: Run) -> Run:
    """Audit at the threshold in force for 1:1 comparisons: answers are given at that.

    Raises:
        InvalidRequest: it is not Likeness alone that is tested.
    """
    if tuple(chosen.systems) not in ((), (OWN,)):
        raise InvalidRequest(
            "--keep is for audits of Likeness alone. Leave it out, or the other systems."
        )
    if chosen.threshold not in (None, IN_FORCE):
        raise InvalidRequest("--keep audits at the threshold in force. Leave out --threshold.")
    fmr = prepare(**chosen.networks).settings.fmr
    return replace(chosen, threshold=IN_FORCE, questions=replace(chosen.questions, fmr=fmr))


def _keep_groups(chosen: Run, report: Report) -> None:
    found = groups_found(report.findings[0])
    if found is None:
        warn("No group has 30 pairs of strangers that match, so no rates are kept.")
        return
    kept = prepare(**chosen.networks).standards.keep_groups(found)
    print(f"Rates of {several(len(found.groups), 'group')} kept: {plain(kept)}", file=sys.stderr)


def processor() -> str:
    """Name the processor that this runs on, and how many cores may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {cores} cores"


def _systems(chosen: Run, scores: PairRows | None) -> list[SystemUnderTest]:
    names = list(chosen.systems)
    if scores is not None:
        if any(name in (OWN, REKOGNITION) for name in names):
            raise InvalidRequest(
                "The data are a file of scores, so nothing else can be tested on them but another"
                " file. Name pictures, or leave out --system."
            )
        names = [str(chosen.source.path), *names]
    return [_system(chosen, name, number) for number, name in enumerate(names or [OWN])]


def _system(chosen: Run, name: str, number: int) -> SystemUnderTest:
    if name == OWN:
        return _own_system(chosen, prepare(**chosen.networks))
    if name == REKOGNITION:
        return chosen.endpoint.system(chosen.out)
    path = Path(name)
    if not path.is_file():
        raise InvalidRequest(
            f"No such system {name!r}. Give {OWN}, {REKOGNITION}, or a file of scores."
        )
    rows = read_scores(path, column=chosen.source.column, distances=chosen.source.distances)
    return ScoreFile(
        rows,
        name=nth(chosen.names, number) or path.name,
        version=nth(chosen.versions, number) or NOT_STATED,
    )


def nth(texts: Sequence[str], number: int) -> str:
    """Give one of several texts that were typed; nothing beyond them."""
    return texts[number] if number < len(texts) else ""


def _own_system(chosen: Run, installation: Installation) -> OwnSystem:
    model = installation.template_model()
    return OwnSystem(
        load_finder(installation, Workload.MANY),
        version=__version__,
        limits=installation.limits,
        workers=installation.workers(Workload.MANY),
        work=chosen.out / _WORK,
        # The model's name has the first digits alone, for which other weights can be made.
        details={
            "recogniser's digest": model.recogniser.digest,
            "detector's digest": model.detector.digest,
        },
    )


def _threshold(chosen: Run, systems: Sequence[SystemUnderTest]) -> GivenThreshold | None:
    """Read the threshold that is given, or take the one in force here for the rate of --fmr."""
    if chosen.threshold is None:
        return None
    if chosen.threshold == IN_FORCE:
        own = next((one for one in systems if isinstance(one, OwnSystem)), None)
        if own is None:
            raise InvalidRequest(
                f"--threshold {IN_FORCE} is that of Likeness. Test Likeness, or give a score."
            )
        installation = prepare(**chosen.networks)
        model = installation.model
        cohort = installation.standards.cohort(model)
        calibration = installation.standards.calibration(model, cohort.version)
        fmr = chosen.questions.fmr
        note = f"In force for FMR {rate_name(fmr)} by {calibration.measured_on}."
        return GivenThreshold(calibration.threshold(fmr), note)
    try:
        return GivenThreshold(float(chosen.threshold))
    except ValueError as error:
        raise InvalidRequest(
            f"Not a threshold: {chosen.threshold!r}. Give a score, or {IN_FORCE}."
        ) from error
