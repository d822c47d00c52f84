"""Who is trained on and who is tested on: splits by subject that stay put when the set grows.

Every subject gets a place on [0, 1) that depends on nothing but the seed and the subject itself. The
interval is cut into test, validation and training shares, so a subject never changes sides because
somebody else was added.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable

from facegate.contracts import Split
from facegate.errors import SourceError
from facegate.params import SplitParams

_GOLDEN = (math.sqrt(5) - 1) / 2


def split_at(place: float, params: SplitParams) -> Split:
    """Split of a subject whose place on [0, 1) is known."""
    if place < params.test:
        return Split.TEST
    return Split.VAL if place < params.test + params.val else Split.TRAIN


def split_of_number(number: int, params: SplitParams) -> Split:
    """Split of a subject that is numbered from 0.

    Multiples of the golden ratio cover [0, 1) evenly, so the first n subjects hold the shares as well as
    n allows, for any n.
    """
    return split_at((_place(str(params.seed)) + number * _GOLDEN) % 1.0, params)


def split_subjects(subjects: Iterable[str], params: SplitParams, at_least: int = 1) -> dict[str, Split]:
    """Splits of subjects known by name.

    A subject's place is a hash of its name. Only where a split would be left with fewer than `at_least`
    subjects (a handful of people) does it take over those whose places lie nearest to it.

    Raises:
        SourceError: there are fewer than three times `at_least` subjects.
    """
    names = sorted(set(subjects))
    if len(names) < 3 * at_least:
        raise SourceError(
            f"{len(names)} people are too few: training, validation and test need at least {at_least} each",
            f"add people until there are {3 * at_least} or more, each in a folder of their own",
        )
    places = {name: _place(f"{params.seed}:{name}") for name in names}
    splits = {name: split_at(places[name], params) for name in names}
    for split, middle in _middles(params).items():
        _fill(splits, split, at_least, lambda name, middle=middle: abs(places[name] - middle))
    return splits


def _fill(splits: dict[str, Split], split: Split, at_least: int, distance) -> None:
    counts = Counter(splits.values())
    while counts[split] < at_least:
        spare = [n for n in splits if splits[n] is not split and counts[splits[n]] > at_least]
        taken = min(spare, key=lambda name: (distance(name), name))
        counts[splits[taken]] -= 1
        counts[split] += 1
        splits[taken] = split


def _middles(params: SplitParams) -> dict[Split, float]:
    edge = params.test + params.val
    return {Split.TEST: params.test / 2, Split.VAL: (params.test + edge) / 2, Split.TRAIN: (edge + 1) / 2}


def _place(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 256**7
