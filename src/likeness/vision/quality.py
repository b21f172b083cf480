"""How a face is shown: its pose, how much is seen of it, and whether it is fit to enrol.

Everything but the pose is measured within an ellipse from brow to chin of an upright chip, so that
hair and background do not count. docs/quality.md says how the measures and their limits were
chosen.

Of the pose: a mean face, five points in space, is fitted to the landmarks under scaled orthography:
the affine fit in closed form, then the rotation nearest to it (Tomasi and Kanade, Shape and motion
from image streams under orthography, 1992; Schönemann, A generalized solution of the orthogonal
Procrustes problem, 1966). The mean face is itself the factorisation, with a mirror symmetry, of the
landmarks that CenterFace finds in the 540 faces of the FairFace sample (CC BY 4.0), whose median
pitch is its zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Pose, Quality, QualityReason
from likeness.vision.detections import Floats

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

Grey = NDArray[np.float32]

# Chips of every layout are brought to one size, in which eyes are 35 to 40 pixels apart.
_SIDE = 112
_WINDOW = np.s_[12:, 11:101]  # the ellipse and what the widest blur sees around it
_Y, _X = (np.mgrid[:_SIDE, :_SIDE] + 0.5) / _SIDE
# Which pixels of the window are face: an ellipse about (0.50, 0.55).
_FACE = (((_X - 0.50) / 0.26) ** 2 + ((_Y - 0.55) / 0.30) ** 2 <= 1)[_WINDOW]
_FINE, _MIDDLE, _COARSE = 1.0, 2.0, 4.0  # Gaussian deviations in pixels between which detail lies
# Half of full sharpness is where fine detail has this share of coarse detail's energy.
_HALF_SHARP_RATIO, _SHARP_EXPONENT = 0.277, 4
_NO_DETAIL = 1e-3  # squared grey values; less is rounding
_EPSILON = 1e-6
_EDGE = np.ones((5, 5), np.uint8)  # as far as interpolation mixes black into the picture


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


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a face needs to be fit to enrol; docs/quality.md has the evidence for each default.

    `least_brightness` and `least_sharpness` are 0 to 100; `least_contrast` is the standard
    deviation of grey values, 0 to 255, and `most_glare` the share of them, 0 to 1, that are white
    to the eye; `least_size` is in pixels of the full frame; `least_confidence`, 0 to 1, is how sure
    the detector is of the face as it sees it upright; `most_yaw` and `most_pitch` are in degrees
    either way. Roll costs nothing: chips are upright.
    """

    least_brightness: float = 4.0
    least_sharpness: float = 12.0
    least_contrast: float = 4.0
    most_glare: float = 0.7
    least_size: float = 24.0
    least_confidence: float = 0.6
    most_yaw: float = 60.0
    most_pitch: float = 20.0


def quality_of(
    chips: Iterable[NDArray[np.uint8]],
    boxes_xyxy: Floats,
    certainties: Floats,
    poses: Sequence[Pose],
    limits: QualityLimits = QualityLimits(),
) -> list[Quality]:
    """Measure every face and say what speaks against enrolling it.

    Brightness is the mean luma of the face. Sharpness compares the energy of fine detail with that
    of coarse detail, so that neither light nor contrast changes it and every blur lowers it; a
    face that is small in the picture is enlarged in its chip and counts as blurred.

    Args:
        chips: (side, side, 3) uint8 RGB each, one upright chip of each face at scale 1.0.
        boxes_xyxy: (n, 4), of the same n faces, in pixels of the full frame.
        certainties: (n,), how sure the detector is of each as it sees it upright, 0 to 1.
        poses: of the same n faces.
        limits: what a face needs.
    """
    sizes = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).min(axis=1).tolist()
    qualities = []
    for chip, size, certainty, pose in zip(chips, sizes, certainties.tolist(), poses, strict=True):
        look = _Look.at(chip)
        reasons = _reasons(look, size, certainty, pose, limits)
        qualities.append(Quality(look.brightness, look.sharpness, size, reasons))
    return qualities


@dataclass(frozen=True, slots=True)
class _Look:
    """What the pixels of one face measure."""

    brightness: float
    sharpness: float
    contrast: float
    glare: float

    @classmethod
    def at(cls, chip: NDArray[np.uint8]) -> "_Look":
        grey = _grey(chip)
        face = grey[_FACE]
        return cls(
            brightness=float(face.mean()) / 255 * 100,
            sharpness=_sharpness(grey),
            contrast=float(face.std()),
            glare=float((face >= 250).mean()),
        )


def _reasons(
    look: _Look, size: float, certainty: float, pose: Pose, limits: QualityLimits
) -> tuple[QualityReason, ...]:
    turned = abs(pose.yaw) > limits.most_yaw or abs(pose.pitch) > limits.most_pitch
    flat = look.contrast < limits.least_contrast or look.glare > limits.most_glare
    speaks_against = {
        QualityReason.EXTREME_POSE: turned,
        QualityReason.LOW_BRIGHTNESS: look.brightness < limits.least_brightness,
        QualityReason.LOW_SHARPNESS: look.sharpness < limits.least_sharpness,
        QualityReason.LOW_CONFIDENCE: certainty < limits.least_confidence,
        QualityReason.SMALL_BOUNDING_BOX: size < limits.least_size,
        QualityReason.LOW_FACE_QUALITY: flat,
    }
    return tuple(reason for reason, speaks in speaks_against.items() if speaks)


def _grey(chip: NDArray[np.uint8]) -> Grey:
    luma = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    sized = cv2.resize(luma, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(sized[_WINDOW], np.float32)


def _sharpness(grey: Grey) -> float:
    # What lies outside the picture is black, and its edge no detail of the face. So blurs are means
    # of what is seen (Knutsson and Westin, Normalized and differential convolution, 1993).
    seen = cv2.erode(np.asarray(grey > 0, np.float32), _EDGE)
    weighted = grey * seen
    fine, middle, coarse = (
        cv2.GaussianBlur(weighted, (0, 0), s) / (cv2.GaussianBlur(seen, (0, 0), s) + _EPSILON)
        for s in (_FINE, _MIDDLE, _COARSE)
    )
    face = _FACE & (seen > 0)
    coarse_energy = float(np.square(middle - coarse)[face].sum())
    if coarse_energy <= _NO_DETAIL * face.sum():
        return 0.0
    ratio = float(np.square(fine - middle)[face].sum()) / coarse_energy
    sharp = (ratio / _HALF_SHARP_RATIO) ** _SHARP_EXPONENT
    return 100 * sharp / (1 + sharp)
