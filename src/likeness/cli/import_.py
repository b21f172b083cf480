"""`likeness import`: a collection from another installation, or people from CompreFace."""

import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Installation, Workload
from likeness.app.finders import adopt_cohort_and_require_comparable, model_of, require_complete
from likeness.cli.acts import home_for, tell_of_better_model
from likeness.cli.enrol import enrol_all, print_tally
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.options import AnyQuality, AsJson, Foremost, PassphraseFile, UnlikeOthers
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import passphrase_from
from likeness.cli.terminal.stopping import stopping
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest, StateError
from likeness.gallery import Collection, Size
from likeness.service.enrol.check_subjects import count_strays
from likeness.service.enrol.enrol import Demands
from likeness.service.move.compreface import (
    CompreFace,
    CompreFaceDatabase,
    CompreFaceDump,
    compreface_pictures,
)
from likeness.service.move.import_ import Imported, import_collection, read_export
from likeness.service.uses import Home
from likeness.terms import Action

_REPORT = Path("compreface.import-report.csv")


def import_(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="What `likeness export` wrote.")
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What to call it; with --compreface, collection to enrol into."
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    compreface: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="CompreFace's database, postgresql://user@host/database, or its dump in SQL.",
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="CompreFace's service, or its API key, of several."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help=f"Write one row per picture of CompreFace's here. Default: {_REPORT}.",
        ),
    ] = None,
    any_quality: AnyQuality = False,
    foremost: Foremost = False,
    unlike: UnlikeOthers = False,
    bring_back: Annotated[
        bool,
        typer.Option("--bring-back", help="Import those too who were erased here; it is recorded."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a collection of what another installation exported, whole or not at all.

    With --compreface, enrol the pictures that CompreFace keeps into a collection. If that is
    interrupted, run the same command again to continue.
    """
    if (file is None) == (compreface is None):
        raise InvalidRequest("What to import is not clear. Give a FILE, or --compreface SOURCE.")
    if file is not None:
        if service or report or any_quality or foremost or unlike:
            raise InvalidRequest(
                "--service, --report, --any-quality, --foremost and --unlike are for --compreface."
                " Leave them out."
            )
        _import_collection(file, collection, passphrase_file, bring_back, as_json)
    elif compreface is not None:
        if collection is None or passphrase_file is not None or bring_back:
            raise InvalidRequest(
                "--compreface needs --collection NAME, and neither a passphrase nor --bring-back."
                " `likeness collections create` makes the collection."
            )
        report = report or _REPORT
        check_output(report)
        installation = installation_here()
        with home_for("import", installation, makes_home=True) as (home, caller):
            # Said before anything is read.
            of = home.collection(caller, Action.ENROL, collection)
            adopt_cohort_and_require_comparable(installation, home, of)
            with _compreface(compreface, installation) as source:
                tally = enrol_all(
                    home,
                    caller,
                    collection,
                    compreface_pictures(source, service),
                    Demands(any_quality, foremost, unlike),
                    report=report,
                    workers=installation.workers(Workload.MANY),
                )
        print_tally(tally, report, as_json)
        raise typer.Exit(tally.code)


def _import_collection(
    path: Path, name: str | None, passphrase_file: Path | None, bring_back: bool, as_json: bool
) -> None:
    if path.exists() and not path.is_file():
        raise InvalidRequest(f"'{path}' is not a file. Name what `likeness export` wrote.")
    installation = installation_here()
    with home_for("import", installation, makes_home=True) as (home, caller):
        try:
            with (
                path.open("rb") as file,
                stopping() as stopped,
                counting("Subjects and references") as show,
            ):
                export = read_export(file, lambda: passphrase_from(passphrase_file, new=False))

                def tell(done: int, total: int) -> None:
                    if stopped():
                        raise KeyboardInterrupt
                    show(done, total)

                done = import_collection(
                    home, caller, export, name, bring_back=bring_back, tell=tell
                )
        except KeyboardInterrupt:
            warn("Interrupted, and nothing was imported. Run the same command again.")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except OSError as error:
            raise InvalidRequest(
                f"'{path}' cannot be read ({error.strerror}). Check the path and its permissions."
            ) from error
        made = done.collection
        unlike = _count_unlike(home, made)
        size = made.size
        document = {
            "collection": made.name,
            "subjects": size.subjects,
            "references": size.references,
            "model": made.model,
            "model_in_force": made.model == installation.model,
            "left_out": asdict(done.left_out),
            "brought_back": asdict(done.brought_back),
            "with_collection": asdict(done.with_collection),
            "unlike": unlike,
        }
        said = [*_erased_in_words(done), *_unlike_in_words(made, unlike)]
        print_answer(as_json, document, [f"{made.name}: {_counts(size)}", *said])
        _tell_of_model(installation, made)


def _erased_in_words(done: Imported) -> list[str]:
    said = []
    if any(astuple(done.left_out)):
        said.append(
            f"Left out: {_counts(done.left_out)}, erased here after the export was made."
            " --bring-back imports them too."
        )
    if any(astuple(done.brought_back)):
        said.append(f"Brought back: {_counts(done.brought_back)} that were erased here.")
    if any(astuple(done.with_collection)):
        said.append(
            f"Back again: {_counts(done.with_collection)} that were erased with their collection."
        )
    return said


def _count_unlike(home: Home, made: Collection) -> int:
    """Count the references of an imported collection that look like none of the person's others."""
    try:
        return count_strays(home, made)
    except KeyboardInterrupt:
        warn(
            f"Interrupted. Collection {made.name!r} is imported. `likeness subjects check` looks"
            " for references like none of the person's others."
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _unlike_in_words(made: Collection, unlike: int) -> list[str]:
    if not unlike:
        return []
    of = shlex.quote(made.name)
    return [
        f"{several(unlike, 'reference')} like none of the person's others: `likeness subjects"
        f" check --collection {of}` lists them."
    ]


def _counts(size: Size) -> str:
    return f"{several(size.subjects, 'subject')} and {several(size.references, 'reference')}"


def _tell_of_model(installation: Installation, collection: Collection) -> None:
    """Say what keeps a collection from being searched here, or that a better model exists."""
    try:
        require_complete(installation, collection, model_of(installation, collection))
    except StateError as error:
        warn(str(error))
    else:
        tell_of_better_model(installation, collection)


@contextmanager
def _compreface(source: str, installation: Installation) -> Iterator[CompreFace]:
    most_bytes = installation.limits.max_bytes
    if "://" not in source:
        yield CompreFaceDump(Path(source), most_bytes)
        return
    with closing(CompreFaceDatabase(source, most_bytes)) as database:
        yield database
