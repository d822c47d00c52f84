import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from facegate.contracts import Task
from facegate.datasets.pack import Pack
from facegate.errors import BundleError
from facegate.exporting import bundles
from facegate.exporting.bundles import export_bundle, quantise_bundle
from facegate.models.checkpoint import save_trained
from facegate.models.recognition.network import build_network
from facegate.params import QuantizeParams, load_params
from facegate.runtime.bundle import load_bundle
from facegate.runtime.session import Session

ROOT = Path(__file__).parents[2]
QUICK = QuantizeParams(calibration_samples=16)


@pytest.fixture(scope="module")
def pack(make_pack: Callable[[int], Pack]) -> Pack:
    return make_pack(112)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    kwargs = {"width": 0.25, "embedding": 16}
    torch.manual_seed(0)
    network = build_network(**kwargs)
    network.train()
    with torch.no_grad():
        for _ in range(10):
            network(torch.randn(8, 3, 112, 112) * 0.5)
    save_trained(folder, network.eval(), Task.RECOGNITION, kwargs)
    return folder


@pytest.fixture(scope="module")
def fp32(trained: Path, pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "fp32"
    export_bundle(trained, pack.path, out, load_params(ROOT / "params.yaml"))
    return out


def test_export_writes_a_bundle_that_passes_its_golden_vectors(fp32: Path, pack: Pack) -> None:
    bundle = load_bundle(fp32)
    assert Session(bundle, check_golden=True).check_golden() < 1e-5
    assert bundle.contract.quantisation.target == "fp32"
    assert bundle.contract.data_digests == {pack.path.as_posix(): pack.digest}
    report = json.loads((fp32 / bundles.PARITY).read_text())
    assert report["largest"] < 1e-5
    assert report["samples"] == 24
    assert report["flips"]["all"]["errors"] <= 1


def test_quantise_writes_a_bundle_with_its_proof(fp32: Path, pack: Pack, tmp_path: Path) -> None:
    report = quantise_bundle(fp32, pack.path, tmp_path / "int8", "x86-vnni", QUICK)
    bundle = load_bundle(tmp_path / "int8")
    assert Session(bundle, check_golden=True).check_golden() < 1e-5
    assert bundle.contract.quantisation.calibration_digest == report["calibration"]["digest"]
    assert report == json.loads((tmp_path / "int8" / bundles.PARITY).read_text())
    assert report["cosine_quantiles"]["0"] > 0.97
    assert report["bytes"]["x86-vnni"] < report["bytes"]["fp32"] / 2


def test_host_is_the_family_of_the_processor(
    fp32: Path, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles.processor, "family", lambda: "x86-avx2")
    report = quantise_bundle(fp32, pack.path, tmp_path / "host", "host", QUICK)
    assert load_bundle(tmp_path / "host").contract.quantisation.target == "x86-avx2"
    assert set(report["bytes"]) == {"fp32", "x86-avx2"}


def test_half_precision_is_a_bundle_like_any_other(fp32: Path, pack: Pack, tmp_path: Path) -> None:
    report = quantise_bundle(fp32, pack.path, tmp_path / "fp16", "fp16", QUICK)
    bundle = load_bundle(tmp_path / "fp16")
    assert Session(bundle, check_golden=True).check_golden() < 1e-2
    assert bundle.contract.quantisation.target == "fp16" and report["calibration"] is None
    assert report["largest"] < 1e-2  # an untrained network decides by a hair: its flips say nothing


def test_layers_stay_float_when_too_many_decisions_change(
    fp32: Path, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter([False, False, True])
    monkeypatch.setattr(bundles, "_held", lambda *_: next(verdicts))
    report = quantise_bundle(fp32, pack.path, tmp_path / "int8", "x86-vnni", QUICK)
    contract = load_bundle(tmp_path / "int8").contract
    ranked = [name for name, _ in report["sensitivity"]]
    assert report["float_layers"] == list(contract.quantisation.float_layers) == ranked[:2]
    assert report["held"]


def test_export_that_computes_something_else_is_refused(
    trained: Path, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = bundles.run_onnx
    monkeypatch.setattr(bundles, "run_onnx", lambda *args: outputs(*args) + np.float32(0.001))
    with pytest.raises(BundleError, match="differs from the trained network"):
        export_bundle(trained, pack.path, tmp_path / "fp32", load_params(ROOT / "params.yaml"))
    assert not (tmp_path / "fp32").exists()
