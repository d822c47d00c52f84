"""Is this face worth an answer? A gate before any network is asked.

A network answers for every crop, also for a smear of twelve pixels. The gate says so beforehand, in words that
a person at the camera can act upon. Compare ISO/IEC 29794-5 (face image quality), of which these are the cheap
components.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.faces.align import align
from facegate.faces.detect import Face
from facegate.faces.pose import Pose, pose

_FACE_AREA = (slice(28, 104), slice(26, 86))
"""Rows and columns of the aligned 112 × 112 crop that show skin, whatever the hair and the background."""


class QualityIssue(StrEnum):
    """Why a face is not worth an answer."""

    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    TURNED = "turned"
    CUT_OFF = "cut_off"


@dataclass(frozen=True)
class QualityLimits:
    """Where the gate closes.

    Attributes:
        eye_distance: least distance of the eyes, pixels.
        sharpness: least sharpness, see :class:`Quality`.
        dark: least median brightness, 0 to 255.
        bright: greatest median brightness, 0 to 255.
        contrast: least standard deviation of brightness, 0 to 255.
        yaw: greatest turn to a side, degrees.
        pitch: greatest turn up or down, degrees.
        visible: least share of the box within the picture, 0 to 1.
    """

    eye_distance: float = 20.0
    sharpness: float = 0.10
    dark: float = 25.0
    bright: float = 235.0
    contrast: float = 8.0
    yaw: float = 40.0
    pitch: float = 35.0
    visible: float = 0.85


@dataclass(frozen=True)
class Quality:
    """What was measured on one face.

    Attributes:
        eye_distance: pixels.
        sharpness: mean absolute Laplacian of the aligned crop / its standard deviation; about 0.1 (blurred) to
            0.5 (crisp), independent of light and contrast.
        brightness: median of the face, 0 to 255.
        contrast: standard deviation of the face, 0 to 255.
        pose: turn of the head, degrees.
        visible: share of the face box within the picture, 0 to 1.
        issues: what fails; empty if the face is good.
    """

    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    pose: Pose
    visible: float
    issues: tuple[QualityIssue, ...] = ()

    @property
    def good(self) -> bool:
        """True if nothing fails."""
        return not self.issues


def assess(
    rgb: NDArray[np.uint8],
    face: Face,
    limits: QualityLimits = QualityLimits(),
    crop: NDArray[np.uint8] | None = None,
) -> Quality:
    """Measure a face and compare it with the limits.

    Args:
        rgb: picture, shape (height, width, 3).
        face: a face found in it.
        limits: where the gate closes.
        crop: the face as :func:`~facegate.faces.align.align` cuts it, 112 × 112, if it is at hand.

    Raises:
        PictureError: the landmarks coincide or are not finite.
    """
    aligned = crop if crop is not None and crop.shape == (112, 112, 3) else align(rgb, face.landmarks)
    grey = cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY)[_FACE_AREA]
    contrast = float(grey.std())
    detail = float(np.abs(cv2.Laplacian(grey.astype(np.float32), cv2.CV_32F)).mean())
    measured = Quality(
        eye_distance=float(np.linalg.norm(face.landmarks[0] - face.landmarks[1])),
        sharpness=detail / max(contrast, 1.0),
        brightness=float(np.partition(grey, grey.size // 2, axis=None)[grey.size // 2]),
        contrast=contrast,
        pose=pose(face.landmarks),
        visible=visible_share(face.box, rgb.shape[1], rgb.shape[0]),
    )
    return replace(measured, issues=issues(measured, limits))


def issues(quality: Quality, limits: QualityLimits) -> tuple[QualityIssue, ...]:
    """What fails, in the order in which a person should mend it."""
    failing = {
        QualityIssue.CUT_OFF: quality.visible < limits.visible,
        QualityIssue.TOO_SMALL: quality.eye_distance < limits.eye_distance,
        QualityIssue.TURNED: abs(quality.pose.yaw) > limits.yaw or abs(quality.pose.pitch) > limits.pitch,
        QualityIssue.TOO_DARK: quality.brightness < limits.dark,
        QualityIssue.TOO_BRIGHT: quality.brightness > limits.bright,
        QualityIssue.LOW_CONTRAST: quality.contrast < limits.contrast,
        QualityIssue.BLURRED: quality.sharpness < limits.sharpness,
    }
    return tuple(issue for issue, fails in failing.items() if fails)


def visible_share(box: NDArray[np.float32], width: int, height: int) -> float:
    """Share of a box (x, y, width, height) that lies within the picture, 0 to 1."""
    low = np.maximum(box[:2], 0)
    high = np.minimum(box[:2] + box[2:], [width, height])
    inside = float(np.prod(np.clip(high - low, 0, None)))
    return min(1.0, inside / max(float(box[2] * box[3]), 1e-9))
