"""Rendered people as what a browser takes for its camera: clips in raw YUV 4:2:0.

Chromium plays a file in place of a camera (``--use-file-for-fake-video-capture``), over and over. It wants
``.y4m`` in 4:2:0; anything else shows as plain green.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import capture, sample_camera
from facegate.recapture.imaging import Floats
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.background import sample_background
from facegate.synthesis.clips import clip, live_shots
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import Light, sample_light
from facegate.synthesis.motion import Times
from facegate.synthesis.render import Rendered, render
from facegate.synthesis.shot import Shot, sample_shot
from facegate.synthesis.stills import person_of, still

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480
FPS = 15
SPACE = 400
"""Side of the square in which each of several people is rendered, pixels: wide enough for the shoulders."""
FINER = 1.5
"""Scene pixels for each of the picture's, as everywhere in rendering."""
_TOGETHER = 3
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
    return [_jpeg(in_frame(_decode(still(head, seed, person, i, side)))) for i in range(count)]


def together(
    head: HeadAssets, seed: int, people: Sequence[int], *, side: int = 224, frames: int = 60
) -> list[Picture]:
    """Frames of live people beside each other in one room, one light and before one camera; BGR, 640 × 480.

    Args:
        head: the head.
        seed: of the people.
        people: their numbers, from left to right.
        side: of the picture that each would fill, pixels, as for :func:`rendered`.
        frames: number of pictures.
    """
    rng = np.random.default_rng([seed, _TOGETHER, *people])
    light = sample_light(rng)
    room = _room(sample_background(light, rng))
    identities = [person_of(head, seed, person) for person in people]
    moves = [_moves(rng, identity, light, frames, side) for identity in identities]
    camera = sample_camera(rng)

    def taken(shots: Sequence[Shot]) -> Picture:
        scene = room.copy()
        for place, (identity, shot) in enumerate(zip(identities, shots, strict=True)):
            _stand(scene, render(identity, shot, SPACE), (place + 0.5) / len(people))
        return capture(scene, camera, rng, (HEIGHT, WIDTH))[..., ::-1]

    return [taken(shots) for shots in zip(*moves, strict=True)]


def _room(background: Floats) -> Floats:
    """A square background as what lies behind a whole frame, scene-linear."""
    wide, high = round(WIDTH * FINER), round(HEIGHT * FINER)
    square = np.asarray(cv2.resize(background, (wide, wide), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.ascontiguousarray(square[(wide - high) // 2 :][:high])


def _moves(rng: np.random.Generator, identity: Identity, light: Light, frames: int, side: int) -> list[Shot]:
    base = sample_shot(rng, identity, variety=0.7, closed=0.0, light=light)
    base = replace(base, pose=replace(base.pose, scale=base.pose.scale * side / SPACE))
    return live_shots(rng, base, Times(frames, float(FPS)))


def _stand(scene: Floats, person: Rendered, across: float) -> None:
    """Put a person before a scene, at the bottom, its middle at a share of the width."""
    high, wide = person.alpha.shape
    left = round(across * scene.shape[1]) - wide // 2
    low, end = max(0, left), min(scene.shape[1], left + wide)
    top = max(0, high - scene.shape[0])
    covered = person.alpha[top:, low - left : end - left, None]
    behind = scene[top - high :, low:end]
    behind[:] = covered * person.scene[top:, low - left : end - left] + (1 - covered) * behind


def in_frame(picture: Picture) -> Picture:
    """A picture in the middle of a frame of 640 × 480.

    Its edges are carried on to fill the frame, as data preparation carries them on where a crop reaches over a
    picture's edge, and melt into a blur: no straight border may stand around a live person as around a screen.
    """
    high, wide = picture.shape[:2]
    top, left = (HEIGHT - high) // 2, (WIDTH - wide) // 2
    borders = top, HEIGHT - high - top, left, WIDTH - wide - left
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
