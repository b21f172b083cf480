"""`likeness watch`: standing searches, also while a server runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.app import Workload
from likeness.app.access import Rows
from likeness.app.review import watch_office
from likeness.cli.collections.finder import finder_of
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import picture_path, sample_of
from likeness.gallery import Collection
from likeness.policy import require_known
from likeness.review import Grounds
from likeness.service.watch.watch_office import Wanted, WatchOffice
from likeness.service.watch.watched_face import only_face
from likeness.terms import Template
from likeness.v1.answers import AddedWatchAnswer, SeenWatchAnswer, WatchAnswer

watch = typer.Typer(help="Standing searches: whom to look for in what is enrolled later.")


@watch.command()
def add(
    image: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGE",
            help="A picture of whom to watch for; - is standard input.",
            parser=picture_path,
        ),
    ],
    collection: Annotated[str, typer.Option(metavar="C", help="Where to watch.")],
    purpose: Annotated[str, typer.Option(metavar="P", help="What for.")],
    authority: Annotated[str, typer.Option(metavar="A", help="On whose authority.")],
    criteria: Annotated[
        str, typer.Option(metavar="TEXT", help="Why this person belongs on a list.")
    ],
    expires: Annotated[
        datetime,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="The day it ends, in UTC."),
    ],
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Whom to tell of every case it opens.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a case whenever somebody is enrolled who resembles a picture."""
    require_known(purposes=[purpose])
    settled = installation()

    wanted = Wanted(
        collection,
        purpose,
        Grounds(authority, criteria),
        expires.replace(tzinfo=UTC),
        webhook,
        purpose_granted=True,
    )
    with Rows(settled) as rows:

        def face_of(watched: Collection) -> tuple[Template, bytes]:
            return only_face(finder_of(rows, watched, Workload.ONE), sample_of(settled, image))

        added, secret = watch_office(rows, rows.somebody).add(wanted, face_of)
    if as_json:
        print_json(AddedWatchAnswer.of_added(added, secret).model_dump(mode="json"))
        return
    print(f"{added.id} watches until {added.expires_at:%Y-%m-%d}.")
    if secret is not None:
        print(f"Webhooks are signed with {secret.text}: it is shown this once.")


@watch.command("list")
def list_watches(as_json: AsJson = False) -> None:
    """List the watches that have not ended, with their collections and grounds."""
    with _office() as office:
        every = office.every()
    if as_json:
        watches = [SeenWatchAnswer.of_seen(one).model_dump(mode="json") for one in every]
        print_json({"watches": watches})
        return
    for one in every:
        until = f"{one.watch.expires_at:%Y-%m-%d}"
        print(plain(f"{one.watch.id}  in {one.collection} until {until}, for {one.watch.purpose}"))
        print(plain(f"  on the authority of {one.grounds.authority}: {one.grounds.criteria}"))
    if not every:
        print("There is no watch.")


@watch.command()
def end(
    watch_id: Annotated[UUID, typer.Argument(metavar="ID", help="The watch's id.")],
    as_json: AsJson = False,
) -> None:
    """End a watch; the cases that it opened stay."""
    with _office() as office:
        ended = office.end(watch_id)
    if as_json:
        print_json(WatchAnswer.of(ended).model_dump(mode="json"))
        return
    print(f"{ended.id} watches no more.")


@contextmanager
def _office() -> Iterator[WatchOffice]:
    with Rows(installation()) as rows:
        yield watch_office(rows, rows.somebody)
