"""What a user would otherwise pick, timed in the same rounds: dlib, and OpenCV's own.

A peer takes part if it is installed (``pip install 'facegate[peers]'``). All run on one thread; each peer's own
way is kept: dlib finds faces with its HOG detector, aligns by five points to 150 × 150 and embeds with its
ResNet; OpenCV runs YuNet and SFace on its own engine where their published weights are on the machine.
"""

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.benchmark.frame_path import FramePath
from facegate.benchmark.timing import Clock, Latency, interleave, speedup
from facegate.params import BenchmarkParams
from facegate.runtime.runners import installed

DETECT, EMBED, PATH = "detect", "embed", "path"
"""What is timed: finding the faces; one crop into an embedding; a whole frame into embeddings."""

Picture = NDArray[np.uint8]
Calls = dict[str, Callable[[], object]]

DLIB_CHIP: Picture = np.full((150, 150, 3), 127, np.uint8)
"""A crop as dlib's ResNet takes it."""
_DLIB_MODELS = "face_recognition_models"


def facegate_calls(path: FramePath, frame: Picture) -> Calls:
    """Facegate's own calls, the yardstick: detection and recognition as its peers do them, without spoofing."""
    size = path.recogniser.bundle.contract.input.height
    crop = np.full((1, size, size, 3), 127, np.uint8)

    def whole() -> object:
        return path.recogniser.embed_all(frame, path.detector.detect(frame))

    return {
        DETECT: lambda: path.detector.detect(frame),
        EMBED: lambda: path.recogniser.embed_crops(crop),
        PATH: whole,
    }


class Dlib(NamedTuple):
    """dlib's parts, opened.

    Attributes:
        detect: its HOG detector: picture and how often to double its size in, rectangles out.
        locate: five landmarks of a rectangle in a picture.
        embed: embedding of a picture with landmarks, or of a crop of 150 × 150.
        rectangle: makes a rectangle of left, top, right and bottom.
    """

    detect: Callable[..., Any]
    locate: Callable[[Picture, Any], Any]
    embed: Callable[..., Any]
    rectangle: Callable[[int, int, int, int], Any]


def open_dlib() -> Dlib | None:
    """dlib with its weights; None if it, or they, are not installed."""
    package = _package_folder(_DLIB_MODELS)
    if package is None or not installed("dlib"):
        return None
    models, dlib = package / "models", importlib.import_module("dlib")
    locate = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    return Dlib(dlib.get_frontal_face_detector(), locate, network.compute_face_descriptor, dlib.rectangle)


def dlib_calls(frame: Picture) -> Calls:
    """Dlib's calls; empty if it, or its models, are not installed."""
    dlib = open_dlib()
    if dlib is None:
        return {}

    def whole() -> object:
        return [dlib.embed(frame, dlib.locate(frame, box)) for box in dlib.detect(frame)]

    return {DETECT: lambda: dlib.detect(frame), EMBED: lambda: dlib.embed(DLIB_CHIP), PATH: whole}


def opencv_calls(frame: Picture, yunet: Path | None = None, sface: Path | None = None) -> Calls:
    """OpenCV's calls on one thread, as far as weights are given that its engine can run.

    Args:
        frame: the picture.
        yunet: ONNX file of YuNet as OpenCV Zoo publishes it; without it OpenCV does not take part.
        sface: ONNX file of SFace (OpenCV Zoo).
    """
    cv2.setNumThreads(1)
    bgr = np.ascontiguousarray(frame[..., ::-1])
    height, width = frame.shape[:2]
    try:
        detector = cv2.FaceDetectorYN.create(str(yunet or ""), "", (width, height), 0.6)
        detector.detect(bgr)
    except cv2.error:
        return {}
    calls: Calls = {DETECT: lambda: detector.detect(bgr)}
    if sface is None:
        return calls
    crop = np.full((112, 112, 3), 127, np.uint8)
    try:
        network = cv2.FaceRecognizerSF.create(str(sface), "")
        network.feature(crop)
    except cv2.error:
        return calls

    def whole() -> object:
        _, faces = detector.detect(bgr)
        rows = [] if faces is None else list(np.asarray(faces))
        return [network.feature(network.alignCrop(bgr, row)) for row in rows]

    return {**calls, EMBED: lambda: network.feature(crop), PATH: whole}


def measure_peers(
    calls: Mapping[str, Mapping[str, Callable[[], object]]],
    params: BenchmarkParams,
    *,
    own: str = "facegate",
    clock: Clock = time.perf_counter,
) -> dict[str, Any]:
    """Time all peers in turns.

    Args:
        calls: the calls of each peer by its name, `own` among them.
        params: rounds and warm-up.
        own: whom the others are compared with.
        clock: seconds, monotonic.

    Returns:
        By what is timed (``detect``, ``embed``, ``path``) and by peer: ``latency_ms``, ``times_slower`` than
        `own`, and ``found``, the faces that a ``path`` embedded: one that finds none is no comparison.
    """
    report: dict[str, Any] = {}
    for kind in (DETECT, EMBED, PATH):
        taking_part = {name: by_kind[kind] for name, by_kind in calls.items() if kind in by_kind}
        times = interleave(taking_part, params.runs, params.warmup, clock=clock, label=f"peers, {kind}")
        report[kind] = {
            name: {
                "latency_ms": Latency.of(seconds).rounded(),
                **({} if name == own else {"times_slower": speedup(seconds, times[own])}),
                **({"found": found_faces(taking_part[name]())} if kind == PATH else {}),
            }
            for name, seconds in times.items()
        }
    return report


def found_faces(answers: object) -> int:
    """How many faces a ``path`` call embedded."""
    return len(answers) if isinstance(answers, Sized) else 0


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
