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


def hold_frames(path: Path, counts_and_lengths) -> Path:
    """Give the frames of an .mp4 lengths of their own, as phones do: [(frames, length in units of the track)].

    Writes the table ``stts`` anew (ISO/IEC 14496-12, 8.6.1.2); ``moov`` has to lie behind the pictures.
    """
    data = path.read_bytes()
    at = data.index(b"stts") - 4
    old = int.from_bytes(data[at : at + 4])
    rows = b"".join(n.to_bytes(4) + length.to_bytes(4) for n, length in counts_and_lengths)
    new = (16 + len(rows)).to_bytes(4) + b"stts" + bytes(4) + len(counts_and_lengths).to_bytes(4) + rows
    changed = bytearray(data[:at] + new + data[at + old :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        start = data.index(box, data.index(b"moov")) - 4
        changed[start : start + 4] = (int.from_bytes(data[start : start + 4]) + len(new) - old).to_bytes(4)
    edit = changed.find(b"elst")
    if edit >= 0:  # the edit list would cut the longer track off
        changed[edit + 12 : edit + 16] = (1 << 24).to_bytes(4)
    path.write_bytes(changed)
    return path
