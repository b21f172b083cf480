"""Stream processors: live searches that are defined once, and started and stopped by their names.

Each act is on record. A processor is known to all who may read; the search that was started of it
is its starter's, whom admins can stop as well.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection

from likeness import jobs, sources
from likeness.access import may
from likeness.errors import Conflict, Denied, NotFound
from likeness.jobs import Job
from likeness.service.live.asked import LiveAsked
from likeness.service.live.manage import LiveState, live_state, stop_live
from likeness.service.live.processor_tags import (
    live_statement,
    require_kept,
    stating,
)
from likeness.service.live.start import start_live
from likeness.service.uses import Caller, Home, Outcome, Rows
from likeness.service.video.manage import told_of_failure
from likeness.sources import Processor, ProcessorDefinition
from likeness.terms import Action


class NoSuchProcessor(NotFound):
    """There is no stream processor of the name that a caller gave."""


class ProcessorInUse(Conflict):
    """A stream processor searches, and what was asked for needs one that does not."""


class ProcessorStopped(Conflict):
    """A stream processor does not search, so that nothing can be stopped."""


@dataclass(frozen=True, slots=True)
class ProcessorRun:
    """A stream processor and how far it is; `reason` is why the last search failed, if it did."""

    processor: Processor
    state: LiveState
    changed_at: datetime
    reason: str | None = None


def create_processor(
    rows: Rows, caller: Caller, name: str, defined: ProcessorDefinition
) -> Processor:
    """Define a stream processor; nothing is searched yet.

    Raises:
        NoSuchCollection: there is no such collection.
        NotFound: there is no such source.
        AlreadyExists: there is a processor of that name.
        LimitReached: as many as there may be are defined.
        InvalidRequest: a tag cannot be kept, or states what no search takes.
        TooManyProcessorTags: it has more tags than it can.
    """
    of = rows.collection(caller, Action.ARRANGE, defined.collection)
    with rows.record(caller, Action.ARRANGE, of) as record:
        require_kept(defined.tags)
        now = rows.clock()
        new = Processor(uuid4(), name, defined, now, caller.principal.id, now)

        def add(connection: Connection) -> Processor:
            sources.get_source(connection, rows.keyring, defined.source)
            return sources.add_processor(connection, rows.keyring, new)

        return record.write(add, _outcome)


def describe_processor(rows: Rows, caller: Caller, name: str) -> ProcessorRun:
    """Say what a stream processor searches, and how far it is.

    Raises:
        NoSuchProcessor: there is none.
    """
    processor = _required(rows, caller, Action.READ, name)
    with rows.record(caller, Action.READ) as record:
        record.answered(_outcome(processor))
        return rows.database.read(partial(_run_of, rows=rows, processor=processor))


def list_processors(rows: Rows, caller: Caller) -> list[ProcessorRun]:
    """List the stream processors in the order they were made."""
    with rows.record(caller, Action.READ) as record:
        record.answered(Outcome())
        return rows.database.read(partial(_runs, rows=rows))


def start_processor(home: Home, caller: Caller, name: str) -> Job:
    """Begin a live search as a stream processor defines it.

    What the caller states of the search goes before what the processor's tags state of each.

    Raises:
        NoSuchProcessor: there is none.
        ProcessorInUse: it searches already.
        Whatever `start_live` raises.
    """
    processor = _required(home, caller, Action.SEARCH, name)
    defined = processor.defined

    def claim(connection: Connection, job: Job) -> None:
        now = sources.get_processor(connection, home.keyring, name)
        if _unfinished(connection, home, now) is not None:
            raise ProcessorInUse(
                f"Stream processor {name!r} searches already. Stop it first, or leave it be."
            )
        sources.note_start(connection, now, job.id, home.clock())

    asked = LiveAsked(
        source=defined.source,
        collection=defined.collection,
        statement=live_statement(caller.stated.live_search, defined.tags, home.clock()),
        threshold=defined.threshold,
        kinesis_arn=defined.data_arn,
        video_arn=defined.video_arn,
        processor=name,
    )
    return start_live(home, caller, asked, also=claim)


def stop_processor(rows: Rows, caller: Caller, name: str) -> Job:
    """Have the search end that was started of a stream processor.

    Raises:
        NoSuchProcessor: there is none.
        ProcessorStopped: it does not search.
        Denied: somebody else started it, and the caller is no admin.
    """
    processor = _required(rows, caller, Action.READ, name)
    job = rows.database.read(partial(_unfinished, rows=rows, processor=processor))
    if job is None:
        with rows.record(caller, Action.READ):
            raise _stopped(name)
    try:
        return stop_live(rows, caller, job.id)
    except NotFound as error:
        raise Denied(
            f"Somebody else started stream processor {name!r}. Ask them, or an admin, to stop it."
        ) from error
    except Conflict as error:  # it has ended meanwhile
        raise _stopped(name) from error


def delete_processor(rows: Rows, caller: Caller, name: str) -> None:
    """Delete a stream processor that does not search.

    Raises:
        NoSuchProcessor: there is none.
        ProcessorInUse: it searches.
        Denied: its tags state something, somebody else made it, and no admin asks.
    """
    processor = _required(rows, caller, Action.ARRANGE, name)

    def remove(connection: Connection) -> None:
        now = sources.get_processor(connection, rows.keyring, name)
        if _unfinished(connection, rows, now) is not None:
            raise ProcessorInUse(f"Stream processor {name!r} searches. Stop it first.")
        if stating(now.defined.tags):  # it could be made anew, with others
            _require_made_by(now, caller)
        sources.remove_processor(connection, now)

    with rows.record(caller, Action.ARRANGE) as record:
        record.write(remove, lambda _: _outcome(processor))


def tags_of_processor(rows: Rows, caller: Caller, name: str) -> Mapping[str, str]:
    """List the tags of a stream processor.

    Raises:
        NoSuchProcessor: there is none.
    """
    return describe_processor(rows, caller, name).processor.defined.tags


def tag_processor(rows: Rows, caller: Caller, name: str, tags: Mapping[str, str]) -> None:
    """Give a stream processor tags; a key that it has gets the new value.

    Raises:
        NoSuchProcessor: there is none.
        InvalidRequest: a tag cannot be kept, or states what no search takes.
        TooManyProcessorTags: it would have more than it can.
        Denied: it states something of a processor that is somebody else's, and no admin asks.
    """
    _change_tags(rows, caller, name, lambda held: {**held, **tags})


def untag_processor(rows: Rows, caller: Caller, name: str, keys: Iterable[str]) -> None:
    """Take tags from a stream processor by their keys; those that it has not are passed over.

    Raises:
        NoSuchProcessor: there is none.
        Denied: it states something of a processor that is somebody else's, and no admin asks.
    """
    gone = set(keys)
    _change_tags(
        rows,
        caller,
        name,
        lambda held: {key: value for key, value in held.items() if key not in gone},
    )


def _required(rows: Rows, caller: Caller, action: Action, name: str) -> Processor:
    """Find a processor, to do an action to it; that there is none is on record."""
    try:
        return rows.database.read(
            lambda connection: sources.get_processor(connection, rows.keyring, name)
        )
    except NotFound as error:
        with rows.record(caller, action):
            raise NoSuchProcessor(str(error)) from error


def _stopped(name: str) -> ProcessorStopped:
    return ProcessorStopped(f"Stream processor {name!r} does not search. There is nothing to stop.")


def _change_tags(
    rows: Rows,
    caller: Caller,
    name: str,
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
) -> None:
    processor = _required(rows, caller, Action.ARRANGE, name)

    def put(connection: Connection) -> None:
        now = sources.get_processor(connection, rows.keyring, name)
        tags = change(now.defined.tags)
        require_kept(tags)
        if stating(tags) != stating(now.defined.tags):
            _require_made_by(now, caller)
        sources.change_tags(connection, rows.keyring, now, tags)

    with rows.record(caller, Action.ARRANGE) as record:
        record.write(put, lambda _: _outcome(processor))


def _require_made_by(processor: Processor, caller: Caller) -> None:
    """Keep to whoever made a processor, and to admins, what each start of it states."""
    who = caller.principal
    if who.id != processor.made_by and not may(who.role, Action.GOVERN):
        raise Denied(
            f"Somebody else made stream processor {processor.name!r}, whose tags state something of"
            " each start. Ask them, or an admin, to change or delete it; what you state when you"
            " start it goes before."
        )


def _unfinished(connection: Connection, rows: Rows, processor: Processor) -> Job | None:
    """Give the search that was started of a processor, while it has not ended."""
    job = _last(connection, rows, processor)
    return None if job is None or job.state.ended else job


def _last(connection: Connection, rows: Rows, processor: Processor) -> Job | None:
    """Give the search that was started of a processor last; None where it is kept no longer."""
    if processor.job_id is not None:
        with suppress(NotFound):
            return jobs.get_job(connection, rows.keyring, processor.job_id)
    return None


def _runs(connection: Connection, rows: Rows) -> list[ProcessorRun]:
    listed = sources.list_processors(connection, rows.keyring)
    return [_run_of(connection, rows, one) for one in listed]


def _run_of(connection: Connection, rows: Rows, processor: Processor) -> ProcessorRun:
    job = _last(connection, rows, processor)
    if job is None:
        return ProcessorRun(processor, LiveState.STOPPED, processor.changed_at)
    moments = processor.changed_at, job.begun_at, job.asked_to_end_at, job.ended_at
    return ProcessorRun(
        processor,
        live_state(job),
        max(one for one in moments if one is not None),
        told_of_failure(job),
    )


def _outcome(processor: Processor) -> Outcome:
    """Say in an entry which processor it is about, by our id; its name is a client's."""
    return Outcome(details={"processor_id": str(processor.id)})
