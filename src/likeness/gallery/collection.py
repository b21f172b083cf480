"""A collection that was found: what it is, and what can be done with it.

`Collection` reads and changes rows, whoever has the gallery open. `OpenCollection` searches too:
the gallery of this process gives it. What either says of itself is of the moment it was found in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, insert, or_, select

from likeness.errors import KeyUnusable, LikenessError
from likeness.gallery import erasure, own_strangers, proofs, stored_collections
from likeness.gallery.cohorts import KeptCohort
from likeness.gallery.collection_rows import CollectionRows
from likeness.gallery.compared import ComparedReferences, ComparedSubjects, Scores
from likeness.gallery.erasure_rows import Erasure
from likeness.gallery.indexes import CollectionIndexes
from likeness.gallery.own_strangers import Measured
from likeness.gallery.references import NewReference, Reference, require_model
from likeness.gallery.search import By, Candidate, Probe, Search, vectors_of
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.tables import BETTER_MODELS, REFERENCES
from likeness.index import checked_limit
from likeness.terms import Cohort, SeenFace, Template

if TYPE_CHECKING:
    from likeness.gallery.gallery import Collections, Gallery

T = TypeVar("T")

_ERASED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Collection(StoredCollection):
    """A named part of the gallery: templates of one model, evened out by one cohort.

    References are erased `retention_days` after their enrolment; None keeps them.
    """

    _home: "Collections" = field(repr=False, compare=False, kw_only=True)
    _tags: Mapping[str, str] | None = field(default=None, repr=False, compare=False)

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags: as they were when it was found by its name, else as they are.

        Raises:
            NotFound: it is erased.
            KeyUnusable: one is damaged, or another's.
        """
        return self._tags if self._tags is not None else self.read(lambda rows: rows.tags.all())

    def within(self, connection: Connection) -> CollectionRows:
        """Give the collection in a transaction.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: the installation's key is gone or another's.
        """
        return CollectionRows(connection, self._home.seal_of(connection, self), self)

    def read(self, act: Callable[[CollectionRows], T]) -> T:
        """Run an act that only reads; raises what `within` and the act do."""
        return self._home.database.read(lambda connection: act(self.within(connection)))

    def measured(self) -> Measured | None:
        """Find what was measured of its own strangers by its present model and cohort.

        Raises:
            NotFound: it is erased.
            KeyUnusable: it was changed.
        """
        return self.read(lambda rows: rows.own_strangers.find())

    def kept_cohort(self) -> KeptCohort | None:
        """Find the cohort that came with the collection, and what scores mean by it, if one did.

        Raises:
            NotFound: it is erased.
            Conflict: it has switched to another model.
            KeyUnusable: it is damaged, or another's.
        """
        return self._home.cohorts.kept(self, self._home.seal(self))

    def cohort(self) -> Cohort:
        """Find what evens its scores out.

        Raises:
            NotFound: it is erased, or its cohort is none of those kept.
            Conflict: it has switched to another model.
            KeyUnusable: it is damaged, or another's.
        """
        return self._home.cohorts.of(self, self._home.seal(self))

    def as_evened_out(self, templates: Sequence[Template]) -> Sequence[Template]:
        """Give templates of its model as its cohort sees them.

        Raises:
            NotFound: it is erased, or its cohort is none of those kept.
        """
        return self._home.cohorts.even_out(self, self._home.seal(self), templates)

    def require_model(self, template: Template) -> None:
        """Refuse a template that cannot be compared with those of the collection.

        Raises:
            ModelMismatch: it is of another model or cohort.
        """
        require_model(template, self)

    def was_told_of(self, recogniser: str) -> bool:
        """Say whether its users were told of a better recogniser."""
        return self._home.database.read(partial(self._was_told_of, recogniser=recogniser))

    def remember_told_of(self, recogniser: str) -> None:
        """Remember that they were; again changes nothing."""

        def remember(connection: Connection) -> None:
            if not self._was_told_of(connection, recogniser):
                row = {"collection_id": self.id, "recogniser": recogniser}
                connection.execute(insert(BETTER_MODELS), row)

        self._home.database.write(remember)

    def _was_told_of(self, connection: Connection, recogniser: str) -> bool:
        ours = BETTER_MODELS.c.collection_id == self.id
        chosen = select(BETTER_MODELS).where(ours, BETTER_MODELS.c.recogniser == recogniser)
        return connection.execute(chosen).first() is not None

    def due(self, now: datetime) -> list[UUID]:
        """List references that have been kept long enough, not more than one erasure takes."""
        past = [REFERENCES.c.expires_at <= now]
        if self.retention_days is not None:
            past.append(REFERENCES.c.created_at <= now - timedelta(self.retention_days))
        due = select(REFERENCES.c.id).where(REFERENCES.c.collection_id == self.id, or_(*past))
        due = due.limit(_ERASED_AT_ONCE)
        return self._home.database.read(lambda connection: [*connection.execute(due).scalars()])

    def begin_erasure(self, connection: Connection, now: datetime) -> tuple[Erasure, list[UUID]]:
        """Destroy the collection's key; what follows is noted. Gives everybody's ids, too.

        Raises:
            NotFound: it is erased already.
        """
        everybody = stored_collections.everybody(connection, self.id)
        return erasure.begin_collection(connection, self, now), everybody


