"""Pictures and videos for data sets in miniature."""

from pathlib import Path

import cv2
import numpy as np


def image(seed, width=40, height=48):
    """A smooth random picture, BGR."""
    small = np.random.default_rng(seed).uniform(0, 255, (6, 6, 3)).astype(np.float32)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 255).astype(np.uint8)


def write_image(path: Path, seed=0, width=40, height=48):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image(seed, width, height))
    return path


def write_text(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_video(path: Path, frames=12, fps=6.0, width=64, height=48, seed=0):
    """A video whose frame k has the grey level 20 + 10 k in its corner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = "MJPG" if path.suffix == ".avi" else "mp4v"
    made = path.with_name(f"{path.stem}.mp4") if path.suffix == ".mov" else path
    writer = cv2.VideoWriter(str(made), cv2.VideoWriter.fourcc(*code), fps, (width, height))
    assert writer.isOpened()
    for number in range(frames):
        frame = image(seed, width, height)
        frame[:24, :24] = 20 + 10 * number
        writer.write(frame)
    writer.release()
    made.replace(path)
    return path
