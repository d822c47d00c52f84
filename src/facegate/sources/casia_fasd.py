"""CASIA-FASD: 50 clients, three qualities, warped photo, cut photo (eye holes, so a blink passes) and video replay.

``train_release/<n>/`` (20 clients) and ``test_release/<n>/`` (30 clients; folder n is client n + 20), each with
``{1..8,HR_1..HR_4}.avi``. There is no official validation part: clients for it are taken from training.

Paper: Zhang et al., *A face antispoofing database with diverse attacks*, ICB 2012.
"""

from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import Frames, Record, record
from facegate.sources.splits import split_subjects

NAME = "casia_fasd"
PINS: dict[str, str] = {}
PROTOCOLS = ("overall", "warped", "cut", "video", "low", "normal", "high")
"""All videos, the attacks of one kind, or the videos of one quality; live videos of the quality always."""
TEST_OFFSET = 20
"""Folder n of test_release is client n + 20: the folders of both parts are numbered from 1."""
FILES = {
    "1": ("real", "normal"),
    "2": ("real", "low"),
    "HR_1": ("real", "high"),
    "3": ("warped", "normal"),
    "4": ("warped", "low"),
    "HR_2": ("warped", "high"),
    "5": ("cut", "normal"),
    "6": ("cut", "low"),
    "HR_3": ("cut", "high"),
    "7": ("video", "normal"),
    "8": ("video", "low"),
    "HR_4": ("video", "high"),
}
_SPECIES = {
    "real": AttackSpecies.BONA_FIDE,
    "warped": AttackSpecies.PRINT,
    "cut": AttackSpecies.PRINT_CUT,
    "video": AttackSpecies.REPLAY_TABLET,
}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol uses; a missing video is counted, not passed over.

    Raises:
        SourceError: a folder is missing or is no client's.
    """
    wanted = choose_protocol(NAME, protocol, PROTOCOLS)
    train, test = (
        _clients(find(NAME, root, f"{part}_release"), add)
        for part, add in (("train", 0), ("test", TEST_OFFSET))
    )
    chosen = split_subjects(map(str, train), split)
    for client, folder in train.items():
        yield from _videos(
            folder, client, Split.VAL if chosen[str(client)] is Split.VAL else Split.TRAIN, wanted
        )
    for client, folder in test.items():
        yield from _videos(folder, client, Split.TEST, wanted)


def _clients(folder: Path, add: int) -> dict[int, Path]:
    found = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    strange = [p for p in found if not p.name.isdigit()]
    if strange or not found:
        raise SourceError(
            f"{(strange or [folder])[0]}: expected folders named by number", "restore the folders"
        )
    return {int(p.name) + add: p for p in sorted(found, key=lambda p: int(p.name))}


def _videos(folder: Path, client: int, split: Split, wanted: str) -> Iterator[Record]:
    for stem, (kind, quality) in FILES.items():
        if wanted in ("overall", quality) or (wanted in _SPECIES and kind in ("real", wanted)):
            yield record(
                folder / f"{stem}.avi",
                f"{client:02d}/{stem}",
                str(client),
                split,
                NAME,
                _SPECIES[kind],
                species_native=kind,
                camera=quality,
            )._replace(frames=Frames())
