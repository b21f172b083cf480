"""`likeness watch`: standing searches, also while a server runs."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_for
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.standard_input import picture_path, sample_of
from likeness.cli.terminal.words import minute
from likeness.policy import require_known
from likeness.review import Grounds
from likeness.service.uses import Stated
from likeness.service.watch import watches as acts
from likeness.service.watch.watches import Wanted
from likeness.v1.answers import AddedWatchAnswer, SeenWatchAnswer, WatchAnswer

watch = typer.Typer(
    help="Standing searches: get told when somebody is enrolled, or seen in a clip.",
    add_completion=False,
)


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
        typer.Option(
            metavar="DATE", formats=["%Y-%m-%d"], help="Day on which it ends, at 00:00 UTC."
        ),
    ],
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Whom to tell of every case it opens.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a case whenever somebody who resembles a picture is enrolled, or seen in a clip."""
    require_known(purposes=[purpose])
    installation = installation_here()
    wanted = Wanted(collection, Grounds(authority, criteria), expires.replace(tzinfo=UTC), webhook)
    with rows_for("AddWatch", installation) as (rows, caller):
        # Somebody who can read the home's keys may state any purpose.
        caller = replace(
            caller,
            principal=replace(caller.principal, purposes=(purpose,)),
            stated=Stated(purpose),
        )
        added, secret = acts.add_watch(
            rows, caller, wanted, partial(sample_of, installation, image)
        )
    lines = [f"{added.id} watches until {minute(added.expires_at)}."]
    if secret is not None:
        lines.append(f"Webhooks are signed with {secret.text}: it is shown this once.")
    document = AddedWatchAnswer.of_added(added, secret).model_dump(mode="json")
    print_answer(as_json, document, lines)


@watch.command("list")
def list_watches(as_json: AsJson = False) -> None:
    """List the watches that have not ended, with their collections and grounds."""
    with rows_for("ListWatches") as (rows, caller):
        every = acts.list_watches(rows, caller)
    lines = [
        line
        for one in every
        for line in (
            f"{one.watch.id}  in {one.collection} until {minute(one.watch.expires_at)}, for"
            f" {one.watch.purpose}",
            f"  on the authority of {one.grounds.authority}: {one.grounds.criteria}",
        )
    ]
    documents = [SeenWatchAnswer.of_seen(one).model_dump(mode="json") for one in every]
    print_answer(as_json, {"watches": documents}, lines or ["There is no watch."])


@watch.command()
def end(
    watch_id: Annotated[UUID, typer.Argument(metavar="ID", help="The watch's id.")],
    as_json: AsJson = False,
) -> None:
    """End a watch; the cases that it opened stay."""
    with rows_for("EndWatch") as (rows, caller):
        ended = acts.end_watch(rows, caller, watch_id)
    document = WatchAnswer.of(ended).model_dump(mode="json")
    print_answer(as_json, document, [f"{ended.id} watches no more."])
