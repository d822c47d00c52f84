"""CelebA: 202,599 pictures of 10,177 celebrities with landmarks and 40 attributes.

Layout: ``Anno/`` and ``Eval/`` text files, pictures in ``Img/img_align_celeba/`` (aligned, 178 × 218) or
``Img/img_celeba/`` (in the wild); torchvision's flat layout is read too. Boxes refer to the pictures in the
wild alone. Whether the official split is disjoint by identity is asserted here and not assumed.

Paper: Liu et al., *Deep Learning Face Attributes in the Wild*, ICCV 2015.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find, headed_table, malformed, table
from facegate.sources.records import Record, record
from facegate.sources.splits import split_subjects

NAME = "celeba"
PROTOCOLS = ("aligned", "wild", "aligned_resplit", "wild_resplit")
"""Pictures, and whose split: the official one, or one by identity made here (``_resplit``)."""
PINS = {
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "identity_CelebA.txt": "32bd1bd63d3c78cd57e08160ec5ed1e2",
    "list_bbox_celeba.txt": "00566efa6fedff7a56946cd1c10f1c16",
    "list_landmarks_align_celeba.txt": "cc24ecafdb5b50baae59b03474781f8c",
    "list_landmarks_celeba.txt": "063ee6ddb681f96bc9ca28c6febb9d1a",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
}
ATTRIBUTES = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
]
"""The 40 attributes in the order of the published list."""
_PARTITION = {"0": Split.TRAIN, "1": Split.VAL, "2": Split.TEST}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of every picture that the annotation files name.

    Raises:
        SourceError: a file is missing or malformed, or the official split shares identities.
    """
    pictures, _, resplit = choose_protocol(NAME, protocol, PROTOCOLS).partition("_")
    wild = pictures == "wild"
    folder = find(NAME, root, *_folders("img_celeba" if wild else "img_align_celeba"))
    identities = dict(table(_annotation(root, "identity_CelebA.txt"), 2))
    splits = _resplit(identities, split) if resplit else _official(root, identities)
    names, attributes = headed_table(_annotation(root, "list_attr_celeba.txt"))
    marks_file = _annotation(root, "list_landmarks_celeba.txt" if wild else "list_landmarks_align_celeba.txt")
    marks = headed_table(marks_file)[1]
    boxes = headed_table(_annotation(root, "list_bbox_celeba.txt"))[1] if wild else {}
    for file, person in identities.items():
        if file not in splits or file not in attributes or file not in marks:
            raise SourceError(
                f"{root}: {file} is in identity_CelebA.txt but not in all lists", "restore the lists"
            )
        flags = {name: value == "1" for name, value in zip(names, attributes[file], strict=True)}
        yield record(
            folder / file,
            file,
            person,
            splits[file],
            NAME,
            landmarks=[float(v) for v in marks[file]],
            face_box=[float(v) for v in boxes[file]] if file in boxes else None,
            sex="male" if flags.get("Male") else "female",
            glasses=flags.get("Eyeglasses"),
            attributes=json.dumps(flags, sort_keys=True),
        )


def _folders(name: str) -> tuple[str, ...]:
    return f"Img/{name}", name, f"Img/{name}/{name}"


def _annotation(root: Path, name: str) -> Path:
    return find(NAME, root, f"Anno/{name}", f"Eval/{name}", name)


def _official(root: Path, identities: dict[str, str]) -> dict[str, Split]:
    file = _annotation(root, "list_eval_partition.txt")
    splits: dict[str, Split] = {}
    for number, (name, part) in enumerate(table(file, 2), start=1):
        if part not in _PARTITION:
            raise malformed(file, number, f"partition {part}, expected 0, 1 or 2")
        splits[name] = _PARTITION[part]
    where: dict[str, set[Split]] = defaultdict(set)
    for name, person in identities.items():
        if name in splits:
            where[person].add(splits[name])
    shared = sorted(person for person, parts in where.items() if len(parts) > 1)
    if shared:
        raise SourceError(
            f"{file}: {len(shared)} identities are in more than one split (for instance {', '.join(shared[:5])})",
            "set `data.field.protocol` to `aligned_resplit`, which splits by identity",
        )
    return splits


def _resplit(identities: dict[str, str], split: SplitParams) -> dict[str, Split]:
    of_person = split_subjects(identities.values(), split)
    return {file: of_person[person] for file, person in identities.items()}
