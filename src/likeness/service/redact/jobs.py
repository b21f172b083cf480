"""Makes copies of clips in which faces are hidden as jobs, and says what was hidden in them.

1. Who stays visible is found out first, where that matters: it is a use of its own.
2. The rules are asked when the work begins, and again while it goes on.
3. What was found is kept under the job's key; names are not: no erasure would find them.
4. The copy is a file of the server until the job is deleted.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import BinaryIO

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness import jobs
from likeness.buckets import Buckets
from likeness.errors import LikenessError, required
from likeness.gallery import Collection
from likeness.jobs import JobState, Result, Running
from likeness.service.redact.clips import (
    EveryFaceOfFrames,
    FacesOfClip,
    RedactedClip,
    Visible,
    find_faces,
    write_redacted,
)
from likeness.service.redact.findings import DoubtfulPlace, RedactionFindings, VisibleSpan
from likeness.service.redact.known import ClipPart, visible_by_collection
from likeness.service.uses import Caller, Home, Outcome, Record
from likeness.service.video import kept
from likeness.service.video.asked import ClipAct, Hiding, Request, clip_sha256, read_request
from likeness.service.video.kept import ClipFacts
from likeness.service.video.manage import required_job
from likeness.service.video.results import ClipJob
from likeness.service.video.seen import TellMs
from likeness.service.video.uploads import Uploads
from likeness.terms import UNDECLARED, Action
from likeness.video import ClipLimits, Frame, Moment
from likeness.vision.every_face import FRAME, GLANCE, Closeness, EveryFace

_REDACTED = "redacted"
_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Redaction:
    """What came of a copy: `hidden` counts what was hidden over all frames, `tracks` are faces.

    `places` are those that a person should look at, `visible` says when somebody stays visible.
    """

    frames: int
    seconds: float
    sound: bool
    tracks: int
    hidden: int
    places: tuple[DoubtfulPlace, ...]
    visible: tuple[VisibleSpan, ...]
    remarks: tuple[str, ...]


_REDACTION = TypeAdapter(Redaction)


@dataclass(frozen=True, slots=True)
class RedactionJobs:
    """What makes copies, on a home that is open; `every_face` loads what finds faces."""

    home: Home
    buckets: Buckets
    uploads: Uploads
    every_face: Callable[[Closeness], EveryFace]
    limits: ClipLimits = ClipLimits()

    @property
    def acts(self) -> Mapping[str, Callable[[Running], None]]:
        """What a runner calls, by the names of acts."""
        return {ClipAct.REDACT: self.redact}

    def redact(self, running: Running) -> None:
        """Write a copy of a clip with hidden faces; without success none is left."""
        try:
            self._redact(running)
        except BaseException:
            read = partial(jobs.get_job, keyring=self.home.keyring, job_id=running.job.id)
            with suppress(LikenessError):
                if self.home.database.read(read).state is not JobState.SUCCEEDED:
                    self.uploads.copy_path(running.job.id).unlink(missing_ok=True)
            raise

    def _redact(self, running: Running) -> None:
        request = read_request(running.request)
        of = self._collection(running)
        place, limits = request.asked.place, self.limits
        with place.open(self.buckets, limits, running.require_wanted) as file:
            work = _Work(self, running, request, file, phases=2 if of is None else 3)
            visible = Visible() if of is None else work.visible(of)
            with self.home.record(request.caller("RunRedaction"), Action.DETECT) as record:
                work.record = record
                faces = work.faces()
                findings, written = work.write(faces, visible)
                facts = work.facts(faces, written)
                record.write(
                    partial(self._end, running, facts, _redaction(faces, findings, written)),
                    lambda _: Outcome(faces=len(faces.tracks), details=work.details(facts)),
                )

    def _collection(self, running: Running) -> Collection | None:
        collection_id = running.job.collection_id
        return None if collection_id is None else self.home.gallery.by_id(collection_id)

    def _end(
        self, running: Running, facts: ClipFacts, redaction: Redaction, connection: Connection
    ) -> None:
        job_id, runner = running.job.id, running.runner
        found = Result(_REDACTED, 0, 0, 0, _REDACTION.dump_json(redaction))
        jobs.drop_results(connection, job_id, runner=runner)
        jobs.keep_results(
            connection, self.home.keyring, job_id, [kept.of_clip(facts), found], runner=runner
        )
        state, now = JobState.SUCCEEDED, self.home.clock()
        jobs.end_job(connection, self.home.keyring, job_id, runner, state, now)


@dataclass(slots=True, eq=False)
class _Work:
    """One copy, which is made in `phases`: clip times are told as many times over."""

    of: RedactionJobs
    running: Running
    request: Request
    file: BinaryIO
    phases: int
    record: Record | None = None
    _done: int = 0
    _asked_at: float = field(default_factory=time.monotonic)

    @property
    def hiding(self) -> Hiding:
        """Whose faces are hidden, and how."""
        return required(self.request.asked.hiding, "whose faces are hidden")

    def visible(self, of: Collection) -> Visible:
        """Say who stays visible."""
        part = ClipPart(
            file=self.file,
            sampling=self.request.asked.sampling,
            limits=self.of.limits,
            tell=self._phase(),
        )
        caller = self.request.caller("RunRedactionSearch")
        return visible_by_collection(
            self.of.home, caller, of.name, part, self.hiding.whom, self.hiding.manner
        )

    def faces(self) -> FacesOfClip:
        """Look for whatever may be a face."""
        manner = self.hiding.manner
        finder = EveryFaceOfFrames(self.of.every_face(FRAME if manner.careful else GLANCE))
        return find_faces(
            self.file,
            finder,
            manner,
            self.request.asked.sampling,
            limits=self.of.limits,
            tell=self._phase(),
        )

    def write(self, faces: FacesOfClip, visible: Visible) -> tuple[RedactionFindings, RedactedClip]:
        """Write the copy, and say what is hidden in it."""
        findings, tell = RedactionFindings(), self._phase()
        begins_s = self.request.asked.sampling.from_s
        total_ms = round(1000 * (faces.ends_s - begins_s))

        def tell_moment(frame: Frame, moment: Moment) -> None:
            findings.add(frame.time_s, moment)

        written = write_redacted(
            self.file,
            self.of.uploads.place_for_copy(self.running.job.id),
            faces,
            self.hiding.manner,
            self.request.asked.sampling,
            visible=visible,
            limits=self.of.limits,
            tell=lambda done_s: tell(round(1000 * (done_s - begins_s)), total_ms),
            tell_moment=tell_moment,
        )
        findings.finish()
        return findings, written

    def facts(self, faces: FacesOfClip, redacted: RedactedClip) -> ClipFacts:
        """Say what the clip is, and which of its time the copy has."""
        written, sampling = redacted.written, self.request.asked.sampling
        return ClipFacts(
            written.clip,
            clip_sha256(self.file, self.running.require_wanted),
            round(1000 * sampling.from_s),
            round(1000 * faces.ends_s),
            written.frames,
            faces.looked_at,
            0,
            written.remarks,
        )

    def details(self, facts: ClipFacts) -> dict[str, str]:
        """Say in the job's entry which job it was, of which clip, and whose faces are hidden."""
        return {
            "job_id": self.running.job.id,
            "clip_sha256": facts.sha256,
            "from_ms": str(facts.from_ms),
            "to_ms": str(facts.to_ms),
            "hidden": self.hiding.whom.value,
        }

    def _phase(self) -> TellMs:
        """Begin a phase; gives what is told how far it is."""
        done, self._done = self._done, self._done + 1

        def tell(done_ms: int, total_ms: int) -> None:
            if total_ms:
                within = min(done_ms, total_ms)
                self.running.tell(done * total_ms + within, self.phases * total_ms)
            self._ask_again()

        return tell

    def _ask_again(self) -> None:
        if time.monotonic() < self._asked_at + _ASK_AGAIN_S:
            return
        self.running.require_wanted()
        if self.record is not None:
            self.record.require_still_admitted(None)
        self._asked_at = time.monotonic()


