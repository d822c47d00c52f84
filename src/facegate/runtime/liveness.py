"""Is this a live person, from a clip: frames of one track are gathered, put onto a film strip, and judged together."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Task
from facegate.errors import PictureError
from facegate.faces.crop import context_crop
from facegate.faces.detect import Face
from facegate.faces.film import LEAST_FRAMES, film_strip, frames_in, slots
from facegate.runtime.models import Decision, FaceModel


class ClipFrame(NamedTuple):
    """What is kept of one frame of a track.

    Attributes:
        crop: context crop, RGB, shape (size, size, 3).
        time_s: of the frame, seconds.
    """

    crop: NDArray[np.uint8]
    time_s: float


class ClipJudge(FaceModel):
    """Is this a live person, from a clip of 8 frames or more, at any rate.

    Args:
        bundle: a liveness model.
        threads: threads of the network.
        operating_point: name of the threshold to decide by; the task's usual one by default.

    Raises:
        BundleError: the bundle is of another task or has no such operating point.
    """

    task = Task.LIVENESS

    @property
    def frames(self) -> int:
        """Frames of a strip."""
        spec = self.bundle.contract.input
        return frames_in(spec.height, spec.width)

    def frame(self, rgb: NDArray[np.uint8], face: Face, now_s: float) -> ClipFrame:
        """What must be kept of a frame.

        Raises:
            PictureError: the face's box is impossible.
        """
        spec = self.bundle.contract.input
        return ClipFrame(context_crop(rgb, face.box, spec.crop_factor, spec.width), now_s)

    def strip(self, clip: Sequence[ClipFrame]) -> NDArray[np.uint8]:
        """Frames in the order of time as the film strip that the network takes.

        Raises:
            PictureError: there are fewer than eight.
        """
        if len(clip) < LEAST_FRAMES:
            raise PictureError(
                f"a clip of {len(clip)} frames shows too little", f"record {LEAST_FRAMES} frames or more"
            )
        chosen = [clip[i] for i in slots([frame.time_s for frame in clip], self.frames)]
        return film_strip(np.stack([frame.crop for frame in chosen]))

    def score(self, clip: Sequence[ClipFrame]) -> float:
        """Probability-like score of being bona fide, 0 to 1.

        Raises:
            PictureError: see :meth:`strip`.
        """
        return float(self.score_strips(self.strip(clip)[None])[0])

    def score_strips(self, strips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of film strips, shape (n,)."""
        return self.session.run(strips)[:, self.bundle.contract.classes.index("bona_fide")]

    def judge(self, clip: Sequence[ClipFrame]) -> Decision:
        """Score of a clip, held against the operating point."""
        return self.decide(self.score(clip))


class ClipBuffer:
    """The last seconds of one track.

    Args:
        judge: the liveness model.
        span_s: frames older than this, counted from the newest, are forgotten.
        most: most frames kept.
    """

    def __init__(self, judge: ClipJudge, span_s: float = 2.0, most: int = 64) -> None:
        self.judge, self.span_s = judge, span_s
        self._frames: deque[ClipFrame] = deque(maxlen=most)

    @property
    def ready(self) -> bool:
        """Whether there are enough frames for an answer."""
        return len(self._frames) >= LEAST_FRAMES

    def add(self, rgb: NDArray[np.uint8], face: Face, now_s: float) -> None:
        """Take in one frame.

        Raises:
            PictureError: the face's box is impossible.
            ValueError: time stands still or runs backwards.
        """
        if self._frames and now_s <= self._frames[-1].time_s:
            raise ValueError(f"time must advance: {now_s} after {self._frames[-1].time_s}")
        self._frames.append(self.judge.frame(rgb, face, now_s))
        while self._frames[0].time_s < now_s - self.span_s:
            self._frames.popleft()

    def decide(self) -> Decision | None:
        """Decision on what is held; None while there are too few frames."""
        return self.judge.judge(list(self._frames)) if self.ready else None
