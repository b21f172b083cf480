"""What does review need of an enrolment? The faces' pictures; and cases for whoever is watched for.

Called inside the act that enrols: a match is on record with the reference, or neither is there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict, NotFound
from likeness.gallery import Collection, CollectionRows, NewReference, OpenCollection, Reference
from likeness.review import Arrival, Case, Owed, Probe, Watch, crops, open_watch_cases, watches
from likeness.secrets import Keyring
from likeness.service.search.naming import Naming
from likeness.terms import Box, Calibration, Image, Template, compare
from likeness.vision.crop import face_crop_jpeg


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """A face that was just enrolled; `crop_jpeg` is None while pictures are not kept."""

    new: NewReference
    reference: Reference
    crop_jpeg: bytes | None


class AtHand(Protocol):
    """Who else decides whether somebody enrolled is called somebody watched for."""

    def as_evened_out(self, collection: OpenCollection, probes: Sequence[Probe]) -> Sequence[Probe]:
        """Give watched faces as the collection's cohort sees them; those of other models stay."""

    def is_named(
        self,
        collection: OpenCollection,
        calibration: Calibration,
        watched: Template,
        arrival: Arrival,
    ) -> bool:
        """Whether an arrival is more alike than strangers here usually are."""


@dataclass(frozen=True, slots=True)
class StrangersAtHand:
    """Lets the strangers of a collection decide, too, whether somebody is called watched for.

    Of those, a share of `fpir` may be taken for them; strangers who are alike stand for those of a
    collection that was not measured.
    """

    fpir: float

    def as_evened_out(self, collection: OpenCollection, probes: Sequence[Probe]) -> Sequence[Probe]:
        """Give watched faces as the collection's cohort sees them; those of other models stay."""
        ours = [one for one in probes if one.template.model == collection.model]
        evened = collection.as_evened_out([one.template for one in ours])
        others = [one for one in probes if one.template.model != collection.model]
        return others + [
            replace(one, template=template) for one, template in zip(ours, evened, strict=True)
        ]

    def is_named(
        self,
        collection: OpenCollection,
        calibration: Calibration,
        watched: Template,
        arrival: Arrival,
    ) -> bool:
        """Whether an arrival is more alike than strangers here usually are."""
        own = collection.measured()
        naming = Naming.of(
            calibration, None if own is None else own.own, 1, fmr=1.0, fpir=self.fpir
        )
        own_score = collection.own_score_of(watched, arrival.template, arrival.subject_id)
        return naming.verdict(compare(watched, arrival.template).score, own_score).match


@dataclass(frozen=True, slots=True)
class ReviewOfEnrolments:
    """Keeps pictures of who is enrolled, and compares them with who is watched for.

    While pictures are not kept nobody could review a match, so nothing is kept and nobody compared.
    A watch is matched from the false match rate `fmr` on; `calibration_of` says what the scores of
    a collection mean, `owed_of` what rules demand by now of a watch's match there, of a
    similarity; None where they let it find nobody.
    """

    keyring: Keyring
    keeps_crops: bool
    fmr: float
    case_lives: timedelta
    calibration_of: Callable[[Collection], Calibration]
    owed_of: Callable[[Connection, Watch, Collection, float], Owed | None]
    at_hand: AtHand

    def crop_of(self, image: Image, box: Box) -> bytes | None:
        """Cut a face out, before the act that enrols it; None while pictures are not kept."""
        return face_crop_jpeg(image, box) if self.keeps_crops else None

    def enrolled(
        self,
        rows: CollectionRows,
        collection: OpenCollection,
        enrolled: Sequence[Enrolled],
        *,
        use_id: UUID,
        now: datetime,
    ) -> None:
        """Keep what review needs of faces, inside the act that enrols them; see `arrived`."""
        if not self.keeps_crops:
            return
        references = [one.reference for one in enrolled]
        subject_ids = {number: one.id for number, one in rows.subjects.of(references).items()}
        self.arrived(
            rows.connection,
            collection,
            [
                Arrival(
                    one.reference.id,
                    subject_ids.get(one.reference.subject_number or 0),
                    one.new.template,
                )
                for one in enrolled
            ],
            {one.reference.id: one.crop_jpeg for one in enrolled if one.crop_jpeg is not None},
            use_id=use_id,
            now=now,
        )

    def arrived(
        self,
        connection: Connection,
        collection: OpenCollection,
        arrivals: Sequence[Arrival],
        crops_jpeg: Mapping[UUID, bytes],
        *,
        use_id: UUID,
        now: datetime,
    ) -> list[Case]:
        """Keep what review needs of references that were just enrolled; give the cases opened.

        Args:
            connection: of the act that enrols.
            collection: what they were enrolled into.
            arrivals: the references.
            crops_jpeg: their faces, by their ids.
            use_id: of the enrolment.
            now: the time.

        Raises:
            Conflict: somebody is watched for, and nobody has measured what scores mean.
            KeyUnusable: a key is gone.
        """
        if not self.keeps_crops or not arrivals:
            return []
        crops.keep(connection, self.keyring, collection.id, crops_jpeg)
        if not watches.any_in(connection, collection.id, now):
            return []
        try:
            calibration = self.calibration_of(collection)
        except NotFound as error:  # which would tell a client that the collection is gone
            raise Conflict(
                "a calibration was expected, since somebody is watched for in this collection, and"
                " there is none: nothing was enrolled; make one (`likeness models calibrate"
                " FOLDER`), or end the watches (`likeness watch list`)"
            ) from error
        point = calibration.point(self.fmr)
        return open_watch_cases(
            connection,
            self.keyring,
            collection.id,
            arrivals,
            calibration,
            at_least=calibration.similarity(point.threshold),
            as_evened_out=partial(self.at_hand.as_evened_out, collection),
            is_named=partial(self.at_hand.is_named, collection, calibration),
            owed_of=lambda watch, similarity: self.owed_of(
                connection, watch, collection, similarity
            ),
            use_id=use_id,
            now=now,
            expires_at=now + self.case_lives,
        )
