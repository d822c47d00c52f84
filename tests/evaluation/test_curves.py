import csv

import numpy as np
import pytest

from facegate.contracts import Split, Task
from facegate.evaluation.curves import write_curves
from facegate.evaluation.tables import comparisons, presentations
from facegate.metrics.pad import pad_rates


def read(path):
    with path.open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_recognition_curves_are_the_rates_at_each_threshold(face_table, tmp_path):
    write_curves(tmp_path / "errors.csv", Task.RECOGNITION, face_table)
    test = comparisons(face_table, Split.TEST)
    rows = read(tmp_path / "errors.csv")
    assert len(rows) == 200
    middle = rows[100]
    assert middle["fmr"] == pytest.approx(np.mean(test.scores[~test.mated] >= middle["threshold"]), abs=2e-3)
    assert middle["fnmr"] == pytest.approx(np.mean(test.scores[test.mated] < middle["threshold"]), abs=2e-2)
    assert (rows[0]["fmr"], rows[0]["fnmr"]) == (1.0, 0.0)


def test_spoof_curves_name_the_worst(attack_table, tmp_path):
    write_curves(tmp_path / "errors.csv", Task.SPOOF, attack_table)
    test = presentations(attack_table, Split.TEST)
    for row in read(tmp_path / "errors.csv")[::25]:
        rates = pad_rates(test.scores, test.species, row["threshold"])
        assert row["worst_apcer"] == max(row["apcer_print"], row["apcer_replay_phone"])
        assert row["bpcer"] == pytest.approx(rates.bpcer.value, abs=0.03)
