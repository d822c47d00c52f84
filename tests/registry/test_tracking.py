"""Runs: their tags, status, metrics and the reference they leave."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun
from optuna.exceptions import TrialPruned

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.provenance import dependency_hashes, dvc_md5, git_state, locked_hashes
from facegate.registry.store import Store
from facegate.registry.tracking import stage_run


@pytest.fixture
def crops(project: Path) -> Path:
    folder = project / "data" / "crops"
    (folder / "b").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "b" / "c.txt").write_text("two")
    return Path("data/crops")


def fetch(store: Store, run_id: str) -> MlflowRun:
    return store.client.get_run(run_id)


def test_a_run_carries_its_origin(store: Store, params: Params, crops: Path) -> None:
    reference = Path("reports/runs/train.json")
    inputs = {"crops": crops}
    with stage_run(
        "train", Task.SPOOF, params, inputs=inputs, sections=["spoof"], reference=reference
    ) as run:
        run.log({"loss": 1.0}, step=0)
        run.log({"loss": 0.5, "val/tar@fmr=1e-3": 0.9}, step=1)
    kept = fetch(store, run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.tags["stage"] == "train"
    assert kept.data.tags["dvc.stage"] == "train@spoof"
    assert kept.data.tags["dvc.dep.crops"] == dvc_md5(crops)
    assert kept.data.tags["params.sha256"] == params.digest()
    assert kept.data.params["spoof.optim.epochs"] == str(params.spoof.optim.epochs)
    assert kept.data.metrics == {"loss": 0.5, "val/tar_at_fmr_1e-3": 0.9}
    assert [m.value for m in store.client.get_metric_history(run.run_id, "loss")] == [1.0, 0.5]
    assert kept.inputs is not None
    assert kept.inputs.dataset_inputs[0].dataset.digest == dvc_md5(crops)[:12]
    assert json.loads(reference.read_text())["run_id"] == run.run_id


def test_a_failure_marks_the_run_and_leaves_no_reference(store: Store, params: Params, crops: Path) -> None:
    reference = Path("reports/runs/train.json")
    with (
        pytest.raises(ZeroDivisionError),
        stage_run("train", Task.SPOOF, params, inputs={"crops": crops}, reference=reference) as run,
    ):
        raise ZeroDivisionError("nothing left")
    kept = fetch(store, run.run_id)
    assert kept.info.status == "FAILED"
    assert kept.data.tags["error"] == "ZeroDivisionError: nothing left"
    assert not reference.exists()


def test_an_interrupt_marks_the_run_as_killed(store: Store, params: Params) -> None:
    with pytest.raises(KeyboardInterrupt), stage_run("train", None, params, inputs={}) as run:
        raise KeyboardInterrupt
    assert fetch(store, run.run_id).info.status == "KILLED"


def test_a_killed_stage_is_ended_by_its_next_execution(store: Store, params: Params) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    with stage_run("train", None, params, inputs={}) as run:
        pass
    tags = {**fetch(store, run.run_id).data.tags, "process.pid": str(gone.pid)}
    orphan = store.client.create_run(run.experiment_id, tags=tags)
    alive = store.client.create_run(run.experiment_id, tags={**tags, "process.pid": str(os.getpid())})
    with stage_run("train", None, params, inputs={}):
        pass
    assert fetch(store, orphan.info.run_id).info.status == "KILLED"
    assert fetch(store, alive.info.run_id).info.status == "RUNNING"


def test_trials_nest_and_end_as_optuna_ended_them(store: Store, params: Params) -> None:
    ends = {"complete": None, "pruned": TrialPruned(), "failed": ValueError("diverged")}
    ids = {}
    with stage_run("tune", Task.SPOOF, params, inputs={}) as run:
        for name, error in ends.items():
            try:
                with run.child(f"trial {name}", {"learning_rate": 1e-3}) as trial:
                    ids[name] = trial.run_id
                    trial.log({"loss": 1.0}, step=0)
                    if error is not None:
                        raise error
            except (TrialPruned, ValueError):
                pass
    kept = {name: fetch(store, run_id) for name, run_id in ids.items()}
    assert {name: r.info.status for name, r in kept.items()} == {
        "complete": "FINISHED",
        "pruned": "KILLED",
        "failed": "FAILED",
    }
    assert [r.data.tags["optuna.state"] for r in kept.values()] == ["COMPLETE", "PRUNED", "FAIL"]
    assert {r.data.tags["mlflow.parentRunId"] for r in kept.values()} == {run.run_id}
    assert fetch(store, run.run_id).info.status == "FINISHED"


def test_a_missing_input_is_named(project: Path, params: Params) -> None:
    with (
        pytest.raises(RegistryError, match="data/none"),
        stage_run("train", None, params, inputs={"crops": Path("data/none")}),
    ):
        pass


def test_folder_hash_is_that_of_dvc(crops: Path) -> None:
    one, two = (hashlib.md5(text).hexdigest() for text in (b"one", b"two"))
    listing = f'[{{"md5": "{one}", "relpath": "a.txt"}}, {{"md5": "{two}", "relpath": "b/c.txt"}}]'
    assert dvc_md5(crops) == hashlib.md5(listing.encode()).hexdigest() + ".dir"


def test_a_stage_takes_hashes_from_the_lock(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dvc.lock").write_text(
        "stages:\n  prepare:\n    outs:\n    - {path: data/crops, hash: md5, md5: abc.dir, size: 3}\n"
    )
    assert locked_hashes(Path("dvc.lock")) == {"data/crops": "abc.dir"}
    assert dependency_hashes({"crops": crops}) == {"crops": dvc_md5(crops)}
    monkeypatch.setenv("DVC_STAGE", "train@spoof")
    assert dependency_hashes({"crops": crops}) == {"crops": "abc.dir"}


def test_a_lock_that_is_being_written_gives_what_is_whole(tmp_path: Path) -> None:
    """As the other of two branches finds it: DVC writes in place."""
    lock, outs = tmp_path / "dvc.lock", {"data/a": "aa.dir", "data/b": "bb"}
    text = "schema: '2.0'\nstages:\n" + "".join(
        f"  stage@{path[-1]}:\n    cmd: python -m x\n    outs:\n    - path: {path}\n      hash: md5\n      md5: {md5}\n"
        "      size: 12\n      nfiles: 2\n"
        for path, md5 in outs.items()
    )
    found = []
    for end in range(len(text) + 1):
        lock.write_text(text[:end])
        found.append(locked_hashes(lock))
        assert found[-1].items() <= outs.items(), text[:end]
    assert found[0] == {} and found[-1] == outs and {"data/a": "aa.dir"} in found


def test_only_code_and_configuration_make_the_tree_dirty(tmp_path: Path) -> None:
    assert git_state(tmp_path) == ("", False)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    (tmp_path / "code.py").write_text("x = 1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Start"]):
        subprocess.run([*git, *command], check=True)
    (tmp_path / "dvc.lock").write_text("changed by a stage\n")
    assert len(git_state(tmp_path).commit) == 40
    assert not git_state(tmp_path).dirty
    (tmp_path / "code.py").write_text("x = 2\n")
    assert git_state(tmp_path).dirty
