import io
import sys

import pytest

from facegate.contracts import Task
from facegate.params import load_params
from pipelines import graph
from pipelines.graph import branches


def params_of(*tasks: Task):
    return load_params().model_copy(update={"tasks": tasks})


def test_branches_part_after_the_data_set_and_end_in_evaluation():
    assert branches(params_of(*Task)) == {
        "recognition": ["evaluate@recognition"],
        "spoof": ["evaluate@spoof", "evaluate_clips@liveness", "evaluate@eyes"],
    }
    assert branches(params_of(Task.SPOOF)) == {"spoof": ["evaluate@spoof"]}


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """Commands that would have been run, in their order; a target named in `failing` ends with 3."""
    failing: set[str] = set()
    log = tmp_path / "log"

    def command(*targets):
        code = 3 if failing & set(targets) else 0
        text = " ".join(targets) or "all"
        script = f"import sys; open({str(log)!r}, 'a').write({text + chr(10)!r}); print('ran', {text!r}); sys.exit({code})"
        return [sys.executable, "-c", script]

    monkeypatch.setattr(graph, "_command", command)
    monkeypatch.setattr(graph, "load_params", lambda: params_of(Task.RECOGNITION, Task.SPOOF))
    return failing, lambda: log.read_text().splitlines()


def test_the_branches_run_between_what_all_need_and_what_is_left(commands, capfd):
    _, ran = commands
    assert graph.main() == 0
    first, *between, last = ran()
    assert (first, last) == ("prepare", "all")
    assert sorted(between) == ["evaluate@recognition", "evaluate@spoof"]
    printed = capfd.readouterr().out
    assert "recognition │ ran evaluate@recognition\n" in printed
    assert "      spoof │ ran evaluate@spoof\n" in printed


@pytest.mark.parametrize(
    ("broken", "expected"),
    [("prepare", ["prepare"]), ("evaluate@spoof", ["evaluate@recognition", "evaluate@spoof", "prepare"])],
)
def test_a_failing_branch_ends_the_run_and_not_its_sibling(commands, broken, expected):
    failing, ran = commands
    failing.add(broken)
    assert graph.main() == 3
    assert sorted(ran()) == expected


def test_one_task_is_one_plain_run(commands, monkeypatch):
    _, ran = commands
    monkeypatch.setattr(graph, "load_params", lambda: params_of(Task.SPOOF))
    assert graph.main() == 0
    assert ran() == ["all"]


def test_of_a_progress_bar_only_a_look_now_and_then_is_printed(capsys, monkeypatch):
    seconds = iter([0.0, 1.0, 11.0, 11.0, 12.0, 12.0, 13.0])
    monkeypatch.setattr(graph.time, "monotonic", lambda: next(seconds))
    graph._relay("x │ ", io.BytesIO(b"10 %\r50 %\r60 %\rdone \xe2\x9c\x93\n\nrest"))
    assert capsys.readouterr().out.splitlines() == ["x │ 50 %", "x │ done ✓", "x │ rest"]


def test_bad_parameters_are_told_in_words(monkeypatch, tmp_path):
    (tmp_path / "params.yaml").write_text("profile: [")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"facegate: params\.yaml"):
        graph.main()
