"""What does review need of an enrolment? The faces' pictures; and cases for whoever is watched for.

Called inside the act that enrols: a match is on record with the reference, or neither is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from likeness.review import crops
from likeness.review.case import Case
from likeness.review.watching import Arrival, open_watch_cases
from likeness.secrets import Keyring
from likeness.terms.calibration import Calibration


@dataclass(frozen=True, slots=True)
class ReviewOfEnrolments:
    """Keeps pictures of who is enrolled, and compares them with who is watched for.

    While pictures are not kept nobody could review a match, so nothing is kept and nobody compared.
    A watch is matched from the false match rate `fmr` on.
    """

    keyring: Keyring
    keeps_crops: bool
    fmr: float
    case_lives: timedelta

    def enrolled(
        self,
        connection: Connection,
        collection_id: UUID,
        arrivals: Sequence[Arrival],
        crops_jpeg: Mapping[UUID, bytes],
        calibration: Calibration,
        *,
        use_id: UUID,
        now: datetime,
    ) -> list[Case]:
        """Keep what review needs of references that were just enrolled; give the cases opened.

        Args:
            connection: of the act that enrols.
            collection_id: what they were enrolled into.
            arrivals: the references.
            crops_jpeg: their faces, by their ids.
            calibration: what the collection's scores mean.
            use_id: of the enrolment.
            now: the time.
        """
        if not self.keeps_crops:
            return []
        crops.keep(connection, self.keyring, collection_id, crops_jpeg)
        point = calibration.point(self.fmr)
        return open_watch_cases(
            connection,
            self.keyring,
            collection_id,
            arrivals,
            calibration,
            at_least=calibration.similarity(point.threshold),
            use_id=use_id,
            now=now,
            expires_at=now + self.case_lives,
        )
