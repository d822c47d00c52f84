"""What a run that was killed may leave of dvc.lock, which DVC writes in place."""

import re
from pathlib import Path

from facegate.whole import write_whole

LOCK = Path("dvc.lock")
STAGE = re.compile(r"  \S+:\s*$")


def mend(lock: Path) -> bool:
    """Take the last stage out of a dvc.lock that cannot be read: the one that was being written.

    What is lost of the file comes back from DVC's run cache, or is done again with the same result.

    Returns:
        Whether there was one; without any the file is left as it is.
    """
    try:
        lines = lock.read_text(errors="replace").splitlines(keepends=True)
    except OSError:
        return False
    begun = [number for number, line in enumerate(lines) if STAGE.match(line)]
    if not begun:
        return False
    print(
        f"{lock}: cannot be read; its last stage, which a killed run may have half written, is taken out",
        flush=True,
    )
    if len(begun) > 1:
        write_whole(lock, "".join(lines[: begun[-1]]))
    else:
        lock.unlink()
    return True
