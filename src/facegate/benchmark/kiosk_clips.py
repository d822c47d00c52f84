"""Rendered people as what a browser takes for its camera: clips in raw YUV 4:2:0.

Chromium plays a file in place of a camera (``--use-file-for-fake-video-capture``), over and over. It wants
``.y4m`` in 4:2:0; anything else shows as plain green.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.clips import clip
from facegate.synthesis.stills import still

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480
FPS = 15
MELT = 24
"""Within so many pixels beyond its edge a picture melts into a blur of the same width."""


def write_y4m(path: Path, frames: Iterable[Picture], fps: int = FPS) -> None:
    """Write BGR frames of one even size, shape (height, width, 3), as raw 4:2:0 video."""
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            height, width = frame.shape[:2]
            if number == 0:
                file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


def rendered(
    head: HeadAssets,
    seed: int,
    person: int,
    species: AttackSpecies,
    *,
    index: int = 0,
    side: int = 288,
    frames: int = 60,
) -> list[Picture]:
    """Frames of one presentation of one person, BGR, `side` pixels square."""
    rows = clip(head, seed, person, species, index, side, frames, float(FPS))
    return [_decode(row) for row in rows]


def pictures_of(head: HeadAssets, seed: int, person: int, count: int, side: int = 288) -> list[bytes]:
    """JPEG stills of a person to enrol from, taken on other occasions than the clips."""
    return [_jpeg(in_frame([_decode(still(head, seed, person, i, side))])) for i in range(count)]


def in_frame(pictures: Sequence[Picture]) -> Picture:
    """Pictures side by side in the middle of one frame of 640 × 480.

    A picture that is wider than its room is cut at its sides and never scaled, which would hide the traces of
    re-capture. Their edges are carried on to fill the frame, as data preparation carries them on where a crop reaches over a
    picture's edge, and melt into a blur: no straight border may stand around a live person as around a screen.
    """
    count = len(pictures)
    rooms = [(i + 1) * WIDTH // count - i * WIDTH // count for i in range(count)]
    return np.hstack([_fill(picture, room) for picture, room in zip(pictures, rooms, strict=True)])


def _fill(picture: Picture, width: int) -> Picture:
    over = max(0, picture.shape[1] - width)
    picture = picture[:, over // 2 : picture.shape[1] - (over - over // 2)]
    high, wide = picture.shape[:2]
    top, left = (HEIGHT - high) // 2, (width - wide) // 2
    borders = top, HEIGHT - high - top, left, width - wide - left
    sharp = cv2.copyMakeBorder(picture, *borders, cv2.BORDER_REPLICATE)
    inside = cv2.copyMakeBorder(np.ones((high, wide), np.float32), *borders, cv2.BORDER_CONSTANT, value=0)
    away = cv2.distanceTransform((inside == 0).astype(np.uint8), cv2.DIST_L2, 3)
    weight = np.clip(1 - away / MELT, 0, 1)[..., None]
    return (weight * sharp + (1 - weight) * cv2.GaussianBlur(sharp, (0, 0), MELT)).astype(np.uint8)


def _decode(row: dict[str, object]) -> Picture:
    data = row["image"]
    assert isinstance(data, bytes)
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
