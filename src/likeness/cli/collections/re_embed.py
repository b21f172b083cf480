"""`likeness collections re-embed` and `cohort`: what templates and scores stand on."""

import csv
import io
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.app import Workload
from likeness.app.buckets import buckets_of
from likeness.app.finders import Finders, remember_choice
from likeness.cli.acts import home_for
from likeness.cli.certificates import certificate_json, give_certificate, write_certificate
from likeness.cli.collections.show import Name
from likeness.cli.installation import installation_here, prepare
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    CertificateTo,
    ChipsChoice,
    DetectorSide,
    PrecisionChoice,
    Threads,
    Yes,
)
from likeness.cli.terminal.output_file import check_output, growing_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting, fetching
from likeness.cli.terminal.prompts import require_yes
from likeness.cli.terminal.words import folded, several
from likeness.errors import InvalidRequest
from likeness.gallery import ErasureCertificate
from likeness.service.enrol.csv_rows import as_text
from likeness.service.models.measure_strangers import Upkeep, measure_collection
from likeness.service.models.re_embed import (
    Missing,
    NewModel,
    ReEmbedder,
    discard_change,
    re_embedding,
)
from likeness.service.models.re_embed_source import PictureAgain, read_sources
from likeness.service.search.naming import Naming
from likeness.terms import FEWEST_SUBJECTS
from likeness.vision.find import FaceFinder

_RE_EMBED = "collections re-embed"
_COLUMNS = ("reference_id", "subject", "external_id", "reason")
_MOST_SHOWN = 10


@dataclass(slots=True)
class _Tally:
    """What came of the pictures, and which references are left."""

    pictures: int = 0
    made_anew: int = 0
    strangers: int = 0
    rejected: int = 0
    worst: ExitCode = ExitCode.DONE
    missing: list[UUID] = field(default_factory=list)
    first_missing: list[Missing] = field(default_factory=list)


