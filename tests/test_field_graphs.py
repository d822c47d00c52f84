"""The whole graph on published data sets in miniature: one for recognition, one of spoof pictures, one of videos.

Every stage of dvc.yaml is called in turn, in this process; that DVC strings them together so is asserted on the side.
They run with ``pytest -m thorough``.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Task
from facegate.datasets.pack import open_pack
from facegate.params import load_params
from facegate.profiles import edit_params, use_profile
from facegate.runtime.processor import family
from tests.sources.published import People, write_celeba, write_celeba_spoof, write_lfw, write_siw

ROOT = Path(__file__).parents[1]
TARGET = family()
pytestmark = pytest.mark.smoke


class Graph(NamedTuple):
    """A data set, what writes it, and what the parameters say of it."""

    task: Task
    profile: str
    data: dict[str, Any]


GRAPHS = {
    "celeba": Graph(
        Task.RECOGNITION,
        "celeba",
        {
            "source": "celeba",
            "field": {"protocol": "aligned"},
            "test": {"source": "lfw", "protocol": "view2"},
        },
    ),
    "celeba_spoof": Graph(
        Task.SPOOF, "celeba-spoof", {"source": "celeba_spoof", "field": {"protocol": "intra"}}
    ),
    "siw": Graph(
        Task.SPOOF, "siw", {"source": "siw", "field": {"protocol": "3_1", "frames_per_second": 1.0}}
    ),
}
SMALL = {
    "trainer": {"accelerator": "cpu", "devices": 1, "strategy": "auto", "threads": 1, "workers": 0},
    "recognition": {"width": 0.5, "embedding": 64, "people_per_batch": 5, "scale": 24.0,
                    "optim": {"epochs": 1, "batch_size": 10, "precision": "32-true"}},
    "spoof": {"width": 0.5, "content": None,
              "optim": {"epochs": 1, "batch_size": 8, "precision": "32-true"}},
    "validate": {"min_subjects_per_split": 1, "min_samples_per_split": 4, "min_samples_per_species": 1,
                 "min_detection_rate": 0.8, "max_dropped": 0.1},
    "quantize": {"calibration_samples": 16},
    "evaluate": {"bootstrap": 100},
    "benchmark": {"runs": 20, "warmup": 2, "threads": [1]},
}  # fmt: skip


@pytest.fixture(scope="module")
def people(head_file):
    return People(head_file)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An empty MLflow store, made once."""
    from facegate.registry.tracking import init_store

    root = tmp_path_factory.mktemp("store")
    init_store(root)
    return root / "mlruns"


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.thorough) for name in GRAPHS])
def graph(request, people, store, tmp_path_factory):
    """A project in which every stage has run on a data set: its name, and its folder."""
    name, project = request.param, tmp_path_factory.mktemp(request.param)
    external = project / "data" / "external"
    {"celeba": write_celeba, "celeba_spoof": write_celeba_spoof, "siw": write_siw}[name](
        external / name, people
    )
    if name == "celeba":
        write_lfw(external / "lfw", people)
    shutil.copytree(store, project / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setenv("DVC_ROOT", str(project))
        use_profile(GRAPHS[name].profile, ROOT / "profiles")
        data = GRAPHS[name].data | {"split": {"val": 0.4, "test": 0.1}}
        data["field"] = data["field"] | {"check_pins": False}
        edit_params({**SMALL, "data": data})
        run_all(patch, GRAPHS[name].task)
        yield name, project


def run_all(patch: pytest.MonkeyPatch, task: Task) -> None:
    """Every stage of a task, in the order of the graph."""
    from pipelines import (
        benchmark,
        card,
        evaluate,
        export,
        fetch,
        pool,
        prepare,
        quantize,
        register,
        samples,
        train,
        tune,  # fmt: skip
        validate,
    )

    params = load_params()
    for stage in (
        fetch,
        samples,
        prepare,
        card,
        validate,
        pool,
        tune,
        train,
        export,
        quantize,
        evaluate,
        benchmark,
        register,
    ):
        patch.setattr(sys, "argv", [stage.__name__, str(task), "host"])
        stage.main(params)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_graph_ends_in_registered_models_with_the_terms_of_the_data(graph):
    name, project = graph
    task = GRAPHS[name].task
    for target in ("fp32", TARGET):
        contract = read(project / "artifacts" / task / "candidates" / target / "contract.json")
        assert contract["operating_points"]
        assert [(d["name"], d["commercial_use"]) for d in contract["training_data"]] == [(name, False)]
        assert contract["synthetic_only"] is False
        assert (project / "reports" / task / target / "report.html").is_file()
    metrics = read(project / "metrics" / f"{task}.json")
    assert metrics["protocol"] == f"{name}/{GRAPHS[name].data['field']['protocol']}"

    from facegate.registry.listing import newest_candidate

    assert newest_candidate(task, "fp32", into=project / "pulled").is_dir()


def test_what_was_left_out_is_counted_in_the_metrics_and_named_on_the_page(graph):
    name, project = graph
    task = GRAPHS[name].task
    expected = {
        "celeba": {"file": 1, "lookalike": 1},
        "celeba_spoof": {"label": 1, "box": 2},
        "siw": {"video": 1, "no_face": 1},
    }[name]
    met = read(project / "metrics" / f"prepare_{task}.json")["source"]
    assert met["traps"] == expected
    assert met["left_out"] == sum(count for trap, count in expected.items() if trap != "box")
    page = (project / "reports" / "validate" / f"{task}.html").read_text()
    shown = {
        "celeba": ("000042.jpg", "looks like 000031.jpg"),
        "celeba_spoof": ("Data/train/0/live/000000.jpg", "label of 43 values"),
        "siw": ("002-1-1-1-1.mov", "no frame has a face"),
    }[name]
    assert all(text in page for text in shown)
    rules = {rule["column"]: rule for rule in read(project / "reports" / "validate" / f"{task}.json")["rules"]
             if rule["pack"] == "source"}  # fmt: skip
    assert {trap: rules[trap]["failing"] for trap in expected} == expected


def test_splits_are_disjoint_and_attributes_travel_to_the_crops(graph):
    name, project = graph
    pack = open_pack(project / "data" / "crops" / GRAPHS[name].task, CROP_COLUMNS)
    splits = {}
    for row in range(len(pack)):
        found = pack.row(row)
        assert splits.setdefault(found["subject_id"], found["split"]) == found["split"]
        if name == "celeba" and found["split"] != "test":
            assert set(json.loads(found["attributes"])) == {
                "5_o_Clock_Shadow",
                "Eyeglasses",
                "Male",
                "Smiling",
            }
        if name == "siw":
            assert found["clip_id"] and found["time_s"] is not None and found["camera"] == "canon-eos-t6"
    assert set(splits.values()) == {"train", "val", "test"}
    originals = open_pack(
        project / "data" / "samples" / ("stills" if name == "celeba" else "attacks"), SAMPLE_COLUMNS
    )
    assert len(pack) >= 0.8 * len(originals)


def test_recognition_is_tested_on_another_set_by_its_pairs_and_folds(graph):
    name, project = graph
    metrics = read(project / "metrics" / f"{GRAPHS[name].task}.json")
    if name != "celeba":
        assert "by_fold" not in metrics["fp32"] and "test" not in metrics, "spoof sets have no pairs"
        return
    assert metrics["test"] == "lfw/view2"
    for target in ("fp32", TARGET):
        found = metrics[target]["by_fold"]
        assert set(found["folds"]) == {"1", "2", "3"}
        assert found["accuracy"]["folds"] == 3 and found["accuracy"]["sd"] is not None
        assert found["pairs"] + found["pairs_without_a_face"] == 36
    assert "Protocol by fold" in (project / "reports/recognition/fp32/report.html").read_text()


def test_dvc_plans_the_stages_of_the_one_task(tmp_path):
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    for name, task in (("celeba", "recognition"), ("siw", "spoof")):
        use_profile(name, ROOT / "profiles", tmp_path / "params.yaml")
        command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
        listed = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.split()
        stages = ("prepare", "validate", "tune", "train", "export", "evaluate", "benchmark", "register")
        expected = {
            "fetch",
            "samples",
            "card",
            {"recognition": "lessons@recognition", "spoof": "content@spoof"}[task],
            f"quantize@{task}-host",
            *(f"{stage}@{task}" for stage in stages),
        }
        assert set(listed) == expected
