from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.contracts import SAMPLE_COLUMNS, Split
from facegate.datasets.pack import open_pack
from facegate.errors import PackError, SourceError
from facegate.params import DataParams, FolderParams, SyntheticParams
from facegate.sources import write_samples

SYNTHETIC = SyntheticParams(
    recognition_people=1,
    stills_per_person=2,
    spoof_people=1,
    bona_fide_per_person=1,
    attacks_per_species=1,
    clip_people=1,
)


def data(**folder):
    return DataParams(source="folder", synthetic=SYNTHETIC, folder=FolderParams(**folder))


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((32, 32, 3), value, np.uint8))


def test_folders_become_the_packs_of_their_tasks(tmp_path):
    for person in range(4):
        picture(tmp_path / "people" / f"p{person}" / "0.png", person)
        picture(tmp_path / "both" / "live" / f"p{person}" / "0.png", person)
        picture(tmp_path / "both" / "spoof" / "print" / f"p{person}" / "0.png", person)
    params = data(people=str(tmp_path / "people"), presentations=str(tmp_path / "both"))
    counts = write_samples(params, Path("unused"), tmp_path / "out", tmp_path / "cache")
    assert counts == {"stills": 4, "attacks": 8, "clips": 0}
    stills, attacks = (open_pack(tmp_path / "out" / name, SAMPLE_COLUMNS) for name in ("stills", "attacks"))
    assert set(stills.column("species")) == {"bona_fide"}
    assert set(attacks.column("species")) == {"bona_fide", "print"}
    assert set(stills.column("split")) == set(Split)
    with pytest.raises(PackError, match="has no rows"):
        open_pack(tmp_path / "out" / "clips")


def test_a_missing_folder_is_told_with_its_key(tmp_path):
    with pytest.raises(SourceError, match=r"gone: no such folder\n.*`data\.folder\.people`"):
        write_samples(data(people=str(tmp_path / "gone")), tmp_path, tmp_path / "out", tmp_path / "cache")


def test_rendering_without_the_head_is_told(tmp_path):
    params = DataParams(source="synthetic", synthetic=SYNTHETIC)
    with pytest.raises(SourceError, match=r"head\.npz: missing\n.*dvc repro fetch"):
        write_samples(params, tmp_path, tmp_path / "out", tmp_path / "cache")
