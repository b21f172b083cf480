"""What holds an answer back: matches wait in a case until people, or an authority, agree.

The same search, done again, finds its case: what people confirmed is answered, once the rules owe
nothing more. A search that owes people has to leave them a picture to look at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, Self, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.errors import required
from likeness.jobs import KEPT as RESULTS_KEPT
from likeness.policy import Circumstances
from likeness.review import (
    Case,
    ClipFace,
    Found,
    Owed,
    SampleFace,
    Search,
    find_case,
    is_anything_kept_of,
    open_case,
    open_crop,
    outcome_of,
    statement_of,
    told_apart_from,
)
from likeness.review import Outcome as CaseOutcome
from likeness.secrets import Keyring
from likeness.service.uses.ongoing import Consent, Ongoing
from likeness.terms import Action, Decision, Duty, Face, LiveStatement, Rule, Use
from likeness.vision.decode import Sample
from likeness.vision.draw import face_crop_jpeg

OF_REVIEWERS = frozenset({Duty.REVIEW, Duty.SEPARATE_REVIEW})
OF_PEOPLE = OF_REVIEWERS | {Duty.AUTHORISATION}
_CROP_DECODED_AT_PX = 1024
_STATEMENT = TypeAdapter(LiveStatement)


class Matched(Protocol):
    """Whom a search found: what rules may ask about."""

    @property
    def similarity(self) -> float:
        """How alike, 0 to 100."""

    @property
    def reference_id(self) -> UUID | None:
        """Which reference; None where all of a subject's were fused."""

    @property
    def subject_id(self) -> UUID | None:
        """Which subject; None where the reference is nobody's."""


M = TypeVar("M", bound=Matched)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What was searched for; `sample` is None where it is no face of one.

    Then it is an enrolled reference or subject, or a person seen in a clip, whose picture is
    `crop_jpeg`. `parameters` are what else of the call decides its answer, such as limit and
    threshold. `is_largest` is whether the face is the largest of its sample.
    """

    sample: Sample | None
    face: Face | None
    enrolled_id: UUID | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    is_largest: bool = True
    clip_face: ClipFace | None = None
    crop_jpeg: bytes | None = None

    @classmethod
    def of_clip(
        cls,
        clip_face: ClipFace,
        crop_jpeg: bytes | None,
        parameters: tuple[tuple[str, str], ...] = (),
    ) -> Self:
        """Make one of a person seen in a clip, with a picture of their face if one was kept."""
        return cls(None, None, parameters=parameters, clip_face=clip_face, crop_jpeg=crop_jpeg)

    @property
    def known_as(self) -> bytes | SampleFace | ClipFace:
        """What review knows it by."""
        if self.clip_face is not None:
            return self.clip_face
        if self.enrolled_id is not None:
            return self.enrolled_id.bytes
        sample, face = required(self.sample, "a probe's sample"), required(self.face, "its face")
        return SampleFace(sample.data, face.box, self.is_largest)


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """The case of a search, and how far it has come."""

    case: Case
    outcome: CaseOutcome

    def is_of(self, match: Matched) -> bool:
        """Whether people decide, or have decided, about somebody whom a search found."""
        return _id(match) in {one.id for one in self.outcome.candidates}

    def circumstances(self, before: Circumstances, now: datetime) -> Circumstances:
        """Say what people have done, for the rules; a case that is not decided counts nobody."""
        reviews = self.case.reviews if self.outcome.decided else 0
        return replace(
            before,
            reviews=reviews,
            separate_reviews=reviews if self.case.separately else 0,
            authorised=before.authorised or self.case.authorised_at is not None,
            since_use=max(before.since_use, now - self.case.opened_at),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A search whose answer is to be released; `decision` is that of its admission.

    `ongoing` is the search that it is a part of: an authority consents to that, not to this.
    """

    use: Use
    decision: Decision
    probe: Probe
    now: datetime
    ongoing: Ongoing | None = None

    @property
    def collection_id(self) -> UUID:
        """What is searched."""
        return required(self.use.collection_id, "the collection that was searched")

    def as_search(self) -> Search:
        """Say what makes another search the same."""
        use, probe = self.use, self.probe
        return Search(
            use.principal.id,
            self.collection_id,
            use.operation,
            use.purpose,
            probe.parameters,
            probe.known_as,
        )


