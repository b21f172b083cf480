"""Decode CenterFace's maps (Xu et al., CenterFace: Joint Face Detection and Alignment, 2019)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.vision.detections import Curve, Detections, DetectorForm, FaceNetwork, Floats, Shape
from likeness.vision.networks.session import Session

_STRIDE = 4
# By position: heat map, (height, width), offset (y, x), five landmarks (y, x).
_CHANNELS = (1, 2, 2, 10)


class CenterFace(FaceNetwork):
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


def _check(shapes: Sequence[Shape | None], count: int, height: int, width: int) -> None:
    expected = [(count, maps, height // _STRIDE, width // _STRIDE) for maps in _CHANNELS]
    if shapes != expected:
        raise InvalidRequest(
            f"Not CenterFace: it gives {', '.join(map(str, shapes))} for {count} pictures of"
            f" {width}x{height}, where CenterFace gives {', '.join(map(str, expected))}. Get the"
            " file again."
        )


# The published file (MIT) is fixed to ten 32x32 pictures, but nothing in it depends on the size.
CENTERFACE = DetectorForm(
    network=CenterFace, check=_check, takes_many=True, likelihood=Curve(-3.26, 11.40).at
)