@dataclass(frozen=True, slots=True)
class OpenCollection(Collection):
    """A collection of a gallery that this process has open; its first search opens its indexes."""

    _home: "Gallery" = field(repr=False, compare=False, kw_only=True)
    # How far what is known of its strangers had come.
    _strangers: own_strangers.State | None = field(default=None, repr=False, compare=False)

    @property
    def _indexes(self) -> CollectionIndexes:
        return self._home.in_use.open(self)

    # Searching

    def search(
        self,
        probe: Template,
        limit: int,
        by: By = By.BEST,
        *,
        among: Sequence[UUID] | None = None,
        seen: SeenFace | None = None,
    ) -> list[Candidate]:
        """Find at most `limit` candidates, most alike first.

        A probe of the collection's model is evened out by the collection's cohort. What is enrolled
        of the face that was `seen` is that face. Where `among` is given, only these references are
        compared with, each by itself, or with `By.SUBJECT` these subjects.

        Raises:
            NotFound: it is erased.
            ModelMismatch: the probe is of another model or cohort than the collection.
            InvalidRequest: the limit is below 1.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: the index cannot be brought up to
                date with the rows.
        """

        def probe_of(present: OpenCollection) -> Probe:
            (evened,) = present.as_evened_out([probe])
            present.require_model(evened)
            return Probe(evened, seen)

        return self._search(probe_of, limit, by, among)

    def search_reference(
        self,
        reference_id: UUID,
        limit: int,
        by: By = By.BEST,
        *,
        among: Sequence[UUID] | None = None,
    ) -> list[Candidate]:
        """Find whom an enrolled reference is like, itself left out; see `search`.

        Among fused subjects, the one whose reference it is may come first.

        Raises:
            NotFound: there is no such reference.
            KeyUnusable: it is damaged.
        """

        def template_of(rows: CollectionRows) -> tuple[int, Template]:
            (reference,) = rows.references.by_ids([reference_id])
            template = rows.references.templates([reference.number]).get(reference.number)
            if template is None:
                raise KeyUnusable(
                    f"Reference {reference_id} is damaged. Restore its row from a backup, or erase"
                    " it and enrol it again."
                )
            return reference.number, template

        def probe_of(present: OpenCollection) -> Probe:
            number, kept = present.read(template_of)
            (probe,) = present.as_evened_out([kept])
            return Probe(probe, leaving_out=None if by is By.SUBJECT else number)

        return self._search(probe_of, limit, by, among)

    def search_subject(
        self, subject_id: UUID, limit: int, *, among: Sequence[UUID] | None = None
    ) -> list[Candidate]:
        """Find the fused subjects that an enrolled one is like, itself left out; see `search`.

        Nobody is like a subject without references.

        Raises:
            NotFound: there is no such subject.
        """

        def probe_of(present: OpenCollection) -> Probe | None:
            cohort = present.cohort()

            def fused(rows: CollectionRows) -> Probe | None:
                number = rows.subjects.by_id(subject_id).number
                proofs.require_references_of(rows.connection, rows.seal, [number])
                template = ComparedSubjects(rows, lambda: cohort).fused([number]).get(number)
                return None if template is None else Probe(template, leaving_out=number)

            return present.read(fused)

        return self._search(probe_of, limit, By.SUBJECT, among)

    def nearest(self, probes: Sequence[Template], limit: int) -> list[Scores]:
        """Score each probe with the `limit` references whose raw scores are highest.

        The groups are the numbers of subjects; whoever is nobody's has one below 0.

        Raises:
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: the index cannot be brought up to
                date with the rows.
        """
        vectors = np.stack([one.vector for one in probes])
        found = self._indexes.references.nearest(vectors, checked_limit(limit))

        def score(rows: CollectionRows) -> list[Scores]:
            compared = ComparedReferences(rows, self.cohort, best_of_each=True)
            return [
                compared.scores(
                    dict(zip(ids[ids >= 0].tolist(), raw[ids >= 0].tolist(), strict=True)),
                    probe,
                    frozenset(),
                )
                for probe, ids, raw in zip(probes, found.ids, found.scores, strict=True)
            ]

        return self.read(score)

    def own_scores(self, probe: Template, candidates: Sequence[Candidate]) -> list[float] | None:
        """Score candidates as one stranger of the collection scores with another.

        None where its strangers were not measured. A picture compared with itself stays that.

        Raises:
            NotFound: it is erased.
        """
        indexes = self._indexes
        strangers = indexes.strangers.of(self)
        if strangers is None or not candidates:
            return None if strangers is None else []
        vectors, subject_numbers = self._home.database.read(
            partial(vectors_of, seal=indexes.seal, candidates=candidates)
        )
        scores = strangers.joining.own_scores(self.cohort(), probe.vector, vectors, subject_numbers)
        return [
            one.comparison.score if one.comparison.is_identical else score
            for one, score in zip(candidates, scores.tolist(), strict=True)
        ]

    def own_score_of(
        self, one: Template, other: Template, subject_id: UUID | None = None
    ) -> float | None:
        """Score two templates as one stranger of the collection with another.

        None where its strangers were not measured. The other is of a subject, or nobody's.

        Raises:
            NotFound: it is erased.
        """
        strangers = self._indexes.strangers.of(self)
        if strangers is None:
            return None
        ids = [] if subject_id is None else [subject_id]
        known = self.read(lambda rows: rows.subjects.by_ids(ids))
        whose = np.array([each.number for each in known] or [0], np.int64)
        scores = strangers.joining.own_scores(self.cohort(), one.vector, other.vector[None], whose)
        return float(scores[0])

    def measured(self) -> Measured | None:
        """Find what was measured of its own strangers by its present model and cohort.

        Raises:
            NotFound: it is erased.
        """
        found = self._indexes.strangers.of(self)
        return None if found is None else found.measured

    def measured_then(self) -> Measured | None:
        """Find the same as it was when the collection was found; mostly without a look at rows."""
        found = self._indexes.strangers.at(self._strangers, self)
        return None if found is None else found.measured

    def state(self) -> str:
        """Say how far the collection has come: what is enrolled, assigned or erased changes it.

        Raises:
            NotFound: it is erased.
        """
        return repr(self._home.database.read(self._indexes.subjects.latest))

    # Enrolling

    def evened_out(self, new: Sequence[NewReference]) -> list[NewReference]:
        """Give faces as the collection's cohort sees them."""
        templates = self.as_evened_out([one.template for one in new])
        return [replace(one, template=t) for one, t in zip(new, templates, strict=True)]

    def follow(self, enrolled: Iterable[Reference]) -> None:
        """Let searches find what a committed act enrolled."""
        indexes = self._indexes
        numbers = [reference.number for reference in enrolled]
        if numbers:
            indexes.follow(max(numbers))
        self._home.in_use.snapshot_soon(indexes)

    def follow_assignment(self, number: int) -> None:
        """Let searches find what a committed act gave or took, by the number that it got."""
        indexes = self._indexes
        indexes.follow_assignment(number)
        self._home.in_use.snapshot_soon(indexes)

    def _search(
        self,
        probe_of: "Callable[[OpenCollection], Probe | None]",
        limit: int,
        by: By,
        among: Sequence[UUID] | None,
    ) -> list[Candidate]:
        """Search, and again if the collection switched to another model meanwhile."""
        limit, present = checked_limit(limit), self
        while True:
            try:
                probe, indexes = probe_of(present), present._indexes
                search = Search(self._home.database, present, indexes, present.cohort, by)
                if probe is None:
                    return []
                if among is not None:
                    return search.among(probe, among)[:limit]
                return search.find(probe, limit)
            except LikenessError:
                now = self._home.by_id(self.id)
                if present.is_comparable_with(now):
                    raise
                present = now
