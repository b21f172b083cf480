"""Decode CenterFace's maps (Xu et al., CenterFace: Joint Face Detection and Alignment, 2019)."""

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import Detections, Floats
from likeness.vision.networks.session import Session

_STRIDE = 4


class CenterFace:
    """Finds a face where the heat map is hot; the other maps say how large it is and how turned."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find candidates of at least `threshold` in (h, w, 3) uint8 RGB."""
        return self.find_each(canvas[None], threshold)[0]

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        """Find candidates of at least `threshold` in each of (n, h, w, 3) uint8 RGB."""
        outputs = self._session.run(canvases)
        return [
            _candidates(heat, sizes, offsets, points, threshold)
            for heat, sizes, offsets, points in zip(*outputs, strict=True)
        ]


def _candidates(
    heat: Floats, sizes: Floats, offsets: Floats, points: Floats, threshold: float
) -> Detections:
    """Read the maps of one canvas: (1, m, n), (2, m, n), (2, m, n) and (10, m, n)."""
    rows, columns = np.nonzero(heat[0] >= threshold)
    height, width = np.exp(sizes[:, rows, columns]) * _STRIDE
    offset_y, offset_x = offsets[:, rows, columns]
    centre_x = (columns + offset_x + 0.5) * _STRIDE
    centre_y = (rows + offset_y + 0.5) * _STRIDE
    left, top = centre_x - width / 2, centre_y - height / 2
    boxes = np.stack([left, top, left + width, top + height], axis=1)
    # Five (y, x) pairs relative to the box's corner, in units of its size.
    relative = points[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
    corner, size = boxes[:, None, :2], np.stack([width, height], axis=1)[:, None]
    return Detections(
        boxes.astype(np.float32),
        (relative * size + corner).astype(np.float32),
        heat[0, rows, columns],
    )
