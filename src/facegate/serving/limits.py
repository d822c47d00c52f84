"""How much at once, and how much in a while: slots for judging, a bound on what waits, buckets of tokens.

Nothing here queues without end. Who finds no room is told so at once (503, or 429 for one key that asks too much)
and when to come again. All of it is per process: with several workers each keeps its own count.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facegate.serving.problems import ProblemError, busy

MOST_KNOWN = 10_000
"""Keys and addresses that are remembered; the one unseen for longest is forgotten first."""
SLOT_WAIT_S = 10.0


class Slots:
    """How many pictures are judged at once.

    Args:
        count: as many as there are processors for them.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self, wait_s: float = SLOT_WAIT_S) -> Iterator[None]:
        """Hold a slot, waiting for one if need be; blocks the thread.

        Raises:
            ProblemError: 503, none came free in time.
        """
        if not self._free.acquire(timeout=wait_s):
            raise busy("too many pictures are being judged", wait_s / 2)
        try:
            yield
        finally:
            self._free.release()


class Room:
    """How many requests or streams may be inside at once; counted in the event loop, so without a lock.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.inside = 0

    @contextmanager
    def enter(self, what: str = "requests") -> Iterator[None]:
        """Be inside for the block.

        Raises:
            ProblemError: 503, the room is full.
        """
        if self.inside >= self.count:
            raise busy(f"{self.inside} {what} are being served already")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


class Buckets:
    """A token bucket for each name: ``burst`` at once, ``rate`` a second in the long run.

    Args:
        rate: tokens a second.
        burst: most tokens.
        clock: seconds that never run back.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take a token.

        Returns:
            0 if there was one, else the seconds until there will be.
        """
        now = self._clock()
        tokens, then = self._buckets.pop(name, (self.burst, now))
        tokens = min(self.burst, tokens + (now - then) * self.rate)
        taken = tokens >= 1
        self._buckets[name] = (tokens - taken, now)
        if len(self._buckets) > MOST_KNOWN:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / self.rate


class Lockout:
    """Addresses that gave too many wrong keys are not listened to for a while.

    Args:
        failures: wrong keys before it is locked out.
        seconds: how long, and how long failures are remembered.
        clock: seconds that never run back.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.failures, self.seconds, self._clock = failures, seconds, clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def left(self, address: str) -> float:
        """Seconds until the address is listened to again; 0 if it is."""
        count, last = self._known.get(address, (0, 0.0))
        rest = self.seconds - (self._clock() - last)
        return rest if count >= self.failures and rest > 0 else 0.0

    def failed(self, address: str) -> None:
        """Count a wrong key."""
        count, last = self._known.pop(address, (0, 0.0))
        now = self._clock()
        self._known[address] = (count + 1 if now - last < self.seconds else 1, now)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def refuse_for(wait_s: float, detail: str) -> ProblemError:
    """A 429 that says when to come again."""
    wait = max(1, round(wait_s + 0.5))
    return ProblemError(429, detail, f"try again in {wait} s", headers={"Retry-After": str(wait)})
