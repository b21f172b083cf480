"""Makes a picture safe to share: what is hidden in it, and why.

Nothing of the file is kept but its pixels, upright: no metadata, no thumbnail, no second picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.service.redact.asked import MAY_BE_FMR, Manner, Whom
from likeness.service.search.identify import Identification, Identified
from likeness.terms import Box
from likeness.video import (
    LIKELY_A_FACE,
    ONE_FACE,
    SURELY_A_FACE,
    Hidden,
    Hiding,
    Moment,
    Reason,
    Region,
    Shown,
    Sight,
)
from likeness.vision.decode import Sample
from likeness.vision.every_face import EveryFace


@dataclass(frozen=True, slots=True, eq=False)
class RedactedPicture:
    """A picture with hidden faces: (h, w, 3) uint8 RGB pixels, and what of them is hidden."""

    sample: Sample
    pixels: NDArray[np.uint8]
    moment: Moment

    @property
    def hidden(self) -> tuple[Hidden, ...]:
        """What is hidden."""
        return self.moment.hidden

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Who stays visible."""
        return self.moment.shown

    @property
    def to_look_at(self) -> tuple[Hidden, ...]:
        """What a person should look at: hidden parts that may be no face."""
        return tuple(one for one in self.hidden if one.sight is Sight.PERHAPS)


class PictureRedactor:
    """Hides faces of pictures."""

    def __init__(self, every_face: EveryFace, manner: Manner) -> None:
        self._every_face = every_face
        self._manner = manner

    def redact(
        self, sample: Sample, whom: Whom = Whom.ALL, named: Identified | None = None
    ) -> RedactedPicture:
        """Hide the faces of a picture; `named` says who its people are, where that matters.

        Raises:
            InvalidImage, UnsupportedImageFormat, ImageTooLarge: it cannot be decoded.
        """
        image = sample.decode()
        found = self._every_face.find(image)
        boxes, sure = [one.box for one in found], [one.confidence for one in found]
        faces = [] if named is None else list(named.faces)
        # A face that was named and not found again is a face nevertheless.
        for one in faces:
            if all(one.face.box.overlap(box) < ONE_FACE for box in boxes):
                boxes.append(one.face.box)
                sure.append(one.face.confidence)
        hidden, shown = [], []
        for number, (box, likely) in enumerate(zip(boxes, sure, strict=True)):
            face = _of_box(box, faces)
            reason = self._reason(whom, face, withheld=named is not None and named.withheld)
            if reason is None:
                match = None if face is None else face.match
                shown.append(Shown(box, None if match is None else match.name))
                continue
            sight = Sight.SEEN if likely >= LIKELY_A_FACE else Sight.PERHAPS
            region = Region(box, self._manner.holding.margin_of(box))
            # Whom `identify` found is a face, however sure this search is of it.
            gives_way = whom is Whom.ALL_BUT and face is None and likely < SURELY_A_FACE
            hidden.append(Hidden(region, sight, reason, round(likely, 3), number, gives_way))
        pixels, moment = image.pixels.copy(), Moment(tuple(hidden), tuple(shown))
        moment.hide(pixels, Hiding(self._manner.style))
        return RedactedPicture(sample, pixels, moment)

    def _reason(self, whom: Whom, face: Identification | None, *, withheld: bool) -> Reason | None:
        """Say why a face is hidden; None where it stays visible."""
        match whom:
            case Whom.ALL:
                return Reason.EVERYBODY
            case Whom.ALL_BUT:
                return self._unless_kept(face, withheld=withheld)
            case Whom.ONLY:
                return self._if_asked(face, withheld=withheld)

    def _unless_kept(self, face: Identification | None, *, withheld: bool) -> Reason | None:
        if withheld or face is None:
            return Reason.UNSURE
        if face.match is None:
            return Reason.STRANGER
        if self._manner.careful and sum(one.match for one in face.candidates) > 1:
            return Reason.UNSURE
        return None

    def _if_asked(self, face: Identification | None, *, withheld: bool) -> Reason | None:
        if face is not None and face.match is not None:
            return Reason.ASKED
        if withheld:
            return Reason.MAYBE
        if not self._manner.careful:
            return None
        if face is None or not face.face.quality.fit_to_enrol or _may_be_one(face):
            return Reason.MAYBE
        return None


def _may_be_one(face: Identification) -> bool:
    return any(one.fmr <= MAY_BE_FMR for one in face.candidates)


def _of_box(box: Box, faces: Sequence[Identification]) -> Identification | None:
    """Give the face that was named in a place; None where none was."""
    best = max(faces, key=lambda one: one.face.box.overlap(box), default=None)
    if best is None or best.face.box.overlap(box) < ONE_FACE:
        return None
    return best
