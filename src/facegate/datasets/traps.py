"""The traps of published data sets: what is known to be wrong in them, and what happens to a sample that has it.

A source says which traps its set may hold, the stage `samples` counts and lists what it met, and the stage
`validate` holds that against Great Expectations. By severity a trap stops the graph, leaves the sample out, or
is reported.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from facegate.contracts import Split
from facegate.datasets.fingerprints import near_pairs
from facegate.errors import PictureError

Severity = Literal["critical", "drop", "warning"]


class Trap(NamedTuple):
    """One known defect.

    Attributes:
        says: what must hold instead, as a sentence.
        severity: ``critical`` stops the graph, ``drop`` leaves the sample out, ``warning`` keeps it.
    """

    says: str
    severity: Severity


TRAPS: Mapping[str, Trap] = {
    "file": Trap("the file is there and is a picture that can be read", "drop"),
    "label": Trap("the label has the published length and values, and does not contradict itself", "drop"),
    "video": Trap("the video is there and frames of it can be decoded", "drop"),
    "no_face": Trap("the video's side file shows a face in at least one frame", "drop"),
    "side_file": Trap("the video's side file has the published form", "drop"),
    "box": Trap("the published face box has an area inside the picture", "warning"),
    "lookalike": Trap("no picture of another split looks the same (perceptual hash)", "drop"),
}
"""By name, as they stand in the metadata of a sample pack and in ``validate.stop_on``."""

PICTURE_TRAPS = ("file", "lookalike")
VIDEO_TRAPS = ("video", "lookalike")
BOXED_VIDEO_TRAPS = (*VIDEO_TRAPS, "no_face", "side_file", "box")


class TrapError(PictureError):
    """A sample that has a trap and cannot be used."""

    def __init__(self, trap: str, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.trap = trap


_KEPT_FIRST = {str(Split.TEST): 0, str(Split.VAL): 1, str(Split.TRAIN): 2}


def lookalikes(ids: Sequence[str], splits: Sequence[str], hashes: Sequence[bytes]) -> dict[int, str]:
    """Pictures to leave out because another split holds one that looks the same.

    Training gives way to validation and both to testing, so that the published test set stays whole.

    Args:
        ids: sample ids, shape (n,).
        splits: shape (n,).
        hashes: perceptual hashes, see :func:`~facegate.datasets.fingerprints.difference_hash`.

    Returns:
        Reason by index.
    """
    found: dict[int, str] = {}
    for one, other, _ in near_pairs(list(hashes), list(splits)):
        kept, dropped = sorted((one, other), key=lambda i: _KEPT_FIRST.get(splits[i], 3))
        found.setdefault(dropped, f"looks like {ids[kept]}, which is in the split {splits[kept]}")
    return found


def source_account(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the source met, for the report and for metrics: ``records``, ``left_out`` and the count by trap."""
    if "suite" not in metadata:
        return {}
    return {
        "records": metadata["records"],
        "left_out": len(metadata["problems"]),
        "traps": _counts(metadata["traps"]),
    }


def _counts(traps: Mapping[str, str]) -> dict[str, int]:
    values = list(traps.values())
    return {name: values.count(name) for name in TRAPS if name in values}
