"""Published MD5 sums: whether what lies on the disk is what was published.

A sum is remembered with the file's size and time, so that an archive of gigabytes is read once and a check that
was interrupted goes on with the next file.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from facegate.errors import SourceError
from facegate.whole import write_whole

MEMORY = Path(".cache/fetch/md5.json")
_BLOCK = 1 << 22


def check_pins(root: Path, pins: Mapping[str, str], memory: Path = MEMORY) -> dict[str, list[str]]:
    """Compare files with their published MD5; a file that is not there is passed over.

    Args:
        root: folder of the data set; only read.
        pins: MD5 by file name; the file may lie anywhere below `root`, up to two folders deep.
        memory: where sums are remembered.

    Returns:
        MD5 found and published, by path below `root`.
    """
    places = {
        file: pin
        for name, pin in pins.items()
        for file in sorted({*root.glob(name), *root.glob(f"*/{name}"), *root.glob(f"*/*/{name}")})
    }
    return {file.relative_to(root).as_posix(): [md5_of(file, memory), pin] for file, pin in places.items()}


def demand_pins(root: Path, found: Mapping[str, list[str]]) -> None:
    """Refuse files that differ from what was published.

    Raises:
        SourceError: at least one does; all are named.
    """
    wrong = [
        f"{root / name}: wrong MD5 {md5} (published: {pin})"
        for name, (md5, pin) in found.items()
        if md5 != pin
    ]
    if wrong:
        raise SourceError(
            "\n".join(wrong),
            "fetch the original file again, or set `data.field.check_pins: false` if you changed it",
        )


def md5_of(file: Path, memory: Path = MEMORY) -> str:
    """MD5 of a file, with progress for a large one; remembered until the file changes."""
    stat = file.stat()
    key, state = str(file.resolve()), [stat.st_size, stat.st_mtime_ns]
    known = _read(memory)
    if known.get(key, [None])[:-1] == state:
        return str(known[key][-1])
    digest = hashlib.md5(usedforsecurity=False)
    with (
        file.open("rb") as content,
        tqdm(total=stat.st_size, desc=f"checking {file.name}", unit="B", unit_scale=True, delay=1) as bar,
    ):
        while block := content.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    write_whole(memory, json.dumps({**_read(memory), key: [*state, digest.hexdigest()]}))
    return digest.hexdigest()


def _read(memory: Path) -> dict[str, list]:
    with suppress(OSError, ValueError):
        return dict(json.loads(memory.read_text()))
    return {}
