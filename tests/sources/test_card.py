"""The data set card: counts, detection, shortcuts, sheets; and what it says of rendered people."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, AttackSpecies, Task
from facegate.datasets.pack import PackWriter, encode_png
from facegate.errors import PackError
from facegate.sources.card import write_card

SPECIES = (AttackSpecies.BONA_FIDE, AttackSpecies.PRINT)


def rows(rendered_dark: bool) -> list[dict[str, Any]]:
    """Eight people, each live and printed; prints are darker if asked, which is a shortcut."""
    rng = np.random.default_rng(3)
    found = []
    for person in range(8):
        for species in SPECIES:
            for index in range(3):
                dark = 90 if rendered_dark and species.is_attack else 0
                picture = rng.integers(0, 60, (48, 48, 3)) + 150 - dark
                found.append(
                    {
                        "sample_id": f"{person}-{species}-{index}",
                        "subject_id": f"p{person}",
                        "split": "train" if person < 5 else "test",
                        "species": species.value,
                        "image": encode_png(picture.astype(np.uint8)),
                        "width": 48,
                        "height": 48,
                        "source": "synthetic",
                        "sex": "female" if person % 2 else "male",
                        "age": 20.0 + person,
                        "ita": 10.0 * person,
                    }
                )
    return found


def write_packs(folder: Path, samples: list[dict[str, Any]]) -> None:
    for name in ("stills", "attacks", "clips"):
        with PackWriter(folder / "samples" / name, SAMPLE_COLUMNS, {"rendered": True}) as writer:
            writer.write_all(samples if name == "attacks" else [])
    found = {
        "detection_rate": 1.0,
        "pictures": len(samples),
        "crops": len(samples),
        "by_species": {},
        "landmark_error": None,
    }
    with PackWriter(folder / "crops" / Task.SPOOF, CROP_COLUMNS, found) as writer:
        for row in samples:
            writer.write(
                {
                    **row,
                    "crop": "context",
                    "detection_score": 0.9,
                    "box": [8.0, 8.0, 32.0, 32.0],
                    "landmarks": [0.0] * 10,
                }
            )


@pytest.mark.parametrize("leak", [False, True])
def test_a_shortcut_is_found_and_a_clean_set_is_not_accused(tmp_path: Path, leak: bool) -> None:
    write_packs(tmp_path, rows(leak))
    card = write_card(tmp_path / "samples", tmp_path / "crops", tmp_path / "out")
    row = card["trivial_auc"]["species"]["print"]
    assert row["leaks"] is leak
    assert (row["attacks"], row["bona_fide"]) == (24, 24)


def test_counts_and_words(tmp_path: Path) -> None:
    write_packs(tmp_path, rows(False))
    card = write_card(tmp_path / "samples", tmp_path / "crops", tmp_path / "out")
    attacks = card["packs"]["attacks"]
    assert attacks["people_by_split"] == {"test": 3, "train": 5}
    assert attacks["species"] == {"bona_fide": 24, "print": 24}
    assert attacks["sex"] == {"female": 24, "male": 24}
    assert attacks["detection"]["detection_rate"] == 1.0
    text = (tmp_path / "out" / "card.md").read_text()
    assert "no real person is shown" in text
    assert "CC0" in text
    assert (tmp_path / "out" / "attacks.png").is_file()
    assert list(card["packs"]) == ["attacks"], "empty packs are left out"


def test_a_missing_crop_pack_is_named(tmp_path: Path) -> None:
    write_packs(tmp_path, rows(False))
    (tmp_path / "crops" / Task.SPOOF / "pack.json").unlink()
    with pytest.raises(PackError, match="no pack here"):
        write_card(tmp_path / "samples", tmp_path / "crops", tmp_path / "out")