def re_embed(
    name: Name,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE...]",
            help="Pictures, folders, CSV files with a column path, or s3://BUCKET/PREFIX.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Model that makes its templates. Default: LIKENESS_RECOGNISER."
        ),
    ] = None,
    from_crops: Annotated[
        bool,
        typer.Option("--crops", help="Use crops kept for review where no picture comes."),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv", help="Write here which references have no new template, and why."
        ),
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Erase references without a new template.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--discard", help="Drop what is ready; the collection stays as it is.")
    ] = False,
    yes: Yes = False,
    certificate: CertificateTo = None,
    as_json: AsJson = False,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Move a collection to another model: its templates are made anew from the same pictures.

    Searches with the old model go on until every reference has a new template. If it is
    interrupted, run the same command again to continue; pictures may also come in several runs.
    """
    installation = prepare(
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    if drop:
        if sources or leave_out or from_crops or to:
            raise InvalidRequest(
                "--discard is given alone. Leave out pictures and other options, or leave it out."
            )
        with home_for(_RE_EMBED, installation) as (home, caller):
            dropped = discard_change(home, caller, name)
        print(f"Dropped: {several(dropped, 'reference')} made ready. {plain(name)} stays as it is.")
        return
    for out in (report, certificate):
        if out is not None:
            check_output(out)
    model, tally, erased = installation.template_model(to), _Tally(), list[ErasureCertificate]()
    pictures = read_sources(sources or [], lambda: buckets_of(installation.settings))

    def load() -> FaceFinder:
        with fetching() as progress:
            return Finders(installation, Workload.MANY, progress, fetches=True).of_model(model)

    with home_for(_RE_EMBED, installation) as (home, caller):
        new = NewModel(model.name, model.dimensions, load)
        workers = installation.workers(Workload.MANY)
        with re_embedding(home, caller, name, new, workers=workers) as work:
            _make_anew(work, pictures, tally, "Pictures")
            if from_crops:
                _make_anew(work, work.crops(), tally, "Crops")
            _take_stock(work, report, tally)
            if tally.missing and leave_out:
                left = several(len(tally.missing), "reference")
                require_yes(f"Erase {left} of {plain(name)} that have no new template?", yes)
            switches = leave_out or not tally.missing
            if switches:
                erased = work.switch(tally.missing)
                remember_choice(installation, home.gallery.collection(name))
    _answer(_json(name, model.name, tally, switches), tally, erased, certificate, as_json)
    if not switches:
        warn(
            f"{len(tally.missing)} references of {name!r} have no new template, so it stays as it"
            " is. Give the other pictures too, or erase those references with --leave-out."
        )
        raise typer.Exit(ExitCode.USED_WRONGLY)
    raise typer.Exit(tally.worst)


def _make_anew(
    re_embedder: ReEmbedder, pictures: Sequence[PictureAgain], tally: _Tally, what: str
) -> None:
    with counting(what) as tell:
        for done, result in enumerate(re_embedder.make_anew(pictures), start=1):
            tally.pictures += 1
            tally.made_anew += result.made_anew
            if result.error is not None:
                tally.rejected += 1
                tally.worst = max(tally.worst, code_of(result.error))
                warn(str(result.error), about=repr(result.place))
            elif not result.references:
                tally.strangers += 1
            tell(done, len(pictures))


def _take_stock(re_embedder: ReEmbedder, report: Path | None, tally: _Tally) -> None:
    """Say in the report which references have no new template, and remember their ids."""
    with growing_output(report) if report else nullcontext(io.StringIO()) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in re_embedder.missing():
            chosen = (as_text(one.subject or ""), as_text(one.external_id or ""))
            writer.writerow((one.id, *chosen, one.reason))
            tally.missing.append(one.id)
            if len(tally.first_missing) < _MOST_SHOWN:
                tally.first_missing.append(one)


def _json(name: str, model: str, tally: _Tally, switched: bool) -> Json:
    return {
        "collection": name,
        "model": model,
        "pictures": tally.pictures,
        "made_anew": tally.made_anew,
        "strangers": tally.strangers,
        "rejected": tally.rejected,
        "missing": len(tally.missing),
        "switched": switched,
    }


def _answer(
    answer: Json,
    tally: _Tally,
    erased: Sequence[ErasureCertificate],
    certificate: Path | None,
    as_json: bool,
) -> None:
    if as_json:
        print_json({**answer, "erased": [certificate_json(one) for one in erased]})
        for one in erased:
            if certificate is not None:
                write_certificate(one, certificate)
        return
    print(
        f"{several(tally.pictures, 'picture')}: {several(tally.made_anew, 'reference')} made anew,"
        f" {tally.strangers} of nobody here, {tally.rejected} rejected."
    )
    if tally.missing:
        print(f"Without a new template: {several(len(tally.missing), 'reference')}.")
        for missing in tally.first_missing:
            print(f"  {missing.id} {plain(missing.subject or 'unnamed')}: {plain(missing.reason)}")
    if answer["switched"]:
        print(f"{plain(answer['collection'])} is of {answer['model']} from now on.")
    for one in erased:
        give_certificate(one, certificate, as_json=False)


def cohort(
    name: Name,
    as_json: AsJson = False,
) -> None:
    """Measure how alike the people of a collection look to each other, and what that means.

    A running server does so by itself, and so does `identify` before it names anybody. With 30
    subjects or more, their first references join the cohort and their pairs say what scores mean
    here; with fewer, strangers of one sex, race and age stand for them.
    """
    installation = installation_here()
    with home_for("collections cohort", installation) as (home, caller):
        with counting("References") as tell:
            done = measure_collection(home, caller, name, tell)
        collection = home.gallery.collection(name)
        naming = Naming.of(
            home.calibration_of(collection),
            None if done.measured is None else done.measured.own,
            collection.size.references,
            fmr=installation.settings.fmr,
            fpir=installation.settings.fpir,
            warn_from=installation.settings.group_fmr_warning,
        )
    if as_json:
        print_json(_cohort_json(name, done, naming))
        return
    for paragraph in _cohort_in_words(name, done):
        print(folded(plain(paragraph)))
    print(*search_in_words(naming), sep="\n")


def _cohort_in_words(name: str, done: Upkeep) -> list[str]:
    evened = f"Evened out anew: {several(done.evened_out, 'reference')}."
    measured = (
        f"{name} has fewer than {FEWEST_SUBJECTS} named people, too few to measure how alike"
        " they look: strangers of one sex, race and age stand for them."
    )
    if done.measured is not None:
        joined, pairs = len(done.measured.joining), done.measured.own.pairs
        measured = (
            f"{joined} people of {name} joined its cohort; {pairs:,} pairs of them say what scores"
            " mean here."
        )
    return [evened, measured] if done.evened_out else [measured]


def _cohort_json(name: str, done: Upkeep, naming: Naming) -> Json:
    measured = done.measured
    return {
        "collection": name,
        "evened_out": done.evened_out,
        "joined": None if measured is None else len(measured.joining),
        "operating_point": search_json(naming),
    }
