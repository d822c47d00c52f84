import numpy as np
import pytest

from facegate.contracts import CROP_COLUMNS, Split
from facegate.datasets.pack import PackWriter, open_pack
from facegate.evaluation import turning
from facegate.evaluation.tables import comparisons, presentations
from facegate.faces.pose import MEAN_FACE
from tests.evaluation.small_sets import crop_row


def test_bands_hold_every_presentation_once(attack_table, evaluate_params):
    test = presentations(attack_table, Split.TEST)
    angle = {name: 15.0 * (k % 5) for k, name in enumerate(test.samples)}
    bands = turning.spoof_turning(test, angle, 0.5, evaluate_params)
    assert [band["low"] for band in bands] == [0.0, 10.0, 20.0, 30.0, 45.0]
    assert sum(band["bpcer"].trials for band in bands) == 40
    assert bands[1]["apcer"].trials == sum(
        angle[name] == 15.0 and species != "bona_fide"
        for name, species in zip(test.samples, test.species, strict=True)
    )


def test_one_picture_of_a_pair_is_frontal(face_table, evaluate_params):
    test = comparisons(face_table, Split.TEST)
    angle = {name: (0.0, 25.0)[k % 2] for k, name in enumerate(test.samples)}
    bands = turning.recognition_turning(test, angle, 0.5, evaluate_params)
    assert bands[0]["fnmr"].trials == 10 * 3  # two of six: three frontal pictures, three pairs of them
    assert bands[2]["fnmr"].trials == 10 * 9
    assert bands[4]["fmr"].trials == 0


def test_angles_are_the_data_sets_or_measured(face_pack, tmp_path):
    known, how = turning.angles(face_pack)
    assert how == turning.TRUE
    assert known["p01-0"] == pytest.approx(
        abs(face_pack.column("yaw")[face_pack.column("sample_id") == "p01-0"][0])
    )
    straight = (MEAN_FACE[:, :2] + 100).ravel().astype(float).tolist()
    row = crop_row("a", "p", "test", "bona_fide", np.zeros((32, 32, 3), np.uint8), np.random.default_rng(0))
    with PackWriter(tmp_path / "crops", CROP_COLUMNS) as writer:
        writer.write({**row, "landmarks": straight})
    measured, how = turning.angles(open_pack(tmp_path / "crops"))
    assert how == turning.MEASURED
    assert measured["a"] == pytest.approx(0, abs=1)
