import json
import re

import pytest

from facegate.contracts import Rate, Split, Task
from facegate.errors import BundleError
from facegate.evaluation.stage import Places, evaluate_task
from facegate.runtime.bundle import load_bundle
from tests.evaluation.small_bundles import write_small_bundle

PACKS = {Task.RECOGNITION: "face_pack", Task.SPOOF: "attack_pack"}


@pytest.fixture(scope="module", params=PACKS, ids=str)
def evaluated(request, tmp_path_factory, evaluate_params):
    task, root = request.param, tmp_path_factory.mktemp(str(request.param))
    pack = request.getfixturevalue(PACKS[task])
    write_small_bundle(root / "exported" / "fp32", task)
    write_small_bundle(root / "exported" / "x86-vnni", task, "x86-vnni", 0.05)
    places = Places(pack.path, root / "exported", root / "candidates", root / "scores", root / "reports")
    return task, places, evaluate_task(task, places, evaluate_params), evaluate_params


def test_bundles_leave_with_operating_points_from_validation(evaluated):
    task, places, metrics, _ = evaluated
    for target in ("fp32", "x86-vnni"):
        contract = load_bundle(places.candidates / target).contract
        assert set(contract.operating_points) >= {"eer"}
        assert contract.calibration.kind == "logistic"
        assert contract.calibration.slope > 0
        for name, point in contract.operating_points.items():
            assert (point.split, point.dataset) == (Split.VAL, "synthetic")
            assert name in metrics[target]
    name = "fmr_1e-2" if task is Task.RECOGNITION else "bpcer_5"
    full = json.loads((places.reports / "fp32" / "evaluation.json").read_text())
    exact = load_bundle(places.candidates / "fp32").contract.operating_points[name].threshold
    assert full["operating_points"][name]["threshold"] == exact


def test_candidates_carry_what_their_task_measures(evaluated, face_pack):
    task, places, _, _ = evaluated
    found = load_bundle(places.candidates / "fp32").contract.measured
    if task is Task.SPOOF:
        assert set(found) == {"spoof_score"}
        assert 0 <= found["spoof_score"].quantiles[0] <= found["spoof_score"].quantiles[-1] <= 1
        return
    assert set(found) == {"sharpness", "brightness"}
    tested = (face_pack.column("split") == Split.TEST).sum()
    assert found["brightness"].samples == tested
    assert 0 <= found["brightness"].quantiles[0] < found["brightness"].quantiles[-1] <= 255


def test_metrics_say_synthetic_and_carry_whole_rates(evaluated):
    task, _, metrics, _ = evaluated
    assert metrics["synthetic"] is True
    if task is Task.RECOGNITION:
        assert Rate.model_validate(metrics["fp32"]["eer"]).trials == 1770
        rate = Rate.model_validate(metrics["fp32"]["fmr_1e-2"]["fnmr"])
        assert Rate.model_validate(metrics["baselines"]["eigenfaces"]["eer"]).trials == 1770
    else:
        rate = Rate.model_validate(metrics["fp32"]["bpcer_5"]["worst_apcer"])
        assert set(metrics["baselines"]["trivial"]["auc_by_species"]) == {"print", "replay_phone"}
    assert rate.low <= (rate.value or 0) <= rate.high
    assert "decisions_flipped" in metrics["x86-vnni"]["against_fp32"]


def test_evaluating_again_gives_the_same_bytes(evaluated, tmp_path):
    task, places, metrics, params = evaluated
    again = Places(places.crops, places.exported, tmp_path / "c", tmp_path / "s", tmp_path / "r")
    assert json.dumps(evaluate_task(task, again, params)) == json.dumps(metrics)
    for file in sorted((places.reports / "fp32").iterdir()):
        assert (tmp_path / "r" / "fp32" / file.name).read_bytes() == file.read_bytes(), file.name
    assert (tmp_path / "s" / "fp32.parquet").read_bytes() == (places.scores / "fp32.parquet").read_bytes()


def test_every_plot_is_there_and_small_and_the_page_needs_no_network(evaluated):
    _, places, _, _ = evaluated
    folder = places.reports / "fp32"
    names = {file.name for file in folder.iterdir()}
    plots = ("det", "scores", "reliability", "slices", "robustness", "turning")
    assert names >= {"errors.csv", "worst.jpg", *(f"{name}.png" for name in plots)}
    assert all(file.stat().st_size <= 150_000 for file in folder.glob("*.png"))
    page = (folder / "report.html").read_text()
    assert "Synthetic." in page
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)  # pictures may spell anything
    assert page.count("data:image/") == len(names) - 3  # not the page, its data and the curves


def test_without_an_fp32_bundle_nothing_is_measured(tmp_path, face_pack, evaluate_params):
    (tmp_path / "exported").mkdir()
    places = Places(face_pack.path, tmp_path / "exported", tmp_path / "c", tmp_path / "s", tmp_path / "r")
    with pytest.raises(BundleError, match="no fp32 bundle"):
        evaluate_task(Task.RECOGNITION, places, evaluate_params)
