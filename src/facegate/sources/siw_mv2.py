"""SiW-Mv2: 785 live and 915 spoof videos of 14 kinds of attack; the successor of SiW-M.

``Live/Live_<n>.mov`` and ``Spoof/<kind>/<stem>_<n>.mov``; the stems are not always the folders' names. The
published lists (``PROTOCOL/{train,test}list_{live,all}.txt``) name videos and repeat some for balancing; each is
read once. No file maps videos to people: every video counts as a subject of its own, and whether a person is
in two splits cannot be checked. Some replay videos are byte-identical; the contract on packs finds them.

Paper: Guo et al., *Multi-domain Learning for Updating Face Anti-spoofing Models*, ECCV 2022.
"""

from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find, lines_of
from facegate.sources.records import VIDEOS, Frames, Record, files_in, record
from facegate.sources.splits import split_subjects

NAME = "siw_mv2"
PINS: dict[str, str] = {}
KINDS = {
    "Paper": AttackSpecies.PRINT,
    "Print": AttackSpecies.PRINT,
    "Replay": AttackSpecies.REPLAY_OTHER,
    "Mask_HalfMask": AttackSpecies.MASK_RIGID,
    "Mask_TransparentMask": AttackSpecies.MASK_RIGID,
    "Mannequin": AttackSpecies.MASK_RIGID,
    "Silicone": AttackSpecies.MASK_FLEXIBLE,
    "Mask_PaperMask": AttackSpecies.PAPER_MASK,
    "Makeup_Cosmetic": AttackSpecies.MAKEUP,
    "Makeup_Impersonation": AttackSpecies.MAKEUP,
    "Makeup_Obfuscation": AttackSpecies.MAKEUP,
    "Partial_Eye": AttackSpecies.PARTIAL,
    "Partial_Mouth": AttackSpecies.PARTIAL,
    "Partial_FunnyeyeGlasses": AttackSpecies.PARTIAL,
    "Partial_PaperGlasses": AttackSpecies.PARTIAL,
}
"""Folders below ``Spoof``; prints are in ``Paper`` or ``Print``, as the archive was made."""
PROTOCOLS = ("known", *(f"unseen_{kind}" for kind in KINDS))
"""All kinds known (the published 80/20 lists), or one kind left out of training and tested alone."""


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol uses; videos for validation are taken from training.

    Raises:
        SourceError: a folder or list is missing, a list names an unknown video, or one kind of attack is unknown.
    """
    wanted = choose_protocol(NAME, protocol, PROTOCOLS)
    videos = _videos(root)
    train, test = (
        _known(root, videos) if wanted == "known" else _unseen(root, videos, wanted.removeprefix("unseen_"))
    )
    chosen = split_subjects(train, split)
    for stem in train:
        yield _record(videos[stem], Split.VAL if chosen[stem] is Split.VAL else Split.TRAIN)
    for stem in test:
        yield _record(videos[stem], Split.TEST)


def _videos(root: Path) -> dict[str, Path]:
    files = [*files_in(find(NAME, root, "Live"), VIDEOS), *files_in(find(NAME, root, "Spoof"), VIDEOS)]
    strange = [file for file in files if _kind(file) is None]
    if strange:
        raise SourceError(f"{strange[0]}: in no folder that is known", f"known kinds: {', '.join(KINDS)}")
    return {file.stem: file for file in files}


def _kind(file: Path) -> str | None:
    if file.parent.name == "Live":
        return "Live"
    return file.parent.name if file.parent.name in KINDS else None


def _known(root: Path, videos: dict[str, Path]) -> tuple[list[str], list[str]]:
    train, test = ([*_listed(root, f"{part}list_live.txt", videos), *_listed(root, f"{part}list_all.txt", videos)]
                   for part in ("train", "test"))  # fmt: skip
    both = sorted(set(train) & set(test))
    if both:
        raise SourceError(
            f"{root}: {', '.join(both[:5])} are in the lists of train and test", "restore the lists"
        )
    return list(dict.fromkeys(train)), list(dict.fromkeys(test))


def _unseen(root: Path, videos: dict[str, Path], kind: str) -> tuple[list[str], list[str]]:
    spoof = {stem: _kind(file) for stem, file in videos.items() if _kind(file) != "Live"}
    held = [stem for stem, found in spoof.items() if found == kind]
    if not held:
        raise SourceError(f"{root}/Spoof/{kind}: no video found", "unpack the videos there")
    train = [*_listed(root, "trainlist_live.txt", videos), *(stem for stem in spoof if stem not in held)]
    return train, [*_listed(root, "testlist_live.txt", videos), *held]


def _listed(root: Path, name: str, videos: dict[str, Path]) -> list[str]:
    file = find(NAME, root, f"PROTOCOL/{name}", f"pro_3_text/{name}", name)
    stems = list(dict.fromkeys(line.strip() for line in lines_of(file) if line.strip()))
    unknown = [stem for stem in stems if stem not in videos]
    if unknown:
        raise SourceError(
            f"{file}: {len(unknown)} of {len(stems)} videos are not there (for instance {unknown[0]})",
            "unpack the missing videos",
        )
    return stems


def _record(file: Path, split: Split) -> Record:
    kind = _kind(file) or "Live"
    species = KINDS.get(kind, AttackSpecies.BONA_FIDE)
    item = record(file, file.stem, file.stem, split, NAME, species, species_native=kind)
    return item._replace(frames=Frames())
