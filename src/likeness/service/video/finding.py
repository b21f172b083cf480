"""Finds the faces of frames for `video`, which knows no model, with what `vision` has loaded."""

from collections.abc import Sequence

from likeness.errors import Fault
from likeness.terms import Box, Face, Image, Template
from likeness.vision.draw import face_crop_jpeg
from likeness.vision.find import FaceFinder, FaceLocator


class FramesFinder:
    """Finds the faces of one frame after another; safe to share between threads.

    It is a `video.FrameFinder` and keeps nothing from one frame to the next, so that a clip gives
    the same wherever work on it begins.
    """

    def __init__(self, finder: FaceFinder | FaceLocator) -> None:
        """Make one; over a `FaceLocator` alone it makes no templates."""
        self._finder = finder

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        """Find every face, largest first, with its pose and its quality.

        Faces of fewer than `least` pixels may be missed, which takes less time. With None the frame
        is searched as closely as a photograph, for heads that lie on their side too.
        """
        return self._finder.locate_in(image, least).faces

    def templates(self, image: Image, faces: Sequence[Face]) -> Sequence[Template]:
        """Make the templates of some faces of the frame.

        Raises:
            Fault: nothing that makes templates was given.
        """
        if isinstance(self._finder, FaceLocator):
            raise Fault("Templates were asked of what only locates faces. Please report this.")
        return self._finder.templates_in(image, faces)

    def crop_jpeg(self, image: Image, box: Box) -> bytes:
        """Cut a face out, with some of what is around it, as a small JPEG."""
        return face_crop_jpeg(image, box)
