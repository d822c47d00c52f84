import json

import numpy as np
import pytest

from facegate.evaluation.numbers import plain
from facegate.metrics.intervals import exact_rate
from facegate.metrics.slices import summarise


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.123456789, 0.123457),
        (1234567.8, 1234570.0),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([1.00000049, 2]), [1.0, 2.0]),
        (np.bool_(True), True),
        (None, None),
        ({"threshold": 0.12345678901234}, {"threshold": 0.12345678901234}),
        ({"a": {"b": (1e-9 / 3,)}}, {"a": {"b": [3.33333e-10]}}),
    ],
)
def test_plain(value, expected):
    assert plain(value) == expected


def test_rates_and_reports_become_json():
    found = plain(summarise({"a": exact_rate(1, 3)}, 0.1))
    assert json.loads(json.dumps(found))["rates"]["a"]["value"] == 0.333333
    assert found["verdict"] == "undecided"
