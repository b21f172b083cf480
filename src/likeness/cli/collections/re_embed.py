"""`likeness collections re-embed`: a collection moves to another model, from its pictures."""

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
from likeness.app.collections import remember_choice
from likeness.app.finders import Finders
from likeness.app.home import Home
from likeness.app.on_record import on_record
from likeness.app.re_embedding import re_embedder_of
from likeness.cli.certificates import certificate_json, give_certificate, write_certificate
from likeness.cli.opened import prepare
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
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest
from likeness.gallery import ErasureCertificate
from likeness.service.enrol.csv_cells import as_text
from likeness.service.models.re_embed import Missing, ReEmbedder, discard, require_another_model
from likeness.service.models.re_embed_source import PictureAgain, read_sources
from likeness.service.uses.record import Outcome
from likeness.terms import Action

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
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection.")],
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
        typer.Option(metavar="OUT.csv", help="Write which references have no new template, why."),
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
    settled = prepare(
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    if drop:
        if sources or leave_out or from_crops or to:
            raise InvalidRequest(
                "--discard was expected alone, and pictures or other options came too: give either"
            )
        with Home(settled) as home:
            known = home.gallery.collection(name)
            with on_record(home, Action.ARRANGE, "collections re-embed", known) as record:
                dropped = discard(record, home.gallery, name)
        print(f"Dropped: {several(dropped, 'reference')} made ready. {plain(name)} stays as it is.")
        return
    for out in (report, certificate):
        if out is not None:
            check_output(out)
    model = settled.template_model(to)
    pictures = read_sources(sources or [], lambda: buckets_of(settled.settings))
    with Home(settled) as home:
        known = home.gallery.collection(name)
        # Templates of people are made, as in enrolment.
        with on_record(home, Action.ENROL, "collections re-embed", known) as record:
            require_another_model(known, model.name)  # said before networks are loaded
            with fetching() as progress:
                engine = settled.engine(Workload.MANY)
                finder = Finders(settled, engine, progress, fetches=True).of_model(model)
            re_embedder = re_embedder_of(home, name, finder)
            tally = _Tally()
            _make_anew(re_embedder, pictures, tally, "Pictures")
            if from_crops:
                _make_anew(re_embedder, re_embedder.crops(), tally, "Crops")
            _take_stock(re_embedder, report, tally)
            if tally.missing and leave_out:
                held = several(len(tally.missing), "reference")
                require_yes(f"Erase {held} of {plain(name)} that have no new template?", yes)
            switches = leave_out or not tally.missing
            erased = re_embedder.switch(record, tally.missing) if switches else []
            if switches:
                remember_choice(home, home.gallery.collection(name))
            else:
                record.answered(Outcome(details={"made_anew": str(tally.made_anew)}))
    _answer(_json(name, model.name, tally, switches), tally, erased, certificate, as_json)
    if not switches:
        warn(
            f"every reference of {name!r} was expected to have a new template and"
            f" {len(tally.missing)} have none, so it stays as it is: give the other pictures too,"
            " or erase those references with --leave-out"
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
