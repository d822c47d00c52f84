import pytest

from facegate.contracts import Task
from facegate.errors import NotMeasurableError
from facegate.evaluation.compare_files import compare_files
from facegate.evaluation.scores import write_scores
from tests.evaluation.small_bundles import contract
from tests.evaluation.small_sets import Brightness, Faces


def test_two_files_of_one_task_are_compared(face_pack, attack_pack, tmp_path, evaluate_params):
    faces, attacks = tmp_path / "faces.parquet", tmp_path / "attacks.parquet"
    write_scores(Faces(), contract(Task.RECOGNITION, "fp32"), face_pack.path, faces)
    write_scores(Brightness(), contract(Task.SPOOF, "fp32"), attack_pack.path, attacks)
    same = compare_files(faces, faces, evaluate_params)
    assert (same["task"], same["operating_point"], same["synthetic"]) == ("recognition", "fmr_1e-2", True)
    assert same["eer"]["verdict"] == "no difference shown"
    assert compare_files(attacks, attacks, evaluate_params)["operating_point"] == "bpcer_5"
    with pytest.raises(NotMeasurableError, match="one task"):
        compare_files(faces, attacks, evaluate_params)
