"""`likeness sources watch`: who of a collection a source shows, printed as it happens."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.app.live import live_jobs
from likeness.app.upkeep import told_by_webhook
from likeness.cli.acts import home_for
from likeness.cli.clips.tables import WITHHELD, match_in_words
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_json_line
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import FootageStated
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.stopping import stopping
from likeness.errors import InvalidRequest
from likeness.jobs import run_here
from likeness.notify import Webhook, WebhookSecret
from likeness.policy import require_known
from likeness.service.live.asked import LOOKS_PER_S, LiveAsked
from likeness.service.live.manage import stop_live
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.service.live.start import start_live
from likeness.service.uses import Caller, Stated
from likeness.terms import LiveStatement
from likeness.v1.live_answers import SightingAnswer

_PERIOD = re.compile(r"([0-9]{1,6})(s|m|h|d)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
_BESIDE_SERVER = "ask the server: POST /v1/live"


def watch(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Name of the source.")],
    collection: Annotated[str, typer.Option(metavar="C", help="Whom to look for.")],
    authority: Annotated[
        str | None, typer.Option(metavar="TEXT", help="On whose authority people are looked for.")
    ] = None,
    criteria: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why somebody is on the list.")
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Where the source looks. Default: the source's own."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME", formats=_MOMENTS, help="When it ends, in UTC, such as 2027-01-31T18:00."
        ),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="How long it goes on, such as 30m or 8h."),
    ] = None,
    purpose: Annotated[str | None, typer.Option(metavar="P", help="What for.")] = None,
    case: Annotated[str | None, typer.Option(metavar="TEXT", help="The case it is for.")] = None,
    warrant: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The warrant that allows it.")
    ] = None,
    footage: FootageStated = None,
    looks: Annotated[
        float, typer.Option(metavar="N", help="How often a second faces are looked for.")
    ] = LOOKS_PER_S,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Send every sighting here, signed.")
    ] = None,
    kinesis: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="Kinesis data stream that is told of every frame."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line instead of text.")
    ] = False,
) -> None:
    """Look for the people of a collection in a source, and print sightings as they happen."""
    if purpose is not None:
        require_known(purposes=[purpose])
    stated = Stated(purpose, case, warrant, footage=footage)
    signs = None if webhook is None else Webhook(webhook, WebhookSecret.new())
    installation = installation_here()
    with (
        home_for("WatchSource", installation, _BESIDE_SERVER) as (home, caller),
        stopping() as wants_end,
    ):
        ends_at = _ends_at(home.clock(), until, period)
        asked = LiveAsked(
            source=source,
            collection=collection,
            statement=LiveStatement(place, authority, criteria, ends_at),
            looks_per_s=looks,
            webhook=signs,
            kinesis_arn=kinesis,
        )
        job = start_live(home, _stating(caller, stated), asked, local=True)
        show = _shown_as_json(job.id) if as_json else _show
        if not as_json:
            _say(f"Search {job.id} begins; Ctrl-C ends it.")
            if caller.proof.case_id is not None:
                _say(
                    "Nobody is named before an authority consents, recorded by another admin:"
                    f" likeness review authorise {caller.proof.case_id}"
                )
        if signs is not None:
            _say_what_signs(job.id, signs.secret, as_json)
        workers = installation.workers(Workload.MANY)
        work = live_jobs(home, installation.settings, workers, show, wants_end)
        with nullcontext() if signs is None else told_by_webhook(home):
            try:
                run_here(home.database, home.keyring, job.id, work.search, home.clock)
            except KeyboardInterrupt:  # asked twice, or by SIGTERM: nobody goes on with it later
                stop_live(home, caller, job.id)
                raise
        if wants_end():
            raise typer.Exit(ExitCode.INTERRUPTED)
        if not as_json:
            _say(f"{home.clock():%H:%M:%S}  Search ended.")


def _stating(caller: Caller, stated: Stated) -> Caller:
    """Let somebody who can read the home's keys state any purpose."""
    purposes = () if stated.purpose is None else (stated.purpose,)
    return replace(caller, principal=replace(caller.principal, purposes=purposes), stated=stated)


def _ends_at(now: datetime, until: datetime | None, period: str | None) -> datetime | None:
    if until is not None and period is not None:
        raise InvalidRequest("--until and --for both say when it ends. Give one of them.")
    if until is not None:
        return until.replace(tzinfo=UTC)
    if period is None:
        return None
    found = _PERIOD.fullmatch(period.strip())
    if found is None:
        raise InvalidRequest(f"{period!r} is no period. Give one such as 90s, 30m, 8h or 2d.")
    return now + timedelta(**{_UNITS[found[2]]: int(found[1])})


def _say_what_signs(search: str, secret: WebhookSecret, as_json: bool) -> None:
    if as_json:
        print_json_line({"search": search, "webhook_secret": secret.text})
    else:
        _say(f"Webhooks are signed with {secret.text}: it is shown this once.")


def _shown_as_json(search: str) -> Callable[[Sighting], None]:
    def show(sighting: Sighting) -> None:
        print(SightingAnswer.of(search, sighting).model_dump_json(ensure_ascii=True), flush=True)

    return show


def _show(sighting: Sighting) -> None:
    _say(f"{sighting.at:%H:%M:%S}  {in_words(sighting)}")


def _say(line: str) -> None:
    print(plain(line), flush=True)


def in_words(sighting: Sighting) -> str:
    """Say a sighting in a line."""
    found, who = sighting.match, f"person {sighting.person}"
    late = f" ({sighting.latency_ms} ms)"
    match sighting.kind:
        case SightingKind.SOURCE:
            return sighting.remark or "the source changed"
        case SightingKind.STRANGER:
            return f"{who} is a stranger{late}"
        case SightingKind.LEFT:
            name = "" if found is None else f" ({found.name})"
            since = sighting.first_at or sighting.at
            return f"{who}{name} left, in view since {since:%H:%M:%S}"
        case SightingKind.SEEN if found is None:
            return f"{who} is {WITHHELD} until case {sighting.case_id} is decided{late}"
        case SightingKind.SEEN:
            verb = "is" if found.match else "is like"
            return f"{who} {verb} {match_in_words(found)}{late}"