def _redaction(
    faces: FacesOfClip, findings: RedactionFindings, redacted: RedactedClip
) -> Redaction:
    written = redacted.written
    return Redaction(
        written.frames,
        written.seconds,
        written.sound,
        len(faces.tracks),
        redacted.hidden,
        tuple(findings.to_look_at),
        tuple(replace(one, called=None) for one in findings.visible),
        written.remarks,
    )


def redaction_of(home: Home, caller: Caller, job_id: str) -> tuple[ClipJob, Redaction | None]:
    """Say what was hidden in the copy that a job has made; None while it has not succeeded.

    Raises:
        NotFound: the caller has no such job.
        Denied: it may not be given.
    """
    with home.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(home, caller, job_id, ClipAct.REDACT)
        read = partial(jobs.request_of, keyring=home.keyring, job_id=job.id)
        asked = read_request(home.database.read(read)).asked
        record.answered(Outcome(details={"job_id": job.id}))
    if job.state is not JobState.SUCCEEDED:
        return ClipJob(job, asked), None

    def part(name: str) -> Result:
        (row,) = home.database.read(
            lambda connection: jobs.results_of(connection, home.keyring, job.id, name, limit=1)
        )
        return row

    facts = kept.read_facts(part(kept.CLIP))
    redaction = _REDACTION.validate_json(part(_REDACTED).content)
    return ClipJob(job, asked, facts), redaction
