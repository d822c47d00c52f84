"""Where are the faces: YuNet in ONNX Runtime.

The same detector runs in data preparation, in evaluation and at the door, so that a network never meets
crops of another kind than it was trained on. ONNX Runtime was chosen over ``cv2.FaceDetectorYN`` by
measurement: with the input shape made free it takes under half the time at every size; and the graph takes the
uint8 picture, a quarter of the bytes of a float one, and answers with faces instead of with twelve maps of all cells.

Paper: Wu et al., *YuNet: A Tiny Millisecond-level Face Detector*, Machine Intelligence Research 2023.
"""

import functools
import os
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from facegate.faces.align import matrix_of, plane, warp

MODEL = "face_detection_yunet_2023mar.onnx"
STRIDES = (8, 16, 32)
CLOSE_SIDE = 100
CLOSE_WINDOW = 192
"""At the second look a face is 100 pixels large in a window of 192."""
READABLE = 22
"""Pixels that a face must have where the network looks: of faces as large, upright or tilted by up to 20°, it
finds 98 to 100 %; of 18 pixels 90 %, of 14 half."""
SHORTEST_SEARCH = 320
"""A picture is not shrunk below this longer side, pixels: there, looking takes no more than a crop's network."""


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in pixels of the picture.

    Attributes:
        box: x, y, width, height; float32, may reach over the picture's edge.
        landmarks: five points, order ``LANDMARK_NAMES``; float32, shape (5, 2).
        score: detector's confidence, 0 to 1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        return float(self.box[2] * self.box[3])


