"""Is this stream a camera? Checks on the frames as they come, before a pixel is decoded.

A live camera never gives the very same bytes twice, its clock never runs back nor ahead of ours, and it gives no more
frames than were agreed. None of this proves a camera, and a frame that fails is simply no evidence; what a
careful injector can still do stands in docs/threat_model.md.
"""

import hashlib
import math
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from facegate.serving.limits import Buckets

Status = Literal["seen", "dropped", "repeated", "late"]
HEAD = struct.Struct(">d")
REMEMBERED = 4096
"""Frames whose hashes are remembered: four and a half minutes at 15 a second."""
AHEAD_S = 2.0
"""How far a stream's clock may run ahead of ours: frames wait in no queue that lets them arrive early."""
TOLERANCE = 1.2
"""Frames beyond the agreed rate that are let pass: a browser's timers are not exact."""
BEHIND_S = 5.0
"""How old a frame may be; older ones waited in a queue and are skipped."""


@dataclass(frozen=True)
class Frame:
    """One message of a stream.

    Attributes:
        time: the client's, seconds.
        data: the picture's bytes.
    """

    time: float
    data: bytes


def parse(message: bytes) -> Frame | None:
    """Take a message apart; None if it is too short or its time is no number."""
    if len(message) <= HEAD.size:
        return None
    (at,) = HEAD.unpack_from(message)
    return Frame(at, message[HEAD.size :]) if math.isfinite(at) and abs(at) < 1e12 else None


class Freshness:
    """Judges the frames of one stream.

    Args:
        max_fps: frames a second in the long run.
        clock: seconds that never run back.
    """

    def __init__(self, max_fps: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rate = Buckets(TOLERANCE * max_fps, max(2.0, max_fps), clock)
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._start: tuple[float, float] | None = None
        self._last = -math.inf
        self.still = 0
        self.suspicions = 0

    def judge(self, frame: Frame) -> Status:
        """What a frame is worth; only a ``seen`` one is evidence."""
        if self._rate.take("frames"):
            return "dropped"
        if frame.time <= self._last:
            return self._suspicious("late")
        now = self._clock()
        self._start = self._start or (frame.time, now)
        lag = (now - self._start[1]) - (frame.time - self._start[0])
        if lag < -AHEAD_S:
            return self._suspicious("late")
        self._last = frame.time
        if lag > BEHIND_S:
            self._start = (frame.time, now)  # a pause of the client, not of the world: count from here
            return "dropped"
        return self._repeated(frame)

    def _repeated(self, frame: Frame) -> Status:
        digest = hashlib.blake2b(frame.data, digest_size=16).digest()
        if digest in self._seen:
            self.still += 1
            return self._suspicious("repeated")
        self.still = 0
        self._seen[digest] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return "seen"

    def _suspicious(self, status: Status) -> Status:
        self.suspicions += 1
        return status
