"""`likeness watch`: standing searches, also while a server runs."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_opened
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import picture_path, sample_of
from likeness.policy import require_known
from likeness.review import Grounds
from likeness.service.uses.caller import Caller, Stated
from likeness.service.watch import watches as acts
from likeness.service.watch.watches import Wanted
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
    grounds = Grounds(authority, criteria)
    wanted = Wanted(collection, grounds, expires.replace(tzinfo=UTC), webhook)
    with rows_opened(settled) as rows:
        # Somebody who can read the home's keys may state any purpose.
        whoever = replace(rows.somebody, purposes=(purpose,))
        caller = Caller(whoever, "AddWatch", Stated(purpose))
        added, secret = acts.add_watch(rows, caller, wanted, partial(sample_of, settled, image))
    if as_json:
        print_json(AddedWatchAnswer.of_added(added, secret).model_dump(mode="json"))
        return
    print(f"{added.id} watches until {added.expires_at:%Y-%m-%d}.")
    if secret is not None:
        print(f"Webhooks are signed with {secret.text}: it is shown this once.")


@watch.command("list")
def list_watches(as_json: AsJson = False) -> None:
    """List the watches that have not ended, with their collections and grounds."""
    with rows_opened() as rows:
        every = acts.list_watches(rows, Caller(rows.somebody, "ListWatches"))
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
    with rows_opened() as rows:
        ended = acts.end_watch(rows, Caller(rows.somebody, "EndWatch"), watch_id)
    if as_json:
        print_json(WatchAnswer.of(ended).model_dump(mode="json"))
        return
    print(f"{ended.id} watches no more.")