@dataclass(frozen=True, slots=True)
class Withholding:
    """Opens and finds the cases of searches; `keeps_crops` is whether pictures may be kept."""

    keyring: Keyring
    keeps_crops: bool
    case_lives: timedelta

    def impossible(
        self,
        use: Use,
        decision: Decision,
        ongoing: Ongoing | None = None,
        consent: Consent = Consent.NOT_ASKED,
    ) -> tuple[Rule, ...]:
        """Name the rules whose duties people could never do for this use."""
        # What a watch finds later opens a case, too, which nobody authorises: its hours would begin
        # before there was one. And a case is of a collection.
        doable = {Action.SEARCH: OF_PEOPLE, Action.WATCH: OF_REVIEWERS}.get(use.action, frozenset())
        if not self.keeps_crops or use.collection_id is None:
            doable = frozenset()
        if ongoing is not None and use.collection_id is not None:
            # An authority consents to what was stated of the search: there is no picture to keep.
            doable -= {Duty.AUTHORISATION}
            if ongoing.may_be_consented_to(consent):
                doable |= {Duty.AUTHORISATION}
        owed = [one for one in decision.obligations if one.duty in OF_PEOPLE - doable]
        return tuple(one.rule for one in owed)

    def has_reviewed(self, connection: Connection, use: Use) -> bool:
        """Whether review keeps anything of the collection that a use is of."""
        return use.collection_id is not None and is_anything_kept_of(connection, use.collection_id)

    def not_told_apart(self, connection: Connection, query: Query, matches: Sequence[M]) -> list[M]:
        """Leave out whom as many people as are owed told apart."""
        apart = told_apart_from(
            connection,
            self.keyring,
            query.collection_id,
            probe=query.probe.known_as,
            candidate_ids={one for match in matches for one in _ids(match)},
            owed=owed_by(query.decision).reviews,
        )
        return [match for match in matches if not _ids(match) & apart]

    def known(
        self, connection: Connection, query: Query, matches: Sequence[M]
    ) -> tuple[list[M], Pending | None]:
        """Leave out whom people told apart; find the case of the search."""
        case = find_case(connection, self.keyring, query.as_search(), query.now)
        pending = None if case is None else Pending(case, outcome_of(connection, case))
        return self.not_told_apart(connection, query, matches), pending

    def open(
        self, connection: Connection, query: Query, matches: Sequence[M], crop_jpeg: bytes | None
    ) -> Case:
        """Open the case of a search, or give the one that another call has opened meanwhile.

        One person has to look at what no rule owes. `crop_jpeg` is the face that is searched for;
        of an enrolled one it is what was kept.
        """
        found = [Found(one.reference_id, one.subject_id, one.similarity) for one in matches]
        owed, enrolled_id = owed_by(query.decision), query.probe.enrolled_id
        whole_id = None
        if query.ongoing is not None:
            owed, whole_id = replace(owed, authorisation_hours=None), query.ongoing.case_id
        if enrolled_id is not None:
            crop_jpeg = open_crop(connection, self.keyring, query.collection_id, enrolled_id)
        return open_case(
            connection,
            self.keyring,
            query.as_search(),
            replace(owed, reviews=max(1, owed.reviews)),
            found,
            use_id=query.use.id,
            crop_jpeg=crop_jpeg,
            now=query.now,
            expires_at=query.now + self.case_lives,
            probe_id=enrolled_id,
            whole_id=whole_id,
        )

    def open_of_whole(
        self, connection: Connection, use: Use, decision: Decision, now: datetime
    ) -> Case:
        """Open the case of an ongoing search as a whole, about which nobody but authorities decide.

        It lives as long as what the search may find.
        """
        collection_id = required(use.collection_id, "the collection that is searched")
        ends_at = None if use.live_search is None else use.live_search.ends_at
        lives_until = now + self.case_lives
        return open_case(
            connection,
            self.keyring,
            Search(use.principal.id, collection_id, use.operation, use.purpose, (), use.id.bytes),
            Owed(authorisation_hours=decision.amount_of(Duty.AUTHORISATION)),
            (),
            use_id=use.id,
            crop_jpeg=None,
            now=now,
            expires_at=max(lives_until, (ends_at or now) + RESULTS_KEPT),
            statement=None if use.live_search is None else _STATEMENT.dump_json(use.live_search),
        )


def stated_in(connection: Connection, keyring: Keyring, case: Case) -> LiveStatement | None:
    """Open what was stated of an ongoing search, by its case; None where nothing was.

    Raises:
        KeyUnusable: a key is gone.
    """
    content = statement_of(connection, keyring, case)
    return None if content is None else _STATEMENT.validate_json(content)


def crop_of(probe: Probe) -> bytes | None:
    """Give the face that is searched for; None where it is an enrolled one."""
    if probe.crop_jpeg is not None:
        return probe.crop_jpeg
    if probe.sample is None or probe.face is None:
        return None
    return face_crop_jpeg(probe.sample.decode(_CROP_DECODED_AT_PX), probe.face.box)


def confirmed(
    pending: Pending, matches: Sequence[M], among: Callable[[Sequence[UUID]], Sequence[M]]
) -> list[M]:
    """Give the matches that people confirmed, most alike first.

    Those who are not among the matches any more, since others are more alike by now, are compared
    with again by `among`.
    """
    ids = set(pending.outcome.confirmed_ids)
    here = [match for match in matches if _id(match) in ids]
    gone = sorted(ids - {_id(match) for match in here})
    again = among(gone) if gone else ()
    return sorted([*here, *again], key=lambda match: -match.similarity)


def owed_by(decision: Decision) -> Owed:
    """Say what people have to do before an answer is given."""
    reviews = decision.amount_of(Duty.REVIEW) or 0
    separate = decision.amount_of(Duty.SEPARATE_REVIEW) or 0
    return Owed(int(max(reviews, separate)), bool(separate), decision.amount_of(Duty.AUTHORISATION))


def _id(match: Matched) -> UUID:
    return required(match.reference_id or match.subject_id, "whom a search found")


def _ids(match: Matched) -> set[UUID]:
    return {one for one in (match.reference_id, match.subject_id) if one is not None}
