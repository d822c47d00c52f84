import cv2
import numpy as np
import pytest

from facegate.contracts import Task
from facegate.training.sweep_plots import LEAST, draw_sweep, importances
from facegate.training.trials import Trial, best_of


def trials(count, metric="val_auc"):
    """The outcome follows `x` and knows nothing of `y`."""
    values = [((7 * k) % 11 / 11, (3 * k) % 13 / 13) for k in range(count)]
    return [Trial(k, {"x": x, "y": y}, metric, 0.5 + x / 3, False, ()) for k, (x, y) in enumerate(values)]


def test_what_decides_the_outcome_is_found():
    found = importances(trials(22))
    assert list(found) == ["x", "y"]
    assert found["x"] > 0.9
    assert sum(found.values()) == pytest.approx(1)


def test_too_few_or_equal_trials_say_nothing():
    assert importances(trials(LEAST - 1)) == {}
    assert importances([]) == {}
    flat = [Trial(k, {"x": k / 20}, "val_auc", 0.5, False, ()) for k in range(20)]
    assert importances(flat) == {}


@pytest.mark.parametrize("metric", ["val_auc", "val_eer"])
def test_plots_come_out_the_same(tmp_path, metric):
    shown = [*trials(12, metric), Trial(12, {"x": 0.1, "y": 0.1}, metric, 0.4, True, ())]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw_sweep(tmp_path / name, Task.EYES, shown, best_of(shown), synthetic=True)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["history.png", "importance.png"]
    for plot in (tmp_path / "a").iterdir():
        assert plot.read_bytes() == (tmp_path / "b" / plot.name).read_bytes()
        assert np.std(np.asarray(cv2.imread(str(plot)))) > 5


def test_no_trials_draw_nothing(tmp_path):
    draw_sweep(tmp_path, Task.EYES, [], None, synthetic=False)
    assert list(tmp_path.iterdir()) == []
