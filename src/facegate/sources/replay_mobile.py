"""Replay-Mobile: 40 clients before a phone's and a tablet's own camera, print and matte-screen attacks.

::

    {train,devel,test}/real/client001_session02_authenticate_mobile_controlled.mov
    {train,devel,test}/attack/attack_client005_session01_mattescreen_fixed_mobile_photo_lightoff.mov
    faceloc/rect/<the same path>.face            rows: frame x y w h (read where they are there)

Videos lie on their side in the stream and are turned by the mark in their container, which OpenCV obeys. Two of
client 8 on the tablet are upside down all the same (Bob turns them by name): ``prepare`` lists them as pictures
without a face.

Paper: Costa-Pazo et al., *The Replay-Mobile Face Presentation-Attack Database*, BIOSIG 2016.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import VIDEOS, Frames, Record, files_in, record

NAME = "replay_mobile"
PINS: dict[str, str] = {}
PROTOCOLS = ("grandtest", "mattescreen", "print")
PARTS = {"train": Split.TRAIN, "devel": Split.VAL, "test": Split.TEST}
_REAL = re.compile(r"^(client\d+)_(session\d+)_(.+)$")
LIGHTS = ("controlled", "adverse", "direct", "lateral", "diffuse")
_ATTACK = re.compile(
    r"^attack_(client\d+)_(session\d+)_(mattescreen|print)_(fixed|hand)_(mobile|tablet)_(photo|video)_(\w+)$"
)
_SPECIES = {"mattescreen": AttackSpecies.REPLAY_MONITOR, "print": AttackSpecies.PRINT}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol uses; live videos always are.

    Raises:
        SourceError: a folder is missing, a file is misnamed, or a client is in two parts.
    """
    wanted = choose_protocol(NAME, protocol, PROTOCOLS)
    part_of: dict[str, str] = {}
    for part, chosen in PARTS.items():
        for file in files_in(find(NAME, root, part), VIDEOS):
            item = _record(root, file, chosen)
            client = item.row["subject_id"]
            if part_of.setdefault(client, part) != part:
                raise SourceError(
                    f"{root}: {client} is in {part_of[client]} and {part}", "restore the folders"
                )
            kind = str(item.row["species_native"]).partition("_")[0]
            if wanted == "grandtest" or kind in ("real", wanted):
                yield item


def _record(root: Path, file: Path, split: Split) -> Record:
    name = str(file.relative_to(root).with_suffix(""))
    boxes = root / "faceloc" / "rect" / file.relative_to(root).with_suffix(".face")
    frames = Frames(boxes=boxes if boxes.is_file() else None, box_form="numbered")
    shown, real = _ATTACK.match(file.stem), _REAL.match(file.stem)
    if shown:
        known = {"session": shown[2], "camera": shown[5], "illumination": shown[7]}
        known["species_native"] = f"{shown[3]}_{shown[6]}_{shown[4]}"
        item = record(file, name, shown[1], split, NAME, _SPECIES[shown[3]], **known)
    elif real:
        words = real[3].split("_")
        camera = next((word for word in words if word in ("mobile", "tablet")), None)
        light = next((word for word in words if word in LIGHTS), None)
        known = {"session": real[2], "camera": camera, "illumination": light, "species_native": "real"}
        item = record(file, name, real[1], split, NAME, **known)
    else:
        raise SourceError(
            f"{file}: not named like a video of Replay-Mobile", "rename the file, or take it away"
        )
    return item._replace(frames=frames)