class Detector:
    """Finds faces in pictures of any size, in bounded time.

    The picture is shrunk as far as the smallest face of interest allows (:data:`READABLE`), and at any rate
    until its longer side is at most ``side``; a picture that is smaller than ``least`` is enlarged to it. Where
    nothing is found, it is looked at once more, four times smaller: that finds a face which fills the picture or
    is cut off by its edge.

    Every face is then looked at again, turned upright and brought to one size, so that the landmarks depend
    little on how large and how tilted the face is, nor on how far the picture was shrunk for the search: on four
    photographs they are nearer to points set by hand (.06 to .11 of the eye distance) than with a search at
    full size and a second look at 80 pixels (.08 to .12).

    One thread, equal results for equal pictures. May be pickled and used after a fork: each process makes its
    own session.

    Args:
        score: least confidence of a face, 0 to 1.
        side: longer side at which the network looks at most, pixels; time grows with its square.
        least: shorter sides are enlarged to this, pixels.
        threads: threads of the network.
        smallest: larger side of the smallest face that must be found, pixels of the picture. The default is a
            face whose eyes are 20 pixels apart, the least that the quality gate lets through.
    """

    def __init__(
        self,
        score: float = 0.6,
        side: int = 640,
        least: int = 96,
        threads: int = 1,
        smallest: float = 2 * READABLE,
    ) -> None:
        self.score = score
        self._least = np.array(score**2, np.float32)
        self.side = side
        self.least = least
        self.threads = threads
        self.smallest = smallest

    def detect(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """Find all faces, the largest first.

        Args:
            rgb: picture, shape (height, width, 3).
        """
        longer = max(rgb.shape[:2])
        wanted = max(longer * min(1.0, READABLE / self.smallest), min(longer, SHORTEST_SEARCH), self.least)
        scale = min(self.side, wanted) / longer
        faces = self._look(rgb, scale)
        if not faces:
            faces = self._look(rgb, min(scale, self.side / 4 / longer))
        faces = [self._refine(rgb, face) for face in faces]
        return sorted(faces, key=lambda face: (-face.area, *face.box.tolist()))

    def _look(self, rgb: NDArray[np.uint8], scale: float) -> list[Face]:
        height, width = rgb.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        zoom = np.array([width / size[0], height / size[1]], np.float32)
        return [_restore(row, zoom) for row in self._run(_resized_and_padded(rgb, size))]

    def _refine(self, rgb: NDArray[np.uint8], face: Face) -> Face:
        turn, shift = _upright(face)
        window = warp(rgb, matrix_of(turn, shift), CLOSE_WINDOW)
        found = self._run(window)  # its side is a multiple of the coarsest stride
        if not len(found):
            return face
        row = found[0] if len(found) == 1 else _nearest_the_middle(found)
        return _turned_back(row, turn, shift, face.score)

    def _run(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rows of the middle of the box, its width and height, ten landmark coordinates, score; the most confident
        first, overlaps removed."""
        grid, strides = _grid(*rgb.shape[:2])
        asked = {"images": rgb[None], "least": self._least, "grid": grid, "strides": strides}
        return np.asarray(self._session.run(("rows",), asked)[0])

    @property
    def _session(self) -> ort.InferenceSession:
        if self._own[0] != os.getpid():
            del self._own
        return self._own[1]

    @functools.cached_property
    def _own(self) -> tuple[int, ort.InferenceSession]:
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        model = (files("facegate.faces") / "assets" / MODEL).read_bytes()
        return os.getpid(), ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_own"}


def _resized_and_padded(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture at another width and height, with black below and to the right up to multiples of the coarsest stride."""
    across, down = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in size)
    padded = np.zeros((down, across, 3), np.uint8)
    inside = padded[: size[1], : size[0]]
    if size == rgb.shape[1::-1]:
        inside[:] = rgb
    else:
        how = cv2.INTER_AREA if size < rgb.shape[1::-1] else cv2.INTER_LINEAR
        cv2.resize(rgb, size, inside, interpolation=how)
    return padded


@functools.lru_cache(maxsize=8)
def _grid(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What is added to each number of a row of every cell, shape (cells, 14), and its stride, shape (cells, 1)."""
    cells = [
        np.stack(np.divmod(np.arange((height // s) * (width // s)), width // s)[::-1], axis=1)
        for s in STRIDES
    ]
    places = np.tile(np.concatenate(cells), 7).astype(np.float32)
    places[:, 2:4] = 0
    return places, np.repeat(np.array(STRIDES, np.float32), [len(part) for part in cells])[:, None]


def overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with many, boxes as x, y, width, height; shape (n,), 0 to 1."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    union = box[2] * box[3] + boxes[:, 2] * boxes[:, 3] - common
    return common / np.maximum(union, 1e-9)


def _nearest_the_middle(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """The row of a face whose landmarks lie around the middle of the window."""
    middles = found[:, 4:14].reshape(-1, 5, 2).mean(axis=1)
    return found[np.argmin(np.linalg.norm(middles - CLOSE_WINDOW / 2, axis=1))]


def _upright(face: Face) -> tuple[complex, complex]:
    """Turn and shift that bring a face upright, :data:`CLOSE_SIDE` large, to the middle of the window."""
    right_eye, left_eye, _, right_mouth, left_mouth = plane(face.landmarks)
    across = left_eye + left_mouth - right_eye - right_mouth
    upright = across.conjugate() / abs(across) if across else 1
    turn = CLOSE_SIDE / max(*face.box[2:].tolist(), 1.0) * upright
    middle = complex(*(np.add.reduce(face.landmarks) / 5).tolist())
    return turn, CLOSE_WINDOW / 2 * (1 + 1j) - turn * middle


def _turned_back(row: NDArray[np.float32], turn: complex, shift: complex, score: float) -> Face:
    """A face of the window in pixels of the picture; its box keeps its sides' directions."""
    middle, sides, *landmarks = plane(row[:14].reshape(7, 2))
    middle, *landmarks = ((z - shift) / turn for z in (middle, *landmarks))
    width, height = sides.real / abs(turn), sides.imag / abs(turn)
    box = np.array([middle.real - width / 2, middle.imag - height / 2, width, height], np.float32)
    return Face(box, np.array([(z.real, z.imag) for z in landmarks], np.float32), score)


def _restore(row: NDArray[np.float32], zoom: NDArray[np.float32]) -> Face:
    """Back to pixels of the picture; landmarks with pixel centres at integers."""
    pairs = row[:14].reshape(7, 2) * zoom
    pairs[0] -= pairs[1] / 2
    return Face(pairs[:2].ravel(), pairs[2:], float(row[14]))
