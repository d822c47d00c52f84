"""LFW: 13,233 pictures of 5,749 people, and the pairs that the field reports on.

View 2 (``pairs.txt``) is for reporting once: ten folds of 300 mated and 300 non-mated pairs; the threshold
comes from nine folds and is tested on the tenth. View 1 (``pairsDevTrain.txt``, ``pairsDevTest.txt``) is
for development. Only pictures that a pair names are read.

Report: Huang et al., *Labeled Faces in the Wild*, University of Massachusetts 07-49, 2007.
"""

from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import Split
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find, lines_of, malformed
from facegate.sources.records import Pair, Record, record

NAME = "lfw"
PROTOCOLS = ("view2", "view1")
PINS: dict[str, str] = {}
_FILES = {
    "view2": {"pairs.txt": Split.TEST},
    "view1": {"pairsDevTrain.txt": Split.VAL, "pairsDevTest.txt": Split.TEST},
}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the pictures that the protocol's pairs name; none of them is for training.

    Raises:
        SourceError: a file is missing or malformed.
    """
    folder = find(NAME, root, "lfw", "lfw-deepfunneled", "lfw_funneled")
    seen: set[str] = set()
    for file, part in _FILES[choose_protocol(NAME, protocol, PROTOCOLS)].items():
        for pair in read_pairs(find(NAME, root, file, f"view2/{file}", f"view1/{file}")):
            for name in (pair.first, pair.second):
                if name not in seen:
                    seen.add(name)
                    person = name.rpartition("_")[0]
                    yield record(folder / person / f"{name}.jpg", name, person, part, NAME)


def pairs(root: Path, protocol: str) -> list[Pair]:
    """All comparisons of the protocol's test part.

    Raises:
        SourceError: a file is missing or malformed.
    """
    file = list(_FILES[choose_protocol(NAME, protocol, PROTOCOLS)])[-1]
    return read_pairs(find(NAME, root, file, f"view2/{file}", f"view1/{file}"))


def read_pairs(file: Path) -> list[Pair]:
    """Read a pairs file: ``folds<TAB>n`` or ``n``, then per fold n mated and n non-mated lines.

    Raises:
        SourceError: the header is no header, or the lines are not what it announces.
    """
    lines = [line for line in lines_of(file) if line.strip()]
    head = lines[0].split() if lines else []
    if not 1 <= len(head) <= 2 or not all(word.isdigit() for word in head):
        raise malformed(file, 1, "expected the number of folds and of pairs")
    folds, count = (int(head[0]), int(head[1])) if len(head) == 2 else (1, int(head[0]))
    if len(lines) != 1 + folds * 2 * count:
        raise malformed(file, 1, f"announces {folds * 2 * count} pairs, and {len(lines) - 1} follow")
    return [
        _pair(
            file, number, line.split("\t") if "\t" in line else line.split(), (number - 1) // (2 * count) + 1
        )
        for number, line in enumerate(lines[1:], start=1)
    ]


def _pair(file: Path, number: int, words: list[str], fold: int) -> Pair:
    words = [word.strip() for word in words]
    numbers = words[1:3] if len(words) == 3 else words[1:4:2]
    if len(words) not in (3, 4) or len(numbers) != 2 or not all(n.isdigit() for n in numbers):
        raise malformed(file, number + 1, f"expected `name n1 n2` or `name1 n1 name2 n2`, found {words}")
    other = words[0] if len(words) == 3 else words[2]
    first, second = f"{words[0]}_{int(numbers[0]):04d}", f"{other}_{int(numbers[1]):04d}"
    return Pair(fold, first, second, len(words) == 3)
