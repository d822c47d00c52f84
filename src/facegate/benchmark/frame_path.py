"""The whole way of a frame: detect → spoof → embed → match, by number of faces, and what the way itself costs.

Every face goes through every step here, also one that the quality gate or the spoof judge would have turned
away: it is the worst case. Time inside ONNX Runtime is counted in the same frames, so that *overhead* – all
time over the time of the bare sessions – is not blurred by drift.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.benchmark.timing import Clock, Latency, Seconds
from facegate.faces.detect import Detector, Face
from facegate.params import BenchmarkParams
from facegate.runtime.models import Recogniser, SpoofJudge

FRAME = (480, 640)
"""Height and width of the frame, pixels."""
FACES = (0, 1, 2, 4)
GALLERY = 1000
STEPS = ("detect", "spoof", "embed", "match")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class FramePath:
    """The steps of a frame as plain calls.

    Attributes:
        detector: finds faces.
        judge: is this a live person.
        recogniser: who is this.
        gallery: embeddings of the enrolled, shape (people, size).
    """

    detector: Detector
    judge: SpoofJudge
    recogniser: Recogniser
    gallery: NDArray[np.float32]

    def steps(self, frame: Picture) -> Iterator[str]:
        """Run one frame; yields the name of each step when it is done."""
        faces: Sequence[Face] = self.detector.detect(frame)
        yield "detect"
        self.judge.score_all(frame, faces)
        yield "spoof"
        embeddings = self.recogniser.embed_all(frame, faces)
        yield "embed"
        for embedding in embeddings:  # one search a face, as the engine does
            np.argmax(self.gallery @ embedding)
        yield "match"


@dataclass
class SessionTime:
    """Seconds spent inside ONNX Runtime since it was last set to zero."""

    seconds: float = 0.0


def measure_frames(
    path: FramePath,
    frames: Mapping[int, Picture],
    params: BenchmarkParams,
    *,
    clock: Clock = time.perf_counter,
) -> dict[str, Any]:
    """Time frames with different numbers of faces in turns.

    Args:
        path: detector and models.
        frames: a frame by the number of faces in it (:func:`compose`).
        params: rounds and warm-up.
        clock: seconds, monotonic.

    Returns:
        By number of faces: ``found`` faces, ``latency_ms``, ``steps_ms`` (medians), and ``overhead`` (median of
        all time over time in sessions; None if no session ran).
    """
    rows: dict[int, list[list[float]]] = {count: [] for count in frames}
    rng = np.random.default_rng(0)
    with session_time(clock) as inside:
        rounds = tqdm(range(-params.warmup, params.runs), desc="frames", unit="round", delay=2, leave=False)
        for round_ in rounds:
            for count in rng.permutation(list(frames)).tolist():
                inside.seconds = 0.0
                steps = _time_steps(path.steps(frames[count]), clock)
                if round_ >= 0:
                    rows[count].append([*steps, inside.seconds])
    return {
        str(count): {"found": len(path.detector.detect(frames[count])), **_summary(np.array(rows[count]))}
        for count in frames
    }


def _time_steps(steps: Iterator[str], clock: Clock) -> list[float]:
    times, last = [], clock()
    for _ in steps:
        now = clock()
        times.append(now - last)
        last = now
    return times


def _summary(rows: Seconds) -> dict[str, Any]:
    """Of seconds, shape (runs, steps + 1): the steps, and the time inside sessions."""
    steps, inside = rows[:, :-1], rows[:, -1]
    whole = steps.sum(axis=1)
    medians = np.median(steps, axis=0) * 1e3
    return {
        "latency_ms": Latency.of(whole).rounded(),
        "steps_ms": {name: round(float(ms), 4) for name, ms in zip(STEPS, medians, strict=True)},
        "overhead": round(float(np.median(whole / inside)), 4) if inside.all() else None,
    }


@contextmanager
def session_time(clock: Clock = time.perf_counter) -> Iterator[SessionTime]:
    """Count the time that any ONNX Runtime session of this process runs while the block lasts."""
    spent = SessionTime()
    original: Callable[..., Any] = ort.InferenceSession.run

    def run(self: ort.InferenceSession, *args: Any, **kwargs: Any) -> Any:
        start = clock()
        try:
            return original(self, *args, **kwargs)
        finally:
            spent.seconds += clock() - start

    ort.InferenceSession.run = run  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        ort.InferenceSession.run = original  # type: ignore[method-assign]


def compose(portraits: Sequence[Picture], faces: int, seed: int = 0) -> Picture:
    """A frame of 640 × 480 with a number of portraits side by side on a noisy grey wall.

    Args:
        portraits: square pictures of one face each; used in turn.
        faces: how many to show, 0 to 6.
        seed: of the wall.
    """
    height, width = FRAME
    wall = np.random.default_rng(seed).normal(118, 6, (height, width, 3))
    frame = cv2.GaussianBlur(wall.clip(0, 255).astype(np.uint8), (0, 0), 1.5)
    columns = max(1, min(faces, 3))
    side = min(width // columns, height // (1 if faces <= 3 else 2)) - 16
    side = min(side, 300)
    for number in range(faces):
        row, column = divmod(number, columns)
        left = int((column + 0.5) * width / columns) - side // 2
        top = int((row + 0.5) * height / (1 if faces <= 3 else 2)) - side // 2
        portrait = cv2.resize(portraits[number % len(portraits)], (side, side), interpolation=cv2.INTER_AREA)
        frame[top : top + side, left : left + side] = portrait
    return np.asarray(frame, np.uint8)


def gallery_of(size: int, people: int = GALLERY, seed: int = 0) -> NDArray[np.float32]:
    """Random unit vectors in place of enrolled people, shape (people, size)."""
    rows = np.random.default_rng(seed).normal(size=(people, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
