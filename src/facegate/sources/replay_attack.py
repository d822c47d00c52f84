"""Replay-Attack: 50 clients before a laptop's camera, 320 × 240, real access and attacks held or fixed.

::

    {train,devel,test}/real/client001_session01_webcam_authenticate_controlled_1.mov
    {train,devel,test}/attack/{fixed,hand}/attack_highdef_client001_session01_highdef_photo_controlled.mov
    face-locations/<the same path>.face          rows: frame x y w h

The part ``enroll`` belongs to recognition and is not read.

Paper: Chingovska et al., *On the Effectiveness of Local Binary Patterns in Face Anti-spoofing*, BIOSIG 2012.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import VIDEOS, Frames, Record, files_in, record

NAME = "replay_attack"
PINS: dict[str, str] = {}
PARTS = {"train": Split.TRAIN, "devel": Split.VAL, "test": Split.TEST}
_REAL = re.compile(r"^(client\d+)_(session\d+)_webcam_authenticate_(adverse|controlled)_\d+$")
_ATTACK = re.compile(
    r"^attack_(print|mobile|highdef)_(client\d+)_(session\d+)_\w+_(photo|video)_(adverse|controlled)$"
)
_SPECIES = {
    "print": AttackSpecies.PRINT,
    "mobile": AttackSpecies.REPLAY_PHONE,
    "highdef": AttackSpecies.REPLAY_TABLET,
}


class Attack(NamedTuple):
    """What was shown: the device, and a photo or a video."""

    device: str
    content: str


PROTOCOLS: dict[str, Callable[[Attack], bool]] = {
    "grandtest": lambda attack: True,
    "print": lambda attack: attack.device == "print",
    "mobile": lambda attack: attack.device == "mobile",
    "highdef": lambda attack: attack.device == "highdef",
    "digitalphoto": lambda attack: attack.device != "print" and attack.content == "photo",
    "photo": lambda attack: attack.content == "photo",
    "video": lambda attack: attack.content == "video",
}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol uses; live videos always are.

    Raises:
        SourceError: a folder is missing, a file is misnamed, or a client is in two parts.
    """
    wanted = PROTOCOLS[choose_protocol(NAME, protocol, PROTOCOLS)]
    part_of: dict[str, str] = {}
    for part, chosen in PARTS.items():
        for file in files_in(find(NAME, root, part), VIDEOS):
            item, attack = parse(root, file, chosen)
            client = item.row["subject_id"]
            if part_of.setdefault(client, part) != part:
                raise SourceError(
                    f"{root}: {client} is in {part_of[client]} and {part}", "restore the folders"
                )
            if attack is None or wanted(attack):
                yield item


def parse(root: Path, file: Path, split: Split) -> tuple[Record, Attack | None]:
    """Record of a video, and what was shown if it is an attack.

    Raises:
        SourceError: the file is misnamed.
    """
    real, shown = _REAL.match(file.stem), _ATTACK.match(file.stem)
    boxes = root / "face-locations" / file.relative_to(root).with_suffix(".face")
    frames = Frames(boxes=boxes if boxes.is_file() else None, box_form="numbered")
    name = str(file.relative_to(root).with_suffix(""))
    if real:
        known = {"session": real[2], "illumination": real[3], "camera": "webcam", "species_native": "real"}
        return record(file, name, real[1], split, NAME, **known)._replace(frames=frames), None
    if shown:
        support = "hand" if "hand" in file.parts else "fixed"
        known = {"session": shown[3], "illumination": shown[5], "camera": "webcam"}
        known["species_native"] = f"{shown[1]}_{shown[4]}_{support}"
        item = record(file, name, shown[2], split, NAME, _SPECIES[shown[1]], **known)
        return item._replace(frames=frames), Attack(shown[1], shown[4])
    raise SourceError(f"{file}: not named like a video of Replay-Attack", "rename the file, or take it away")
