"""Says whether something moves in a stream beside those who are followed, by its thumbnails.

A pixel of a thumbnail is the mean of a thousand of the frame, so that noise and compression change
it by a few grey values at most, and a face that is just large enough to be found, with its body, by
more.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Face, Image

# Grey values, 0 to 255.
_MOVED = 6
# How far somebody moves what is around them, in widths and heights of their face: the body too.
_BESIDE, _ABOVE, _BELOW = 1.5, 1.0, 7.0


class Movement:
    """What has changed since a frame was searched for everybody."""

    def __init__(self) -> None:
        self._then: NDArray[np.int16] | None = None
        self._explained = np.zeros((0, 0), np.bool_)

    def begin(self, thumbnail: NDArray[np.uint8]) -> None:
        """Begin anew with a frame in which everybody is known; (h, w, 3) RGB of a thumbnail."""
        self._then = thumbnail.astype(np.int16)
        self._explained = np.zeros(thumbnail.shape[:2], np.bool_)

    def explain(self, image: Image, faces: Iterable[Face]) -> None:
        """Take what moves around faces for theirs, where they are and where they were."""
        rows, columns = self._explained.shape
        for face in faces:
            box = face.box
            x = np.array([box.left - _BESIDE * box.width, box.right + _BESIDE * box.width])
            y = np.array([box.top - _ABOVE * box.height, box.bottom + _BELOW * box.height])
            left, right = (x / image.width * columns + (-1, 2)).clip(0, columns).astype(int)
            top, bottom = (y / image.height * rows + (-1, 2)).clip(0, rows).astype(int)
            self._explained[top:bottom, left:right] = True

    def is_in(self, thumbnail: NDArray[np.uint8]) -> bool:
        """Whether something has moved since that nobody explains; so it is before it began.

        The thumbnail has the (h, w, 3) of that which it began with.
        """
        if self._then is None:
            return True
        changed = np.abs(thumbnail.astype(np.int16) - self._then).max(axis=2) > _MOVED
        return bool((changed & ~self._explained).any())
