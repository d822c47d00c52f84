"""Independent pieces of work on all cores, their results in order.

Threads do: pictures are decoded, disturbed and answered outside Python's lock. What a piece gives may depend on nothing
but the piece, so the figures are the same to the digit whatever the number of cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def in_order(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """What `work` gives for each of the pieces.

    Args:
        work: a function that several threads may call at once.
        pieces: light ones, for all are taken before the first is done.

    Raises:
        Exception: whatever `work` raised for the earliest piece; what has not begun by then is dropped.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            yield from pool.map(work, pieces)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
