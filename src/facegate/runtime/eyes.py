"""Are the eyes open, and did they blink: the eye network on both eyes of a face, and its blinks over a track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Task
from facegate.faces.blink import Blink, BlinkParams, EyeState
from facegate.faces.detect import Face
from facegate.faces.eyes import eye_crops
from facegate.runtime.models import FaceModel


class EyeJudge(FaceModel):
    """Are the eyes of a face open.

    Args:
        bundle: an eye model.
        threads: threads of the network.
        operating_point: name of the threshold to decide by; the task's usual one by default.

    Raises:
        BundleError: the bundle is of another task or has no such operating point.
    """

    task = Task.EYES

    def openness(self, rgb: NDArray[np.uint8], face: Face) -> float:
        """How open the eyes of one face are, 0 to 1, the mean of both.

        Raises:
            PictureError: the face's landmarks are impossible.
        """
        return float(self.openness_all(rgb, [face])[0])

    def openness_all(self, rgb: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """How open the eyes of several faces of one picture are, shape (n,)."""
        spec = self.bundle.contract.input
        crops = [eye_crops(rgb, face.landmarks, spec.height, spec.crop_factor) for face in faces]
        if not crops:
            return np.empty(0, np.float32)
        return self.score_crops(np.concatenate(crops)).reshape(-1, 2).mean(axis=1)

    def score_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How open single eyes are, shape (n,), from crops as :func:`facegate.faces.eyes.eye_crops` cuts them."""
        return self.session.run(crops)[:, self.bundle.contract.classes.index("open")]

    def blink_params(self) -> BlinkParams:
        """Thresholds of the blink state machine: the model's own, or around its operating point.

        Raises:
            BundleError: the model was never evaluated.
        """
        points = self.bundle.contract.operating_points
        if "blink_close" in points and "blink_open" in points:
            return BlinkParams(close=points["blink_close"].threshold, open=points["blink_open"].threshold)
        return BlinkParams.around(self.policy.point.threshold)


class BlinkWatch:
    """Counts the blinks of one track.

    A blink is a hint that somebody is alive (its weight is for :meth:`facegate.runtime.fusion.Evidence.add_aside`);
    no blink means nothing, and a watch therefore never speaks against a face.

    Args:
        judge: the eye model.
        params: thresholds; those of the model by default.
    """

    def __init__(self, judge: EyeJudge, params: BlinkParams | None = None) -> None:
        self.judge = judge
        self.params = params or judge.blink_params()
        self.state = EyeState()

    @property
    def blinks(self) -> int:
        """How many were seen."""
        return self.state.blinks

    def look(self, rgb: NDArray[np.uint8], face: Face, now_s: float) -> Blink | None:
        """Take in one frame.

        Args:
            rgb: frame, shape (height, width, 3).
            face: the track's face in it.
            now_s: its time, seconds; later than the one before.

        Returns:
            The blink that ended with this frame, if one did.

        Raises:
            PictureError: the face's landmarks are impossible.
            ValueError: time stands still or runs backwards.
        """
        self.state, blink = self.state.step(self.judge.openness(rgb, face), now_s, self.params)
        return blink
