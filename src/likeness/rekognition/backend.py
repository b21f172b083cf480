"""What operations work on: an open home, put together by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from likeness.access import RequestTokens
from likeness.buckets import Buckets
from likeness.gallery import Collection, Gallery
from likeness.rekognition.page_tokens import PageTokens
from likeness.secrets import Keyring
from likeness.service.enrol.create_collection import TemplatesOf
from likeness.service.enrol.on_enrolment import ReviewOfEnrolments
from likeness.service.uses.record import Desk
from likeness.storage import Database
from likeness.terms import Calibration
from likeness.vision.decode import DecodeLimits
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True, eq=False)
class Backend:
    """An open home, as operations use it; safe to share between threads.

    `finder`, `templates` and `calibration` are of the model that new collections take, and that
    pictures of no collection are compared with; `finder_of` gives the finder of a collection's
    model, and `calibration_of` says what the scores of its searches mean. `limits` are the
    operator's, beside AWS's own. `account` is the twelve digits in ARNs.
    """

    database: Database
    keyring: Keyring
    gallery: Gallery
    desk: Desk
    buckets: Buckets
    finder: FaceFinder
    finder_of: Callable[[Collection], FaceFinder]
    reviewing: ReviewOfEnrolments
    limits: DecodeLimits
    templates: TemplatesOf
    calibration: Calibration
    calibration_of: Callable[[Collection], Calibration]
    page_tokens: PageTokens
    request_tokens: RequestTokens
    account: str
    clock: Callable[[], datetime]

    def calibration_for(self, collection: Collection) -> Calibration:
        """Say what a collection's scores mean; nothing is read where they are as in new ones.

        Raises:
            NotFound: nobody has measured that.
        """
        templates = self.templates
        of_new_ones = (templates.model, templates.cohort_version)
        if (collection.model, collection.cohort_version) == of_new_ones:
            return self.calibration
        return self.calibration_of(collection)
