"""Two tiny data sets and the models that see through them, so that evaluation is tested without training."""

import numpy as np

from facegate.contracts import CROP_COLUMNS
from facegate.datasets.pack import PackWriter, encode_png, open_pack

SIDE = 32
SPLITS = ("train", "val", "test")


def crop_row(name, subject, split, species, image, rng, **columns):
    return {
        "sample_id": name,
        "subject_id": subject,
        "split": split,
        "species": species,
        "image": encode_png(image),
        "width": SIDE,
        "height": SIDE,
        "source": "synthetic",
        "crop": "aligned",
        "detection_score": 0.9,
        "box": [0.0, 0.0, 1.0, 1.0],
        "landmarks": [0.0] * 10,
        "camera": str(rng.choice(["phone", "webcam"])),
        **columns,
    }


def face_rows(people=30, pictures=6):
    rng = np.random.default_rng(0)
    for person in range(people):
        base = np.kron(rng.integers(40, 216, (4, 4, 3)), np.ones((8, 8, 1)))
        split = SPLITS[person % 3]
        traits = {
            "sex": ("female", "male")[person % 2],
            "age": float(20 + person),
            "ita": float(person * 4 - 40),
        }
        for k in range(pictures):
            image = np.clip(base + rng.normal(0, 60, (4, 4, 3)).repeat(8, 0).repeat(8, 1), 0, 255).astype(
                np.uint8
            )
            extra = {"yaw": float(rng.normal(0, 15)), "glasses": bool(rng.random() < 0.3)}
            yield crop_row(
                f"p{person:02}-{k}", f"p{person:02}", split, "bona_fide", image, rng, **traits, **extra
            )


def attack_rows(people=30):
    rng = np.random.default_rng(1)
    levels = {"bona_fide": (150, 4), "print": (95, 3), "replay_phone": (115, 3)}
    for person in range(people):
        split = SPLITS[person % 3]
        for species, (level, count) in levels.items():
            for k in range(count):
                image = np.clip(rng.normal(level + rng.normal(0, 20), 25, (SIDE, SIDE, 3)), 0, 255).astype(
                    np.uint8
                )
                name = f"s{person:02}-{species}-{k}"
                sex = ("female", "male")[person % 2]
                yield crop_row(name, f"s{person:02}", split, species, image, rng, sex=sex, crop="context")


class Faces:
    """Embedding: the picture at 4 × 4."""

    def run(self, images):
        small = images.reshape(-1, 4, 8, 4, 8, 3).mean(axis=(2, 4)).reshape(len(images), -1)
        return (small - 128).astype(np.float32)


class Brightness:
    """Brighter is more bona fide."""

    def run(self, images):
        bona_fide = 1 / (1 + np.exp(-(images.reshape(len(images), -1).mean(axis=1) - 125) / 10))
        return np.stack([1 - bona_fide, bona_fide], axis=1).astype(np.float32)


def written(path, rows):
    with PackWriter(path, CROP_COLUMNS) as writer:
        writer.write_all(rows)
    return open_pack(path)
