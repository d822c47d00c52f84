import io
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipelines import graph
from pipelines.graph import branches

ROOT = Path(__file__).parents[2]

STAGES = """
fetch samples prepare@recognition prepare@spoof prepare@eyes card validate@recognition validate@spoof validate@eyes
train@recognition train@spoof train_eyes@eyes quantize@recognition-host quantize@eyes-host
benchmark@recognition benchmark@spoof frame@both register@spoof
""".split()  # noqa: SIM905

DVC = """
import sys
from pathlib import Path
broken = Path({log!r}).with_name("broken")
options, command, targets = sys.argv[1], sys.argv[2], [t for t in sys.argv[3:] if t != "--single-item"]
if command == "stage":
    if broken.exists():
        sys.exit("'./dvc.lock' validation failed.")
    print({stages!r})
    sys.exit()
text = " ".join(targets) or "all"
open({log!r}, "a").write(text + chr(10))
print("ran", text)
sys.exit(3 if {failing!r} in text else 0)
"""


def test_branches_part_behind_the_data_set_and_meet_before_the_measurements():
    assert branches(STAGES) == {
        "recognition": [
            "validate@recognition",
            "validate@eyes",
            "train@recognition",
            "train_eyes@eyes",
            "quantize@recognition-host",
            "quantize@eyes-host",
        ],
        "spoof": ["card", "validate@spoof", "train@spoof"],
    }


def test_every_stage_of_dvc_yaml_stands_behind_those_that_it_needs():
    stages = Repo(str(ROOT)).index.stages
    for number, stage in enumerate(stages):
        later = [Path(out.fs_path) for other in stages[number:] for out in other.outs]
        for needed in (Path(dep.fs_path) for dep in stage.deps):
            early = [out for out in later if out.is_relative_to(needed) or needed.is_relative_to(out)]
            assert not early, f"{stage.addressing} needs {needed}"


@pytest.mark.parametrize("task", ["recognition", "spoof"])
def test_one_task_has_no_branches(task):
    assert branches(["samples", f"prepare@{task}", "card", f"train@{task}", f"benchmark@{task}"]) == {}


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Runs the graph with a stand-in for DVC that fails where `failing` is a target; gives the code and what was run."""

    monkeypatch.chdir(tmp_path)

    def go(stages, failing="nothing"):
        log = tmp_path / "log"
        script = DVC.format(stages=" ".join(stages), log=str(log), failing=failing)
        monkeypatch.setattr(graph, "DVC", (sys.executable, "-c", script, "--wait-for-lock"))
        return graph.main(), log.read_text().splitlines()

    return go


def test_the_branches_run_between_what_all_need_and_what_is_left(ran, capfd):
    code, (first, *between, last) = ran(STAGES)
    assert (code, first, last) == (0, "prepare", "all")
    parts = branches(STAGES)
    assert sorted(between) == sorted(" ".join(stages) for stages in parts.values())
    printed = capfd.readouterr().out
    assert "recognition │ ran validate@recognition" in printed
    assert "      spoof │ ran card validate@spoof" in printed


def test_a_failing_branch_ends_the_run_and_not_its_sibling(ran):
    code, seen = ran(STAGES, "train@spoof")
    assert code == 3
    assert len(seen) == 3
    assert "all" not in seen


def test_nothing_runs_beside_a_data_set_that_failed(ran):
    assert ran(STAGES, "prepare") == (3, ["prepare"])


def test_one_task_is_one_plain_run(ran):
    assert ran(["samples", "prepare@spoof", "train@spoof"]) == (0, ["all"])


def test_a_lock_that_dvc_cannot_read_is_mended_first(ran, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.touch()
    (tmp_path / "dvc.lock").touch()
    monkeypatch.setattr(graph, "mend", lambda lock: broken.unlink() or lock.name == "dvc.lock")
    code, seen = ran(STAGES)
    assert (code, len(seen)) == (0, 4)


def test_a_lock_that_mending_does_not_help_is_left_as_it_was(ran, tmp_path):
    (tmp_path / "broken").touch()
    conflict = "schema: '2.0'\nstages:\n  fetch:\n<<<<<<< ours\n    cmd: a\n  samples:\n    cmd: b\n"
    (tmp_path / "dvc.lock").write_text(conflict)
    assert ran(STAGES) == (0, ["all"])
    assert (tmp_path / "dvc.lock").read_text() == conflict


def test_what_else_dvc_cannot_read_is_left_to_its_own_words(ran, monkeypatch, tmp_path):
    (tmp_path / "broken").touch()
    monkeypatch.setattr(graph, "mend", lambda _: pytest.fail("the lock was blamed"))
    monkeypatch.setattr(graph, "LOCK", graph.LOCK.with_name("another.lock"))
    assert ran(STAGES) == (0, ["all"])


def test_of_a_progress_bar_only_a_look_now_and_then_is_printed(capsys, monkeypatch):
    seconds = iter([0.0, 1.0, 11.0, 11.0, 12.0, 12.0, 13.0])
    monkeypatch.setattr(graph.time, "monotonic", lambda: next(seconds))
    graph._relay("x │ ", io.BytesIO("10 %\r50 %\r60 %\rdone ✓\n\nrest".encode()))
    assert capsys.readouterr().out.splitlines() == ["x │ 50 %", "x │ done ✓", "x │ rest"]
