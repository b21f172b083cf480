"""Keep what review needs of an enrolment: the faces' pictures, and cases for who is watched for.

Called inside the act that enrols: a match is on record with the reference, or neither is there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict, NotFound
from likeness.gallery import (
    Collection,
    CollectionRows,
    NewReference,
    OpenCollection,
    Reference,
)
from likeness.review import (
    Arrival,
    Case,
    Owed,
    Probe,
    Sighting,
    Watch,
    is_anybody_watched,
    keep_crops,
    open_watch_cases,
)
from likeness.secrets import Keyring
from likeness.service.search.naming import Naming
from likeness.terms import Calibration, Image, Template, Use, compare
from likeness.vision.draw import face_crop_jpeg


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face that is to be enrolled; `crop_jpeg` is None while pictures are not kept."""

    new: NewReference
    crop_jpeg: bytes | None


@dataclass(frozen=True, slots=True)
class ReviewOfEnrolments:
    """Keeps pictures of who is enrolled, and compares them with who is watched for.

    While pictures are not kept nobody could review a match, so nothing is kept and nobody compared.
    A watch is matched from the false match rate `fmr` on; `calibration_of` says what the scores of
    a collection mean, `owed_of` what rules demand by now of a watch's match there, of a
    similarity and brought by some use; None where they let it find nobody. Of a collection's
    strangers a share of `fpir` may be taken for whoever is watched for.
    """

    keyring: Keyring
    keeps_crops: bool
    fmr: float
    case_lives: timedelta
    calibration_of: Callable[[Collection], Calibration]
    owed_of: Callable[[Connection, Watch, Collection, float, Use], Owed | None]
    fpir: float

    def faces(
        self, of: OpenCollection, image: Image, made: Sequence[NewReference]
    ) -> list[NewFace]:
        """Make faces of a picture ready for the act that enrols them."""
        return [
            NewFace(one, face_crop_jpeg(image, one.face.box) if self.keeps_crops else None)
            for one in of.evened_out(made)
        ]

    def keep(
        self,
        its: CollectionRows,
        of: OpenCollection,
        enrolled: Sequence[tuple[NewFace, Reference]],
        *,
        use: Use,
        now: datetime,
    ) -> None:
        """Keep what review needs of faces, in the transaction that enrols them; see `arrived`."""
        if not self.keeps_crops:
            return
        known = its.subjects.of(reference for _, reference in enrolled)
        subject_ids = {number: subject.id for number, subject in known.items()}
        arrivals = [
            Arrival(reference.id, subject_ids.get(reference.subject_number or 0), one.new.template)
            for one, reference in enrolled
        ]
        crops_jpeg = {
            reference.id: one.crop_jpeg for one, reference in enrolled if one.crop_jpeg is not None
        }
        self.arrived(its.connection, of, arrivals, crops_jpeg, use=use, now=now)

    def arrived(
        self,
        connection: Connection,
        of: OpenCollection,
        arrivals: Sequence[Arrival],
        crops_jpeg: Mapping[UUID, bytes],
        *,
        use: Use,
        now: datetime,
    ) -> list[Case]:
        """Keep what review needs of references that were just enrolled; give the cases opened.

        Args:
            connection: of the act that enrols.
            of: what they were enrolled into.
            arrivals: the references.
            crops_jpeg: their faces, by their ids.
            use: the enrolment.
            now: the time.

        Raises:
            Conflict: somebody is watched for, and nobody has measured what scores mean.
            KeyUnusable: a key is gone.
        """
        if not self.keeps_crops or not arrivals:
            return []
        keep_crops(connection, self.keyring, of.id, crops_jpeg)
        if not is_anybody_watched(connection, of.id, now):
            return []
        try:
            calibration = self.calibration_of(of)
        except NotFound as error:  # which would tell a client that the collection is gone
            raise Conflict(
                "Nothing was enrolled: somebody is watched for in this collection, and nobody has"
                " measured what its scores mean. Run `likeness models calibrate FOLDER`, or end the"
                " watches (`likeness watch list`)."
            ) from error
        return self.watched(connection, of, arrivals, calibration, use=use, now=now)

    def watched(
        self,
        connection: Connection,
        of: OpenCollection,
        arrivals: Sequence[Arrival | Sighting],
        calibration: Calibration,
        *,
        use: Use,
        now: datetime,
    ) -> list[Case]:
        """Open cases for whoever is watched for and resembles an arrival.

        Args:
            connection: of the act that enrols them, or that keeps who was seen.
            of: where they were enrolled, or what a clip was searched against.
            arrivals: the references, or the people seen; templates are as its cohort sees them.
            calibration: what scores of their templates mean.
            use: the enrolment, or the search.
            now: the time.

        Raises:
            KeyUnusable: a key is gone.
        """
        point = calibration.point(self.fmr)
        return open_watch_cases(
            connection,
            self.keyring,
            of.id,
            arrivals,
            calibration,
            at_least=calibration.similarity(point.threshold),
            as_evened_out=partial(as_evened_out, of),
            is_named=partial(self.is_named, of, calibration),
            owed_of=lambda watch, similarity: self.owed_of(connection, watch, of, similarity, use),
            use_id=use.id,
            now=now,
            expires_at=now + self.case_lives,
        )

    def is_named(
        self,
        of: OpenCollection,
        calibration: Calibration,
        watched: Template,
        arrival: Arrival | Sighting,
    ) -> bool:
        """Say whether an arrival is more alike than strangers of the collection usually are.

        Strangers who are alike stand for those of a collection that was not measured.
        """
        own = of.measured()
        naming = Naming.of(
            calibration, None if own is None else own.own, 1, fmr=1.0, fpir=self.fpir
        )
        own_score = of.own_score_of(watched, arrival.template, arrival.subject_id)
        return naming.verdict(compare(watched, arrival.template).score, own_score).match


def as_evened_out(of: Collection, probes: Sequence[Probe]) -> Sequence[Probe]:
    """Give watched faces as the collection's cohort sees them; those of other models stay."""
    ours = [one for one in probes if one.template.model == of.model]
    evened = of.as_evened_out([one.template for one in ours])
    others = [one for one in probes if one.template.model != of.model]
    return others + [
        replace(one, template=template) for one, template in zip(ours, evened, strict=True)
    ]
