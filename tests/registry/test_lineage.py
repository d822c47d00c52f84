"""From a version back to where it comes from; and a store that was moved."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.evidence import Evidence
from facegate.registry.lineage import lines, reproduce, show
from facegate.registry.listing import newest_candidate
from facegate.registry.register import register_bundle
from facegate.registry.relocate import relocate
from facegate.registry.store import Store
from facegate.registry.tracking import stage_run

MakeBundle = Callable[..., Path]


def test_a_version_leads_back_to_its_training(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    crops, reference = Path("crops.bin"), Path("run.json")
    crops.write_bytes(b"crops")
    with stage_run("train", Task.RECOGNITION, params, inputs={"crops": crops}, reference=reference) as run:
        pass
    evidence = Evidence(metrics={"eer": 0.05})
    done = register_bundle(make_bundle(), params, evidence, inputs={"scores": crops}, training=reference)
    found = show(f"recognition/{done.version}")
    assert found.training_run == (run.name, json.loads(reference.read_text())["run_id"])
    assert set(found.inputs) == {"crops", "scores"}
    assert found.metrics == {"eer": 0.05}
    assert found == show("recognition") == show("recognition@candidate")
    text = "\n".join(lines(found))
    assert "facegate-recognition/1  @candidate" in text
    assert "on synthetic data" in text


def test_reproduce_prints_commands(
    project: Path, store: Store, params: Params, make_bundle: MakeBundle
) -> None:
    bundle = make_bundle(target="arm64")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    Path("code.py").write_text("x = 1\n")
    for command in (["init", "-q"], ["add", "code.py"], ["commit", "-qm", "Start"]):
        subprocess.run([*git, *command], check=True)
    Path("code.py").write_text("x = 2\n")
    register_bundle(bundle, params, Evidence(), inputs={})
    commands = reproduce("recognition/1")
    assert "dvc repro evaluate@recognition" in commands
    assert any(command.startswith("git apply") for command in commands)
    run_id = show("recognition/1").run[1]
    patch = project / "mlruns" / "artifacts" / "facegate" / run_id / "artifacts" / "origin" / "changes.patch"
    assert "+x = 2" in patch.read_text()


def test_reproduce_needs_a_commit(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    register_bundle(make_bundle(), params, Evidence(), inputs={})
    with pytest.raises(RegistryError, match="outside git"):
        reproduce("recognition/1")


@pytest.mark.parametrize("reference", ["gait/1", "recognition/", "recognition/9", "spoof@candidate"])
def test_unknown_references_are_named(store: Store, reference: str) -> None:
    with pytest.raises(RegistryError, match=reference.split("/")[0].split("@")[0]):
        show(reference)


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_moved_or_copied_store_works_again(
    project: Path,
    store: Store,
    params: Params,
    make_bundle: MakeBundle,
    how: Callable[[Path, Path], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    register_bundle(make_bundle(), params, Evidence(), inputs={})
    moved = project.with_name("moved")
    how(project, moved)
    shutil.rmtree(project, ignore_errors=True)
    monkeypatch.chdir(moved)
    with pytest.raises(RegistryError, match="relocate"):
        show("recognition")
    done = relocate()
    assert done.old == (project / "mlruns",)
    assert done.rows >= 4
    assert relocate().rows == 0
    assert newest_candidate(Task.RECOGNITION, into=tmp_path / "cache").is_dir()
    register_bundle(make_bundle(weight=3.0), params, Evidence(), inputs={})
    assert not project.exists()
