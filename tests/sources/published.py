"""Published data sets in miniature, with faces in them: exact layouts filled with rendered people, traps included."""

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from facegate.contracts import AttackSpecies
from facegate.datasets.pack import decode_image
from facegate.synthesis.assets import load_head_assets
from facegate.synthesis.attacks import attack
from facegate.synthesis.stills import still
from tests.sources.miniature import write_text

SIZE = 128
ATTRIBUTES = ("5_o_Clock_Shadow", "Eyeglasses", "Male", "Smiling")
_HEADER = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"


class People:
    """Rendered people and attacks on them; every picture is made once."""

    def __init__(self, head_file: Path) -> None:
        self._head = load_head_assets(head_file)
        self._made: dict[tuple, dict] = {}

    def live(self, person: int, index: int) -> dict:
        """A row of a picture of a person."""
        return self._row(("live", person, index), partial(still, self._head, 5, person, index, SIZE))

    def attacked(self, person: int, species: AttackSpecies) -> dict:
        """A row of an attack that shows a person."""
        return self._row((species, person), partial(attack, self._head, 5, person, species, 0, SIZE))

    def _row(self, key: tuple, make) -> dict:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def bgr(row: dict) -> np.ndarray:
    return decode_image(row["image"], "")[..., ::-1].copy()


def save(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)
    return path


def write_celeba(root: Path, people: People, persons=range(15), pictures=3) -> None:
    """CelebA: official split, landmarks, attributes; one picture that is cut off, one shown in two splits."""
    names, rows = [], []
    for person in persons:
        part = 0 if person < 10 else 1 if person < 14 else 2
        for index in range(pictures):
            name = f"{len(names) + 1:06d}.jpg"
            row = people.live(person, index)
            save(root / "Img/img_align_celeba" / name, bgr(row))
            names.append(name)
            rows.append((name, person + 1, part, row))
    broken = root / "Img/img_align_celeba" / names[14 * pictures - 1]
    broken.write_bytes(broken.read_bytes()[:200])
    shared = rows[pictures * 10][0]  # a validation picture that is a training picture too
    save(root / "Img/img_align_celeba" / shared, bgr(rows[0][3]))
    write_text(root / "Anno/identity_CelebA.txt", "".join(f"{n} {p}\n" for n, p, _, _ in rows))
    write_text(root / "Eval/list_eval_partition.txt", "".join(f"{n} {s}\n" for n, _, s, _ in rows))
    flags = [(n, -1, 1 if r["glasses"] else -1, 1 if r["sex"] == "male" else -1, 1) for n, _, _, r in rows]
    text = "".join(f"{n}  {a} {b}  {c} {d}\n" for n, a, b, c, d in flags)
    write_text(root / "Anno/list_attr_celeba.txt", f"{len(rows)}\n{' '.join(ATTRIBUTES)}\n{text}")
    marks = {n: " ".join(f"{round(v)}" for v in r["landmarks"]) for n, _, _, r in rows}
    marks[shared] = marks[names[0]]
    text = "".join(f"{n}  {m}\n" for n, m in marks.items())
    write_text(root / "Anno/list_landmarks_align_celeba.txt", f"{len(rows)}\n{_HEADER}\n{text}")


def write_lfw(root: Path, people: People, persons=range(20, 26), pictures=3, folds=3) -> None:
    """LFW: folders by name, and pairs in folds."""
    names = {person: f"Person_{chr(65 + n)}" for n, person in enumerate(persons)}
    for person, name in names.items():
        for index in range(pictures):
            save(root / "lfw" / name / f"{name}_{index + 1:04d}.jpg", bgr(people.live(person, index)))
    listed, lines = list(names.values()), []
    for fold in range(folds):
        lines += [f"{name}\t{1 + fold % 3}\t{1 + (fold + 1) % 3}" for name in listed]
        lines += [
            f"{a}\t{1 + fold % 3}\t{b}\t1" for a, b in zip(listed, listed[1:] + listed[:1], strict=True)
        ]
    write_text(root / "pairs.txt", f"{folds}\t{len(listed)}\n" + "\n".join(lines) + "\n")


_SPOOF_KINDS = {1: AttackSpecies.PRINT, 9: AttackSpecies.REPLAY_PHONE, 8: AttackSpecies.REPLAY_TABLET}


def write_celeba_spoof(root: Path, people: People, train=range(12), test=range(12, 17)) -> None:
    """CelebA-Spoof: labels of 44 values, boxes in the 224 frame; a short label, an empty and a flat box, ``train_2``."""
    labels: dict[str, dict] = {"train": {}, "test": {}}
    for part, persons in (("train", train), ("test", test)):
        for person in persons:
            shown = [(0, people.live(person, index)) for index in range(2)]
            shown += [(kind, people.attacked(person, species)) for kind, species in _SPOOF_KINDS.items()]
            for number, (kind, row) in enumerate(shown):
                key = f"Data/{part}/{person}/{'spoof' if kind else 'live'}/{number:06d}.{'png' if kind else 'jpg'}"
                file = save(root / key, bgr(row))
                write_text(file.with_name(f"{file.stem}_BB.txt"), "40 30 140 150 0.99\n")
                flag = int(kind > 0)
                labels[part][key] = [1] * 40 + [kind, flag * (1 + number % 4), flag * (1 + person % 2), flag]
    first, second, third = list(labels["train"])[:3]
    labels["train"][first] = labels["train"][first][:43]
    write_text((root / second).with_name(f"{Path(second).stem}_BB.txt"), "")
    write_text((root / third).with_name(f"{Path(third).stem}_BB.txt"), "10 10 0 0 0.9\n")
    save(root / "Data/train_2/77/live/000000.jpg", bgr(people.live(0, 0)))
    for part, content in labels.items():
        write_text(root / f"metas/intra_test/{part}_label.json", json.dumps(content))


def write_siw(root: Path, people: People, train=range(8), test=range(8, 12)) -> None:
    """SiW: .mov and .face; one video without a face by its side file, one that cannot be decoded."""
    kinds = {(1, 1): None, (2, 1): AttackSpecies.PRINT, (2, 2): AttackSpecies.PRINT_CUT,
             (3, 1): AttackSpecies.REPLAY_PHONE, (3, 2): AttackSpecies.REPLAY_MONITOR}  # fmt: skip
    for part, persons in (("Train", train), ("Test", test)):
        for person in persons:
            for (kind, medium), species in kinds.items():
                if part == "Train" and kind == 3:
                    continue  # protocol 3_1 trains on prints: the test does without pictures that nobody reads
                row = people.attacked(person, species) if species else people.live(person, 0)
                subject = f"{person + 1:03d}"
                folder = root / part / ("live" if kind == 1 else "spoof") / subject
                write_clip(folder / f"{subject}-1-{kind}-{medium}-1.mov", bgr(row))
    write_text(root / "Train/live/002/002-1-1-1-1.face", "0 0 0 0\n" * 8)
    (root / "Train/spoof/002/002-1-2-1-1.mov").write_bytes(b"no video")


def write_clip(path: Path, picture: np.ndarray, frames=8, fps=4.0) -> None:
    """A held picture that drifts by a pixel a frame, and its ``.face``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = picture.shape[:2]
    made = path.with_suffix(".mp4")
    writer = cv2.VideoWriter(str(made), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for number in range(frames):
        writer.write(np.roll(picture, number, axis=1))
    writer.release()
    made.replace(path)
    write_text(
        path.with_suffix(".face"), f"{width // 5} {height // 5} {4 * width // 5} {4 * height // 5}\n" * frames
    )
