"""The whole graph under the smoke profile as `make repro` runs it, in a copy of the project; then again, as a no-op."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facegate.contracts import AttackSpecies, Task
from facegate.datasets.pack import open_pack
from facegate.profiles import edit_params
from facegate.registry.lineage import ENVIRONMENT_COMMANDS
from facegate.runtime.processor import family
from tests.sources.published import People

ROOT = Path(__file__).parents[1]
TASKS = tuple(Task)
QUICK = {"benchmark": {"runs": 20, "threads": [1]}}
"""What the smoke profile measures longer than a test of the stages needs."""
COMPILED = [Path("src") / "facegate" / room for room in ("synthesis", "recapture")]
KERNELS = (
    'for f in {here}/*.py; do touch -r "{made}/${{f##*/}}" "$f"; done; cp -rp {made}/__pycache__ {here}/'
)
"""Gives a clone the compiled kernels: its sources are the same ones, but younger."""
pytestmark = pytest.mark.smoke


def environment(project: Path) -> dict[str, str]:
    """Variables under which a command uses the copy's own sources."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "DVC_"))},
        "PYTHONPATH": str(project / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
        # a bundle names its commit: equal trees are one commit, so that two copies give equal bundles
        "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    }


def run(project: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the copy, with the copy's own sources."""
    done = subprocess.run(
        command, cwd=project, env=environment(project), capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        pytest.fail(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done


def smoke_copy(copy: Path) -> None:
    """Make a committed copy of the work tree, under the smoke profile."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, (n.decode() for n in tracked)):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    copy_kernels(ROOT, copy)
    wheels = ROOT / "data" / "external" / "wheels"
    if wheels.is_dir():
        shutil.copytree(wheels, copy / "data" / "external" / "wheels")
    run(copy, "git", "init", "-q")
    run(copy, "git", "add", "-A")
    run(copy, "git", "commit", "-q", "-m", "Copy")
    run(copy, sys.executable, "-m", "facegate.cli", "profile", "use", "smoke")
    edit_params(QUICK, copy / "params.yaml")


def copy_kernels(tree: Path, copy: Path) -> None:
    """Take along what numba compiled of the same sources: it knows them by time and size."""
    for room in COMPILED:
        (copy / room / "__pycache__").mkdir(exist_ok=True)
        for kernel in (tree / room / "__pycache__").glob("*.nb?"):
            shutil.copy2(kernel, copy / room / "__pycache__")


@pytest.fixture(scope="module")
def compiled(head_file: Path) -> None:
    """The renderer compiled once beside its sources, and not anew by each process of each copy."""
    people = People(head_file)
    people.live(0, 0)
    for species in (AttackSpecies.PRINT, AttackSpecies.REPLAY_PHONE):
        people.attacked(0, species)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> Iterator[Path]:
    """A committed copy of the work tree in which the smoke graph has run."""
    copy = tmp_path_factory.mktemp("graph") / "project"
    smoke_copy(copy)
    run(copy, sys.executable, "-m", "pipelines.graph")
    yield copy
    shutil.rmtree(copy)


def rebuild_commands(project: Path) -> list[str]:
    """What `facegate registry reproduce` prints, in this environment and with the assets at hand."""
    facegate = (sys.executable, "-m", "facegate.cli")
    printed = run(project, *facegate, "registry", "reproduce", "eyes@candidate").stdout.splitlines()
    commands = [c for c in printed if c not in ENVIRONMENT_COMMANDS and not c.startswith("pip install")]
    entered = next(number for number, command in enumerate(commands) if command.startswith("cd ")) + 1
    commands[entered:entered] = [
        'export PYTHONPATH="$PWD/src"',
        *(KERNELS.format(made=project / room, here=room) for room in COMPILED),
        f"mkdir -p data && cp -r {project / 'data' / 'external'} data/",
    ]
    return commands


def versions(project: Path) -> list[str]:
    """What `facegate registry list` prints, line by line."""
    return run(project, sys.executable, "-m", "facegate.cli", "registry", "list").stdout.splitlines()


def test_every_stage_leaves_what_it_promises(project: Path) -> None:
    for task in TASKS:
        for target in ("fp32", family()):
            bundle = project / "artifacts" / task / "candidates" / target
            assert {"model.onnx", "contract.json", "golden.npz"} <= {f.name for f in bundle.iterdir()}
            contract = json.loads((bundle / "contract.json").read_text())
            assert contract["operating_points"], f"{bundle}: measured, so it has operating points"
            assert contract["synthetic_only"] is True
        metrics = json.loads((project / "metrics" / f"{task}.json").read_text())
        assert metrics["synthetic"] is True
        assert (project / "reports" / task / "fp32" / "report.html").is_file()
        assert (project / "reports" / "benchmark" / task).is_dir()


def test_every_task_and_both_variants_are_registered(project: Path) -> None:
    text = "\n".join(versions(project))
    for task in TASKS:
        assert f"facegate-{task}" in text
    assert text.count("candidate") >= 2 * len(TASKS)


def test_a_second_run_does_nothing_and_registers_nothing(project: Path) -> None:
    before = versions(project)
    done = run(project, "dvc", "repro")
    assert "Data and pipelines are up to date" in done.stdout + done.stderr
    assert versions(project) == before


def test_a_recogniser_is_adapted_to_faces_without_names(project: Path, tmp_path: Path) -> None:
    pack = open_pack(project / "data" / "samples" / "stills")
    for number, picture in enumerate(pack.column("image")[:60].tolist()):
        (tmp_path / f"{number:03}.png").write_bytes(picture)
    done = run(project, sys.executable, "-m", "facegate.cli", "adapt", "--images", str(tmp_path)).stdout
    assert "→" in done
    listed = "\n".join(versions(project))
    assert ("adapted" in listed) == ("registered facegate-recognition" in done)
    assert f"adapted-{family()}" in listed
    shown = run(
        project, sys.executable, "-m", "facegate.cli", "registry", "show", "recognition@adapted"
    ).stdout
    assert "adapted     from facegate-recognition/" in shown


def test_a_recogniser_learns_a_few_people(project: Path, tmp_path: Path) -> None:
    """The smoke run's network is no recogniser yet, so that whether it gains is left open."""
    pack = open_pack(project / "data" / "samples" / "stills")
    for number, (picture, person) in enumerate(
        zip(pack.column("image")[:60], pack.column("subject_id")[:60], strict=True)
    ):
        (tmp_path / person).mkdir(exist_ok=True)
        (tmp_path / person / f"{number:03}.png").write_bytes(picture)
    params = project / "params.yaml"
    text = params.read_text()
    short = {"epochs": 4, "batch_size": 16, "learning_rate": 0.001, "weight_decay": 0.05}
    params.write_text(f"{text}\nfinetune: {json.dumps({'anchors': 64, 'optim': short})}\n")
    facegate = (sys.executable, "-m", "facegate.cli")
    done = run(project, *facegate, "finetune", "--people", str(tmp_path)).stdout
    params.write_text(text)
    assert "pictures learned" in done
    assert "strangers" in done
    if "registered facegate-recognition" in done:
        shown = run(project, *facegate, "registry", "show", "recognition@finetuned").stdout
        assert "finetuned   from facegate-recognition/" in shown
        again = run(project, *facegate, "registry", "reproduce", "recognition@finetuned", check=False)
        assert "facegate finetune --from" in again.stderr


def test_a_training_parameter_reruns_only_what_depends_on_it(project: Path) -> None:
    params = project / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("bootstrap: 200", "bootstrap: 201"))
    plan = run(project, "dvc", "repro", "--dry").stdout
    params.write_text(text)
    assert "Running stage 'evaluate@spoof'" in plan
    for stage in ("samples", "prepare@spoof", "train@spoof", "export@spoof"):
        assert f"Running stage '{stage}'" not in plan


def test_a_corrupt_pack_stops_the_graph_with_its_name(project: Path) -> None:
    part = next((project / "data" / "crops" / "spoof").glob("part-*.arrow"))
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    done = run(project, sys.executable, "-m", "pipelines.validate", "spoof", check=False)
    part.write_bytes(whole)
    assert done.returncode == 1
    assert str(part.relative_to(project)) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_newest_candidates_judge_a_picture(project: Path) -> None:
    photos = ROOT / "tests" / "data" / "photos"
    one, other = str(photos / "obama.jpg"), str(photos / "obama2.jpg")
    verified = run(project, sys.executable, "-m", "facegate.cli", "verify", one, other).stdout
    assert "synthetic" in verified
    judged = run(project, sys.executable, "-m", "facegate.cli", "spoof", one).stdout
    assert "synthetic" in judged


@pytest.mark.thorough
def test_a_registered_version_is_rebuilt_byte_for_byte(project: Path) -> None:
    done = run(project, "bash", "-ec", "\n".join(rebuild_commands(project)))
    assert "artifacts/eyes/candidates/fp32/model.onnx: OK" in done.stdout
