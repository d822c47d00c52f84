"""OULU-NPU: 55 subjects before six phones in three sessions; print and display attacks.

``{Train,Dev,Test}_files/<phone>_<session>_<user>_<file>.avi`` with file 1 bona fide, 2 and 3 printed, 4 and 5
displayed; ``Protocols/Protocol_<n>/{Train,Dev,Test}[_<fold>].txt`` with lines ``label,stem``. Protocol 1 brings
a new session, 2 a new printer and display, 3 leaves one phone out, 4 all at once. ACER is reported with the
threshold of the Dev part; for protocols 3 and 4 as mean ± standard deviation over six folds.

Paper: Boulkenafet et al., *OULU-NPU*, FG 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find, lines_of, malformed
from facegate.sources.records import Frames, Record, record

NAME = "oulu_npu"
PINS: dict[str, str] = {}
PROTOCOLS = ("1", "2", *(f"{protocol}_{fold}" for protocol in (3, 4) for fold in range(1, 7)))
PARTS = {"Train": Split.TRAIN, "Dev": Split.VAL, "Test": Split.TEST}
FILES = {
    1: ("bona fide", AttackSpecies.BONA_FIDE),
    2: ("print-1", AttackSpecies.PRINT),
    3: ("print-2", AttackSpecies.PRINT),
    4: ("display-1", AttackSpecies.REPLAY_MONITOR),
    5: ("display-2", AttackSpecies.REPLAY_MONITOR),
}
_STEM = re.compile(r"^(\d+)_(\d+)_(\d+)_(\d+)$")


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol lists.

    Raises:
        SourceError: a file is missing or malformed, a label contradicts a file's name, or a subject is in two parts.
    """
    number, _, fold = choose_protocol(NAME, protocol, PROTOCOLS).partition("_")
    parts_of: dict[str, str] = {}
    for part, chosen in PARTS.items():
        name = f"{part}_{fold}.txt" if fold else f"{part}.txt"
        listed = find(NAME, root, f"Protocols/Protocol_{number}/{name}")
        folder = find(NAME, root, f"{part}_files")
        for label, stem in read_list(listed):
            item = _record(folder / f"{stem}.avi", stem, label, chosen, listed)
            if parts_of.setdefault(item.row["subject_id"], part) != part:
                raise SourceError(
                    f"{listed}: user {item.row['subject_id']} is in two parts", "restore the lists"
                )
            yield item


def read_list(file: Path) -> list[tuple[int, str]]:
    """Labels (+1 bona fide, negative for attacks) and stems of a protocol file.

    Raises:
        SourceError: a line is malformed.
    """
    rows = []
    for number, line in enumerate(lines_of(file), start=1):
        if line.strip():
            label, comma, stem = (word.strip() for word in line.partition(","))
            if not comma or not re.fullmatch(r"[+-]?[0-9]+", label) or not _STEM.match(stem):
                raise malformed(
                    file, number, f"expected `label,phone_session_user_file`, found `{line.strip()}`"
                )
            rows.append((int(label), stem))
    return rows


def _record(file: Path, stem: str, label: int, split: Split, listed: Path) -> Record:
    phone, session, user, kind = (int(word) for word in stem.split("_"))
    if kind not in FILES or (label == 1) != (kind == 1):
        raise SourceError(
            f"{listed}: label {label} contradicts the name {stem}", "restore the original lists"
        )
    native, species = FILES[kind]
    known = {"species_native": native, "camera": f"phone-{phone}", "session": str(session)}
    return record(file, stem, f"{user:02d}", split, NAME, species, **known)._replace(frames=Frames())
