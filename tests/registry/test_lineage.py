"""From a version back to where it comes from; and a store that was moved."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params, load_params
from facegate.registry.evidence import Evidence
from facegate.registry.lineage import ENVIRONMENT_COMMANDS, lines, reproduce, show
from facegate.registry.listing import newest_candidate
from facegate.registry.register import register_bundle
from facegate.registry.relocate import relocate
from facegate.registry.store import Store
from facegate.registry.tracking import stage_run
from tests.registry.conftest import ROOT

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


GRAPH = """\
stages:
  evaluate:
    matrix: {task: [recognition]}
    cmd: python build.py ${item.task}
    params: [recognition.margin]
    deps: [build.py]
    outs: ["artifacts/${item.task}/candidates"]
"""
BUILD = """\
import sys
from pathlib import Path
from facegate.contracts import Task
from facegate.params import load_params
from tests.registry.conftest import build_bundle

built = build_bundle(Path("made"), Task(sys.argv[1]), weight=load_params(Path("params.yaml")).recognition.margin)
place = Path("artifacts") / sys.argv[1] / "candidates" / "fp32"
place.parent.mkdir(parents=True, exist_ok=True)
built.rename(place)
"""


def test_the_printed_commands_rebuild_the_same_bytes(
    project: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tiny graph with a parameter that was changed and never committed; the printed commands are run by a shell.

    Only the two that make an environment and the one that fills it are left out: the present one is used.
    """
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT}")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    Path("dvc.yaml").write_text(GRAPH)
    Path("build.py").write_text(BUILD)
    Path(".gitignore").write_text("mlruns/\nmade/\nrun.json\n")
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    git = "git -c user.name=n -c user.email=e"
    shell(f"git init -q && dvc init -q && git add -A && {git} commit -qm Start")
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("margin: 0.3", "margin: 0.37"))
    shell("dvc repro -q")
    params = load_params(Path("params.yaml"))
    assert params.recognition.margin == 0.37
    with stage_run("train", Task.RECOGNITION, params, inputs={}, reference=Path("run.json")):
        pass
    bundle = Path("artifacts/recognition/candidates/fp32")
    register_bundle(bundle, params, Evidence(), inputs={}, training=Path("run.json"))
    shutil.rmtree("artifacts")
    commands = reproduce("recognition/1")
    left_out = [c for c in commands if c in ENVIRONMENT_COMMANDS or c.startswith("pip install")]
    assert len(left_out) == 3
    done = shell("set -e\n" + "\n".join(c for c in commands if c not in left_out))
    assert "artifacts/recognition/candidates/fp32/model.onnx: OK" in done


def shell(script: str) -> str:
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_reproduce_needs_a_commit(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    register_bundle(make_bundle(), params, Evidence(), inputs={})
    with pytest.raises(RegistryError, match="outside git"):
        reproduce("recognition/1")


def test_what_was_not_trained_here_is_not_promised(
    project: Path, store: Store, params: Params, make_bundle: MakeBundle
) -> None:
    shell("git init -q && git -c user.name=n -c user.email=e commit -q --allow-empty -m Start")
    register_bundle(make_bundle(), params, Evidence(), inputs={}, aliases=("imported-x",))
    with pytest.raises(RegistryError, match="not trained here"):
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
