"""Which face of a picture its label means, where there are several.

The product takes the largest. Sets of labelled pictures are made otherwise: LFW deep-funneled is
aligned on the person named, who is in the middle, and a bystander at the edge may be nearer to the
camera and larger. What is measured by labels therefore takes the face that a picture is of.
"""

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import areas
from likeness.vision.find import Located


def portrayed(located: Located) -> int:
    """Index of the face that a picture is of; there has to be one."""
    image = located.image
    return portrayed_of(located.detections.boxes_xyxy, image.width, image.height)


def portrayed_of(boxes_xyxy: NDArray[np.float32], width: int, height: int) -> int:
    """Say which of (n, 4) boxes a picture of this size is of: large, and near the middle.

    It has the most area less twice the squared distance of its centre from the picture's, as
    common tools that prepare face data choose.
    """
    off_centre = (boxes_xyxy[:, 2:] + boxes_xyxy[:, :2] - (width, height)) / 2
    return int(np.argmax(areas(boxes_xyxy) - 2 * (off_centre**2).sum(axis=1)))
