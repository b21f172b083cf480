"""`likeness import`: a collection from another installation, or people from CompreFace."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.app.collections import require_comparable
from likeness.app.enrolment import enroller_of
from likeness.app.finders import model_of, require_complete
from likeness.app.home import Home
from likeness.app.on_record import on_record
from likeness.cli.collections.finder import finder_of, tell_of_better_model
from likeness.cli.enrolling import enrol_all, print_tally
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.options import AnyQuality, AsJson, Foremost, PassphraseFile
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.prompts import passphrase_from
from likeness.cli.terminal.stopping import stopping
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest, StateError
from likeness.gallery import Collection
from likeness.service.enrol.enrol import Demands
from likeness.service.move.import_collection import Imported, import_collection
from likeness.service.move.import_compreface import CompreFace, compreface_pictures
from likeness.service.move.import_compreface_database import CompreFaceDatabase
from likeness.service.move.import_compreface_dump import CompreFaceDump
from likeness.service.move.import_lines import read_export
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
            help=f"What came of every picture of CompreFace's; {_REPORT} without.",
        ),
    ] = None,
    any_quality: AnyQuality = False,
    foremost: Foremost = False,
    as_json: AsJson = False,
) -> None:
    """Make a collection of what another installation exported, whole or not at all.

    With --compreface, enrol the pictures that CompreFace keeps into a collection; cut off in
    whatever way, the same command goes on where it was.
    """
    if (file is None) == (compreface is None):
        raise InvalidRequest("a FILE or --compreface SOURCE was expected: give one of the two")
    if file is not None:
        if service or report or any_quality or foremost:
            raise InvalidRequest(
                "--service, --report, --any-quality and --foremost are for --compreface: leave them"
                " out"
            )
        _import_collection(file, collection, passphrase_file, as_json)
    elif compreface is not None:
        if collection is None or passphrase_file is not None:
            raise InvalidRequest(
                "--compreface needs --collection NAME, and no passphrase: make the collection with"
                " `likeness collections create`"
            )
        demands = Demands(any_quality, foremost)
        _import_compreface(compreface, service, collection, demands, report or _REPORT, as_json)


def _import_collection(
    path: Path, name: str | None, passphrase_file: Path | None, as_json: bool
) -> None:
    if path.exists() and not path.is_file():
        raise InvalidRequest(f"an export was expected and '{path}' is no file: name one")
    with Home(installation()) as home:
        try:
            with path.open("rb") as file:
                export = read_export(file, lambda: passphrase_from(passphrase_file, new=False))
                with (
                    on_record(home, Action.ENROL, "import") as record,
                    stopping() as stopped,
                    counting("Subjects and references") as show,
                ):

                    def tell(done: int, total: int) -> None:
                        if stopped():
                            raise KeyboardInterrupt
                        show(done, total)

                    imported = import_collection(
                        record,
                        home.collections,
                        home.installation.standards,
                        export,
                        name,
                        tell,
                    )
        except KeyboardInterrupt:
            warn("interrupted, and nothing was imported: the same command begins anew")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except OSError as error:
            raise InvalidRequest(
                f"an export was expected and '{path}' cannot be read ({error.strerror}): check the"
                " path and its permissions"
            ) from error
        _print(imported, home.installation.model, as_json)
        _tell_of_model(home, imported.collection)


def _print(imported: Imported, model_in_force: str, as_json: bool) -> None:
    made, size = imported.collection, imported.size
    is_in_force = made.model == model_in_force
    if as_json:
        print_json(
            {
                "collection": made.name,
                "subjects": size.subjects,
                "references": size.references,
                "model": made.model,
                "model_in_force": is_in_force,
            }
        )
    else:
        print(
            f"{plain(made.name)}: {several(size.subjects, 'subject')} and"
            f" {several(size.references, 'reference')}"
        )


def _tell_of_model(home: Home, collection: Collection) -> None:
    """Say what keeps a collection from being searched here, or that a better model exists."""
    installation = home.installation
    try:
        model = model_of(installation, collection)
        require_complete(installation, collection, model)
    except StateError as error:
        warn(str(error))
    else:
        tell_of_better_model(home, collection)


def _import_compreface(
    source: str,
    service: str | None,
    collection: str,
    demands: Demands,
    report: Path,
    as_json: bool,
) -> None:
    check_output(report)
    settled = installation()
    with Home(settled) as home, ExitStack() as open_meanwhile:
        # Said before anything is read.
        known = home.gallery.collection(collection)
        require_comparable(home, known)
        pictures = compreface_pictures(
            _compreface(source, settled.limits.max_bytes, open_meanwhile), service
        )
        finder = finder_of(home, known, Workload.MANY)
        tally = enrol_all(
            enroller_of(home, collection, finder, demands, "import"), pictures, report
        )
    print_tally(tally, report, as_json)
    raise typer.Exit(tally.code)


def _compreface(source: str, most_bytes: int, open_meanwhile: ExitStack) -> CompreFace:
    if "://" not in source:
        return CompreFaceDump(Path(source), most_bytes)
    database = CompreFaceDatabase(source, most_bytes)
    return open_meanwhile.enter_context(closing(database))
