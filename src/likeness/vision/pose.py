"""How heads are turned, from five landmarks alone.

A mean face, five points in space, is fitted to the landmarks under scaled orthography: the affine
fit in closed form, then the rotation nearest to it (Tomasi and Kanade, Shape and motion from image
streams under orthography, 1992; Schönemann, A generalized solution of the orthogonal Procrustes
problem, 1966). The mean face is itself the factorisation, with a mirror symmetry, of the landmarks
that CenterFace finds in the 540 faces of the FairFace sample (CC BY 4.0), whose median pitch is its
zero.
"""

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Pose

# Eyes, nose, mouth corners: x to the picture's right, y down, z towards the camera; mean zero.
_MEAN_FACE_XYZ = np.array(
    [
        [-0.6300, -0.6187, -0.0433],
        [0.6300, -0.6187, -0.0433],
        [0.0000, 0.0500, 0.4124],
        [-0.5243, 0.5937, -0.1629],
        [0.5243, 0.5937, -0.1629],
    ]
)
_FIT = np.linalg.pinv(_MEAN_FACE_XYZ)


def pose_of(landmarks_xy: NDArray[np.float32]) -> list[Pose]:
    """Estimate how each head is turned.

    Turning the landmarks by r degrees changes roll by r and nothing else; yaw and pitch are off by
    2 or 3 degrees as a rule, by more where a person's features are far from the mean. Landmarks of
    tilted heads want `upright.find_upright` first.

    Args:
        landmarks_xy: (n, 5, 2), in the order of `terms.Landmarks`, in any frame whose pixels
            are square.

    Returns:
        A pose for each face; points that coincide or are not finite look straight at the camera.
    """
    finite = np.isfinite(landmarks_xy).all(axis=(1, 2), keepdims=True)
    points = np.where(finite, landmarks_xy, 0).astype(np.float64)
    points -= points.mean(axis=1, keepdims=True)
    # landmarks = face @ affine.T, so each row of `affine` is one axis of the picture.
    affine = (_FIT @ points).transpose(0, 2, 1)
    u, _, vt = np.linalg.svd(affine, full_matrices=False)
    right, down = np.moveaxis(u @ vt, 1, 0)
    towards = np.cross(right, down)
    # The rotation's rows are `right`, `down`, `towards`; it is roll after pitch after yaw.
    yaw = np.arctan2(-towards[:, 0], towards[:, 2])
    pitch = np.arcsin(np.clip(towards[:, 1], -1, 1))
    roll = np.arctan2(-right[:, 1], down[:, 1])
    return [Pose(*angles) for angles in np.degrees([yaw, pitch, roll]).T.tolist()]
