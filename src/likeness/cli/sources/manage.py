"""`likeness sources add`, `list`, `show`, `check` and `remove`."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.prompts import password_from
from likeness.cli.terminal.words import minute
from likeness.service.live import sources as acts
from likeness.service.live.sources import NewSource
from likeness.sources import Source
from likeness.streams import read_location
from likeness.terms import UNDECLARED, Footage
from likeness.v1.answers import SourceAnswer

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the source.")]


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="Where it is: rtsp://, rtsps://, http:// or https:// with a user where one is"
            " needed, such as rtsp://viewer@camera.example/main; or the path of a video.",
        ),
    ],
    password_source: Annotated[
        str | None,
        typer.Option(
            "--password-from",
            metavar="FROM",
            help="Where the password is: - for the first line of standard input, or the name of an"
            " environment variable. Default: ask at the terminal.",
        ),
    ] = None,
    footage: Annotated[
        Footage, typer.Option(help="Sort of source. It can only make rules stricter.")
    ] = Footage.UNDECLARED,
    place: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Where it looks, in your words.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a camera, a stream or a file under a name."""
    new = NewSource(
        name=name,
        address=address if "://" in address else Path(address).absolute(),
        password=_password_of(address, password_source) if "://" in address else None,
        footage=footage.value,
        place=place,
    )
    with rows_for("AddSource", makes_home=True) as (rows, caller):
        added = acts.add_source(rows, caller, new)
    print_answer(as_json, _json(added), [f"{added.name} is registered: {added.shown}."])


def list_sources(as_json: AsJson = False) -> None:
    """List the sources; no password is shown."""
    with rows_for("ListSources") as (rows, caller):
        every = acts.list_sources(rows, caller)
    lines = [f"{one.name}  {one.shown}" for one in every]
    none = ["There is no source. `likeness sources add NAME ADDRESS` registers one."]
    print_answer(as_json, {"sources": [_json(one) for one in every]}, lines or none)


def show(name: Name, as_json: AsJson = False) -> None:
    """Show a source; no password is shown."""
    with rows_for("ShowSource") as (rows, caller):
        source = acts.show_source(rows, caller, name)
    lines = [
        f"{source.name}  {source.shown}",
        f"  {source.kind}, {_sort_in_words(source)}",
        *([] if source.place is None else [f"  looks at {source.place}"]),
        f"  registered by {source.added_by} on {minute(source.added_at)}",
    ]
    print_answer(as_json, _json(source), lines)


def check(name: Name, as_json: AsJson = False) -> None:
    """Connect to a source, and show what it sends: size and rate."""
    with rows_for("CheckSource") as (rows, caller):
        checked = acts.check_source(rows, caller, name)
    clip, rate = checked.clip, checked.frames_per_s
    document = {
        "name": name,
        "container": clip.container,
        "codec": clip.codec,
        "width": clip.width,
        "height": clip.height,
        "first_s": round(checked.first_s, 2),
        "frames_per_s": None if rate is None else round(rate, 1),
        "remarks": list(clip.remarks),
    }
    often = "" if rate is None else f", {rate:.1f} frames a second"
    lines = [
        f"{name} sends {clip.width}x{clip.height} ({clip.codec} in {clip.container}){often}. The"
        f" first frame came after {checked.first_s:.1f} s.",
        *(f"  {remark}" for remark in clip.remarks),
    ]
    print_answer(as_json, document, lines)


def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a source with its password; searches of it end within a second."""
    with rows_for("RemoveSource") as (rows, caller):
        removed = acts.remove_source(rows, caller, name)
    print_answer(as_json, {"id": str(removed), "name": name}, [f"{name} is removed."])


def _password_of(address: str, source: str | None) -> str | None:
    """Ask for the password of an address's user; None where it has one, or nobody to sign in."""
    location = read_location(address)
    if location.password:
        warn(
            "The password is in your shell's history now. Leave it out of the address: it is asked"
            " for, or comes from --password-from."
        )
        if source is None:
            return None
    if source is None and not location.user:
        return None
    return password_from(source)


def _sort_in_words(source: Source) -> str:
    undeclared = source.footage == UNDECLARED
    return "sort of source undeclared" if undeclared else source.footage


def _json(source: Source) -> dict[str, object]:
    return SourceAnswer.of(source).model_dump(mode="json")
