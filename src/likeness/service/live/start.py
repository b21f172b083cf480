"""Begins live searches: they are admitted, recorded and kept as jobs that last."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from likeness import jobs, sources
from likeness.errors import InvalidRequest, NotFound
from likeness.jobs import Job, NewJob
from likeness.notify import checked_stream_arn, read_url, require_reachable
from likeness.service.live.asked import LIVE_SEARCH, LiveAsked, LiveRequest
from likeness.service.live.kept import SIGHTING
from likeness.service.uses import Caller, Home, Ongoing, Outcome, use_in
from likeness.sources import Source, SourceKind
from likeness.terms import UNDECLARED, Action

_MOST_LOOKS_PER_S = 30.0
_LONGEST = timedelta(days=366)


def start_live(
    home: Home,
    caller: Caller,
    asked: LiveAsked,
    *,
    local: bool = False,
    also: Callable[[Connection, Job], None] | None = None,
) -> Job:
    """Begin to search a source for the people of a collection, as it happens.

    Where no place is stated, it is the source's. A `local` search is run by the program that asks
    for it, and by no server. With `also`, something else is written with it, or neither.

    Raises:
        NoSuchCollection, NotFound: there is no such collection, or no such source.
        InvalidRequest: the period has ended, or somebody cannot be told.
        Conflict: the collection's model or cohort is not to be had here.
        LimitReached: as many searches as may be go on already.
        Denied: it may not be done.
    """
    of = home.collection(caller, Action.SEARCH, asked.collection)
    source = _source_of(home, caller, asked)
    stated = asked.statement
    asked = replace(asked, statement=replace(stated, place=stated.place or source.place))
    asker = as_live(caller, asked, source)
    use = use_in(asker.use(Action.SEARCH), of.id, of.tags, of.model)
    now = home.clock()
    with home.record_use(asker, use, Ongoing(now, begins=True)) as record:
        _require_possible(home, asked)
        home.calibration_of(of)  # what nobody measured could name nobody

        def add(connection: Connection) -> Job:
            case_id = record.ask_authority(connection)
            request = LiveRequest.of(asker, asked, source, now, case_id)
            new = NewJob(
                act=LIVE_SEARCH,
                principal_id=caller.principal.id,
                collection_id=of.id,
                request=request.to_bytes(),
                local=local,
                lasting=True,
            )
            job = jobs.add_job(connection, home.keyring, new, now)
            if asked.webhook is not None:
                jobs.begin_delivery(connection, job.id, SIGHTING, now)
            if also is not None:
                also(connection, job)
            return job

        details = {"source_id": str(source.id)}
        return record.write(add, lambda job: Outcome(details={"job_id": job.id, **details}))


def as_live(caller: Caller, asked: LiveAsked, source: Source) -> Caller:
    """Give the caller with what is stated of a live search, and of the source's pictures.

    A file is of another moment, whenever it is played, unless the caller says that it is not. What
    an admin declared of a source's pictures, no statement takes back.

    Raises:
        InvalidRequest: the caller states another sort of source than is registered.
    """
    declared, footage = str(source.footage), caller.stated.footage
    if declared != UNDECLARED:
        if footage not in (None, UNDECLARED, declared):
            raise InvalidRequest(
                f"The source {source.name!r} is registered as {declared}, and another sort of"
                " footage is stated. Leave that out, or register the source anew."
            )
        footage = declared
    stated = replace(
        caller.stated,
        live=caller.stated.live or source.kind is SourceKind.STREAM,
        live_search=asked.statement,
        footage=footage,
    )
    return replace(caller, stated=stated)


def _source_of(home: Home, caller: Caller, asked: LiveAsked) -> Source:
    """Find the source; that there is none is on record."""
    try:
        return home.database.read(
            lambda connection: sources.get_source(connection, home.keyring, asked.source)
        )
    except NotFound:
        with home.record(caller, Action.SEARCH):
            raise


def _require_possible(home: Home, asked: LiveAsked) -> None:
    """Refuse what cannot be done, whatever rules say."""
    now, ends_at = home.clock(), asked.statement.ends_at
    if ends_at is not None and not now < ends_at <= now + _LONGEST:
        raise InvalidRequest(
            "The search would end in the past, or in more than a year. Give a later moment at which"
            " it ends, a year ahead at most."
        )
    if not 0 < asked.looks_per_s <= _MOST_LOOKS_PER_S:
        raise InvalidRequest(
            f"{asked.looks_per_s:g} looks a second are not possible. Ask for more than 0 and at"
            f" most {_MOST_LOOKS_PER_S:g}."
        )
    if asked.webhook is not None:
        require_reachable(read_url(asked.webhook.url), home.webhook_networks)
    if asked.kinesis_arn is not None:
        checked_stream_arn(asked.kinesis_arn)
