"""What must lie in the folder of each data set, so that everything that is missing is told at once.

A loader stops at the first file that it does not find. Before anything is read, the stage `fetch` holds the folder
against this list: which part is missing, under which names it is looked for, which archive it comes from, and
who gives access.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from facegate.errors import SourceError
from facegate.sources.ledger import terms


class Need(NamedTuple):
    """One file or folder of a data set.

    Attributes:
        places: paths below the set's folder, any of which will do.
        archives: names of the archives that it is published in.
        protocols: beginnings of the protocols that need it (whole names if they end in ``$``); all do if empty.
        files: number of files that the published folder holds, directly inside; 0 if it was not verified.
    """

    places: tuple[str, ...]
    archives: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    files: int = 0


def _list(name: str, *protocols: str) -> Need:
    return Need((f"Anno/{name}", f"Eval/{name}", name), (), protocols)


def _parts(*names: str) -> tuple[Need, ...]:
    return tuple(Need((name,)) for name in names)


_CELEBA_PICTURES = 202_599
_OULU = ("Train_files", "Dev_files", "Test_files", "Protocols")
NEEDS: Mapping[str, tuple[Need, ...]] = {
    "celeba": (
        _list("identity_CelebA.txt"),
        _list("list_attr_celeba.txt"),
        _list("list_eval_partition.txt", "aligned$", "wild$"),
        _list("list_landmarks_align_celeba.txt", "aligned"),
        Need(
            ("Img/img_align_celeba", "img_align_celeba", "Img/img_align_celeba/img_align_celeba"),
            ("img_align_celeba.zip",),
            ("aligned",),
            _CELEBA_PICTURES,
        ),
        _list("list_landmarks_celeba.txt", "wild"),
        _list("list_bbox_celeba.txt", "wild"),
        Need(
            ("Img/img_celeba", "img_celeba", "Img/img_celeba/img_celeba"),
            ("img_celeba.7z.001",),
            ("wild",),
            _CELEBA_PICTURES,
        ),
    ),
    "lfw": (
        Need(
            ("lfw", "lfw-deepfunneled", "lfw_funneled"),
            ("lfw.tgz", "lfw-deepfunneled.tgz", "lfw-funneled.tgz"),
        ),
        Need(("pairs.txt", "view2/pairs.txt", "view1/pairs.txt"), (), ("view2",)),
        *(
            Need((name, f"view2/{name}", f"view1/{name}"), (), ("view1",))
            for name in ("pairsDevTrain.txt", "pairsDevTest.txt")
        ),
    ),
    "insightface": (
        *(Need((name,), ("faces_webface_112x112.zip",), ("train",)) for name in ("train.rec", "train.idx")),
        *(Need((f"{name}.bin",), (), (name,)) for name in ("lfw", "cfp_fp", "agedb_30", "calfw", "cplfw")),
    ),
    "kaggle_oneshot": (
        Need(("Face Data/Face Dataset", "Face Dataset"), ("archive.zip",), ("pictures",)),
        Need(("Extracted Faces/Extracted Faces", "Extracted Faces"), ("archive.zip",), ("faces",)),
    ),
    "celeba_spoof": (
        *_parts("metas/intra_test/train_label.json", "metas/intra_test/test_label.json"),
        *_parts("Data/train", "Data/test"),
    ),
    "siw": (Need(("Train", "train")), Need(("Test", "test"))),
    "siw_mv2": (
        *_parts("Live", "Spoof"),
        *(
            Need((f"PROTOCOL/{name}", f"pro_3_text/{name}", name))
            for name in ("trainlist_live.txt", "testlist_live.txt")
        ),
        *(
            Need((f"PROTOCOL/{name}", f"pro_3_text/{name}", name), (), ("known",))
            for name in ("trainlist_all.txt", "testlist_all.txt")
        ),
    ),
    "oulu_npu": _parts(*_OULU),
    "replay_attack": _parts("train", "devel", "test"),
    "replay_mobile": _parts("train", "devel", "test"),
    "casia_fasd": _parts("train_release", "test_release"),
}
"""By name of the set."""


def check_folder(name: str, root: Path, protocol: str) -> None:
    """Hold the folder of a data set against the list; nothing in it is touched.

    Args:
        name: the data set.
        root: its folder.
        protocol: one of its protocols.

    Raises:
        SourceError: the folder, or anything that the protocol needs, is missing; all of it is named.
    """
    entry = terms(name)
    if not root.is_dir():
        raise SourceError(
            f"{root}: no such folder",
            f"put {entry.title} there as docs/datasets/{name}.md says, or set `data.field.root`; "
            f"access to {entry.title}: {entry.access}",
        )
    missing = [line for need in NEEDS[name] for line in _missing(root, need, protocol)]
    if missing:
        raise SourceError(
            f"{entry.title}: in {root} is missing for the protocol {protocol}:\n  - "
            + "\n  - ".join(missing),
            f"put it there (docs/datasets/{name}.md shows the layout); access to {entry.title}: {entry.access}",
        )


def incomplete(name: str, root: Path, protocol: str) -> list[str]:
    """Folders that hold another number of files than was published, as sentences."""
    found = []
    for need in _of(name, protocol):
        for place in need.places:
            if need.files and (root / place).is_dir():
                count = sum(1 for file in (root / place).iterdir() if file.is_file())
                if count:
                    found += [f"{root / place}: {count:,} files, {need.files:,} were published"] * (
                        count != need.files
                    )
                    break
    return found


def _of(name: str, protocol: str) -> list[Need]:
    return [need for need in NEEDS[name] if _concerns(need, protocol)]


def _concerns(need: Need, protocol: str) -> bool:
    return not need.protocols or f"{protocol}$".startswith(need.protocols)


def _missing(root: Path, need: Need, protocol: str) -> list[str]:
    if not _concerns(need, protocol) or any((root / place).exists() for place in need.places):
        return []
    first, *others = need.places
    line = first + (f" (or {', '.join(others)})" if others else "")
    for archive in need.archives:
        packed = next(iter(sorted({*root.glob(archive), *root.glob(f"*/{archive}")})), None)
        if packed:
            return [f"{line}: {packed} is there, unpack it into {packed.parent}"]
    return [line + (f", from {' or '.join(need.archives)}" if need.archives else "")]
