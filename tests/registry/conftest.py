"""A real SQLite store per test, copied from one that is built once per session."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.tracking._tracking_service import utils
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from facegate.contracts import (
    COMPARISON_COLUMNS,
    PRESENTATION_COLUMNS,
    Calibration,
    InputSpec,
    ModelContract,
    OperatingPoint,
    OutputSpec,
    Quantisation,
    Rate,
    Split,
    Task,
    TrainingData,
)
from facegate.evaluation.recognition import evaluate_recognition
from facegate.evaluation.spoof import evaluate_spoof
from facegate.evaluation.tables import read_table, write_table
from facegate.faces.align import TEMPLATE_NAME
from facegate.params import Params, QuantizeParams, ReleaseParams, load_params
from facegate.registry.evidence import Evidence
from facegate.registry.register import Registered, register_bundle
from facegate.registry.releases import create_release
from facegate.registry.relocate import relocate
from facegate.registry.store import Store, init_store
from facegate.runtime.bundle import write_bundle

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow's tables and nothing else; made once, since its migrations take seconds."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        init_store(folder)
    return folder / "mlruns" / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with an empty store, which is also the current folder."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    (root / "mlruns").mkdir(parents=True)
    shutil.copyfile(empty_database, root / "mlruns" / "mlflow.db")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def store(project: Path) -> Store:
    return init_store(project)


@pytest.fixture(scope="session")
def params() -> Params:
    return usual_params()


def usual_params() -> Params:
    """The project's own, but for the releases' operating points, since the tiny bundles have but one, and the int8
    that leads, which shall not depend on the machine."""
    own = {"release": ReleaseParams(), "quantize": QuantizeParams(targets=("x86-vnni",))}
    return load_params(ROOT / "params.yaml").model_copy(update=own)


def tiny_onnx(contract: ModelContract, weight: float) -> bytes:
    """Mean colour of the picture times a weight, repeated to the output's size; metadata hold nothing."""
    given, made = contract.input, contract.output
    nodes = [
        helper.make_node("Cast", [given.name], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weight"], [made.name]),
    ]
    matrix = np.full((3, made.size), weight, np.float32)
    constants = [
        numpy_helper.from_array(matrix, "weight"),
        numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
    ]
    picture = ["batch", given.height, given.width, 3]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(given.name, TensorProto.UINT8, picture)],
        [helper.make_tensor_value_info(made.name, TensorProto.FLOAT, ["batch", made.size])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", contract.opset)], ir_version=10)
    return model.SerializeToString()


def recognition_scores(skill: float) -> dict[str, Any]:
    """All comparisons of 24 people with 3 pictures each, half validation and half test."""
    rng = np.random.default_rng(3)
    rows: dict[str, list[Any]] = {column.name: [] for column in COMPARISON_COLUMNS}
    for split in (Split.VAL, Split.TEST):
        samples = [
            (f"{split}{person}-{picture}", f"{split}{person}") for person in range(12) for picture in range(3)
        ]
        for (probe, first), (reference, second) in itertools.combinations(samples, 2):
            values = {
                "probe_id": probe, "reference_id": reference, "probe_subject": first,
                "reference_subject": second, "split": split.value, "mated": first == second,
                "score": float(rng.normal(skill * (first == second), 0.3)),
            }  # fmt: skip
            for name, column in rows.items():
                column.append(values[name])
    return rows


def spoof_scores(skill: float, open_species: str = "") -> dict[str, Any]:
    """Presentations of 24 people; attacks of the open species score like bona fide ones."""
    rng = np.random.default_rng(4)
    rows: dict[str, list[Any]] = {column.name: [] for column in PRESENTATION_COLUMNS}
    for split, person in itertools.product((Split.VAL, Split.TEST), range(12)):
        for number in range(12):
            species = "bona_fide" if number < 6 else ("print", "replay_phone")[number % 2]
            live = species in ("bona_fide", open_species)
            values = {
                "sample_id": f"{split}{person}-{number}", "subject_id": f"{split}{person}", "species": species,
                "split": split.value, "score": float(rng.normal(skill * live, 0.3)),
            }  # fmt: skip
            for name, column in rows.items():
                column.append(values[name])
    return rows


def make_contract(
    task: Task = Task.RECOGNITION, target: str = "fp32", commit: str = "c0ffee"
) -> ModelContract:
    """A contract for :func:`tiny_onnx`, complete but for the model's hash."""
    recognition = task is Task.RECOGNITION
    rate = Rate(value=0.01, errors=10, trials=1000, low=0.005, high=0.018)
    return ModelContract(
        name=f"facegate-{task.value}",
        task=task,
        classes=() if recognition else ("attack", "bona_fide"),
        input=InputSpec(
            name="images", layout="NHWC", dtype="uint8", height=8, width=8, colour="RGB", in_graph=True,
            mean=(128, 128, 128), scale=(1 / 128, 1 / 128, 1 / 128), crop="aligned" if recognition else "context",
            crop_factor=1.0 if recognition else 2.0, template=TEMPLATE_NAME if recognition else "none",
        ),
        output=OutputSpec(
            name="embedding" if recognition else "probabilities",
            kind="embedding" if recognition else "probabilities",
            size=4 if recognition else 2,
            normalised=True,
            higher_is="same_person" if recognition else "bona_fide",
        ),
        quantisation=Quantisation.model_validate({"target": target}),
        calibration=Calibration(),
        operating_points={
            "eer": OperatingPoint(
                threshold=0.5, metric="EER", target=None, measured=rate, dataset="synthetic", split=Split.VAL
            )
        },
        training_data=(
            TrainingData(name="rendered people", licence="Apache-2.0", commercial_use=True, digest="d1"),
        ),
        synthetic_only=True,
        opset=18,
        git_commit=commit,
        params_digest="p1",
        data_digests={"crops": "d1"},
        model_sha256="0" * 64,
    )  # fmt: skip


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small but true bundle; `weight` makes models differ."""

    def make(
        task: Task = Task.RECOGNITION, target: str = "fp32", weight: float = 1.0, commit: str = "c0ffee"
    ) -> Path:
        return build_bundle(tmp_path / "bundles", task, target, weight, commit)

    return make


def build_bundle(
    folder: Path, task: Task, target: str = "fp32", weight: float = 1.0, commit: str = "c0ffee"
) -> Path:
    contract = make_contract(task, target, commit)
    model = tiny_onnx(contract, weight)
    pictures = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    answers = InferenceSession(model).run(None, {"images": pictures})[0]
    place = folder / f"{task.value}-{target}-{weight}-{commit}"
    write_bundle(place, model, contract, pictures, np.asarray(answers, np.float32))
    return place


RELEASES = {
    "first": (1.0, 3.0, ""),
    "second": (2.0, 3.0, ""),
    "open": (3.0, 3.0, "print"),
    "worse": (4.0, 0.9, ""),
}
"""Weight, skill and open species of the releases in the template, which are versions 1 to 4."""


@pytest.fixture(scope="session")
def released_project(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, params: Params) -> Path:
    """A project with four releases of truly evaluated scores; made once, copied and relocated by each test."""
    root = tmp_path_factory.mktemp("released") / "project"
    (root / "mlruns").mkdir(parents=True)
    shutil.copyfile(empty_database, root / "mlruns" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        for weight, skill, open_species in RELEASES.values():
            build_release(root, params, weight, skill, open_species)
    return root


@pytest.fixture
def releases(project: Path, released_project: Path) -> Path:
    """The project folder with the releases of ``RELEASES`` in its store."""
    shutil.copytree(released_project, project, dirs_exist_ok=True)
    relocate(project)
    utils._artifact_repos_cache.clear()  # MLflow remembers a run's folder by the run's id alone
    return project


def build_release(root: Path, params: Params, weight: float, skill: float, open_species: str) -> Registered:
    evaluation = params.evaluate.model_copy(update={"bootstrap": 100})
    references = {}
    for task in (Task.RECOGNITION, Task.SPOOF):
        place = root / "outputs" / f"{task}-{weight}"
        (place / "report").mkdir(parents=True)
        rows = recognition_scores(skill) if task is Task.RECOGNITION else spoof_scores(skill, open_species)
        write_table(place / "fp32.parquet", rows, task, {"dataset": "rendered", "synthetic": True})
        table, about = read_table(place / "fp32.parquet")
        evaluate = evaluate_recognition if task is Task.RECOGNITION else evaluate_spoof
        figures = json.dumps(evaluate(table, about, {}, evaluation))
        (place / "report" / "evaluation.json").write_text(figures)
        (place / "validation.json").write_text(json.dumps({"passed": True}))
        files = {
            "evaluation": place / "report",
            "scores": place / "fp32.parquet",
            "validation": place / "validation.json",
        }
        bundle = build_bundle(place, task, weight=weight)
        done = register_bundle(bundle, params, Evidence(files=files), inputs={})
        references[task] = f"{task}/{done.version}"
    return create_release(references, params)
