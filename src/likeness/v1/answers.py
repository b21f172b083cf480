"""The shapes of cases, watches, jobs and sources in answers; the command line gives the same."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from likeness.jobs import KEPT, Job, JobState
from likeness.notify import WebhookSecret
from likeness.review import Feature, Finding, Findings, Standing, Support, Verdict, Watch
from likeness.service.review.cases import CaseFacts, SeenCandidate, SeenCase
from likeness.service.video.manage import told_of_failure
from likeness.service.watch.watches import SeenWatch
from likeness.sources import Source, SourceKind


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def shown(cls, of: object, **more: object) -> Self:
        """Show something by its attributes that are called as ours are, and `more`."""
        names = cls.model_fields.keys() - more.keys()
        return cls(**{name: getattr(of, name) for name in names}, **more)


class CaseAnswer(Answer):
    """A case, without anybody's face."""

    id: UUID
    watch_id: UUID | None
    use_id: UUID
    principal_id: str
    collection_id: UUID
    operation: str
    purpose: str
    reviews_owed: int
    separately: bool
    opened_at: AwareDatetime
    expires_at: AwareDatetime
    authorise_by: AwareDatetime | None
    authorised_at: AwareDatetime | None
    decided: bool
    yours: bool

    @classmethod
    def of(cls, facts: CaseFacts) -> Self:
        """Show what is known."""
        case = facts.case
        return cls.shown(case, reviews_owed=case.reviews, decided=facts.decided, yours=facts.yours)


class FindingsAnswer(Answer):
    """What somebody found in comparing two faces; `support` says how far it goes."""

    support: Support
    features: dict[Feature, Finding]

    @classmethod
    def of(cls, findings: Findings | None) -> Self | None:
        """Show them, where they were said."""
        if findings is None:
            return None
        return cls(support=findings.support, features=dict(findings.features))


class VerdictAnswer(Answer):
    """A verdict that the caller may see."""

    reviewer_id: str
    verdict: Verdict
    reason: str
    given_at: AwareDatetime
    findings: FindingsAnswer | None


class CandidateAnswer(Answer):
    """A candidate; `number` names them in the case, and does not follow their rank.

    With a `sighting_id` it is somebody seen in a clip, who is neither reference nor subject.
    `picture` is whether `/candidates/NUMBER/face` has one.
    """

    number: int
    reference_id: UUID | None
    subject_id: UUID | None
    sighting_id: UUID | None
    standing: Standing
    picture: bool
    rank: int | None
    similarity: float | None
    verdicts: list[VerdictAnswer]

    @classmethod
    def of(cls, seen: SeenCandidate) -> Self:
        """Show what the caller may see."""
        return cls.shown(
            seen,
            similarity=None if seen.similarity is None else round(seen.similarity, 2),
            verdicts=[
                VerdictAnswer.shown(one, findings=FindingsAnswer.of(one.findings))
                for one in seen.verdicts
            ],
        )


class AuthorisationAnswer(Answer):
    """What authority consented."""

    authority: str
    number: str
    principal_id: str
    given_at: AwareDatetime


class LiveStatementAnswer(Answer):
    """What was stated of a live search, to which an authority consents as a whole."""

    place: str | None
    authority: str | None
    criteria: str | None
    ends_at: AwareDatetime | None


class GroupWarningAnswer(Answer):
    """Two strangers of a group match far more often than was asked for, here `asked_for`.

    `group` is the worst of so many `groups` that do so `warn_from` times as often or more, and
    `fmr` its rate, with a 95% interval from `low` to `high`.
    """

    group: str
    fmr: float
    low: float
    high: float
    asked_for: float
    times: float
    warn_from: float
    groups: int


class SeenCaseAnswer(CaseAnswer):
    """A case; without candidates for those who may know facts alone.

    `probe_picture` is whether `/probe` has one.
    """

    probe_picture: bool
    candidates: list[CandidateAnswer]
    authorisation: AuthorisationAnswer | None
    group_warning: GroupWarningAnswer | None
    live_search: LiveStatementAnswer | None

    @classmethod
    def of_seen(cls, seen: SeenCase) -> Self:
        """Show what the caller may see."""
        given, warning, stated = seen.authorisation, seen.group_warning, seen.stated
        return cls(
            **CaseAnswer.of(seen.facts).model_dump(),
            probe_picture=seen.probe_picture,
            candidates=[CandidateAnswer.of(one) for one in seen.candidates],
            authorisation=AuthorisationAnswer.shown(given) if given else None,
            group_warning=GroupWarningAnswer.shown(warning) if warning else None,
            live_search=LiveStatementAnswer.shown(stated) if stated else None,
        )


class CasesAnswer(Answer):
    """All cases."""

    cases: list[CaseAnswer]


class WatchAnswer(Answer):
    """A standing search."""

    id: UUID
    collection_id: UUID
    principal_id: str
    purpose: str
    reviews_owed: int
    separately: bool
    model: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    tells: bool

    @classmethod
    def of(cls, watch: Watch) -> Self:
        """Show one."""
        return cls.shown(watch, reviews_owed=watch.reviews)


class AddedWatchAnswer(WatchAnswer):
    """A watch that was just added; `webhook_secret` is given this once."""

    webhook_secret: str | None

    @classmethod
    def of_added(cls, watch: Watch, secret: WebhookSecret | None) -> Self:
        """Show one with its secret."""
        text = None if secret is None else secret.text
        return cls(**WatchAnswer.of(watch).model_dump(), webhook_secret=text)


class SeenWatchAnswer(WatchAnswer):
    """A watch with its grounds."""

    authority: str
    criteria: str

    @classmethod
    def of_seen(cls, seen: SeenWatch) -> Self:
        """Show one with its grounds."""
        return cls(
            **WatchAnswer.of(seen.watch).model_dump(),
            authority=seen.grounds.authority,
            criteria=seen.grounds.criteria,
        )


class WatchesAnswer(Answer):
    """All watches."""

    watches: list[SeenWatchAnswer]


class JobAnswer(Answer):
    """Long work: how far it is, how it ended, and until when what it found is kept.

    `done_ms` of `total_ms` of its material are done; `total_ms` is 0 while nobody knows. `failure`
    is the kind of error that it failed with; `reason` says more.
    """

    id: str
    act: str
    state: JobState
    principal_id: str
    collection_id: UUID | None
    local: bool
    made_at: AwareDatetime
    begun_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    kept_until: AwareDatetime | None
    done_ms: int
    total_ms: int
    failure: str | None
    reason: str | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Show one."""
        kept_until = None if job.ended_at is None else job.ended_at + KEPT
        return cls.shown(job, kept_until=kept_until, reason=told_of_failure(job))


class JobsAnswer(Answer):
    """Many jobs."""

    jobs: list[JobAnswer]


class SourceAnswer(Answer):
    """A source: `address` is without user, password and what may be a token, or a file's path."""

    id: UUID
    name: str
    kind: SourceKind
    address: str
    footage: str
    place: str | None
    added_at: AwareDatetime
    added_by: str

    @classmethod
    def of(cls, source: Source) -> Self:
        """Show one."""
        return cls.shown(source, address=source.shown)


class SourcesAnswer(Answer):
    """All sources."""

    sources: list[SourceAnswer]
