import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from facegate.errors import NotMeasurableError
from facegate.metrics import ranking as r
from facegate.metrics.bootstrap import resample


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=50))
def test_auc_agrees_with_scikit_learn(rows):
    scores, labels = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(labels)) == 2:
        assert r.auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    else:
        with pytest.raises(NotMeasurableError):
            r.auc(scores, labels)


@pytest.mark.parametrize("decimals", [1, 8])
def test_resampled_aucs_equal_those_of_repeated_people(decimals):
    rng = np.random.default_rng(0)
    people, labels = rng.integers(0, 10, 3000), rng.random(3000) < 0.4
    scores = (rng.normal(size=3000) + labels).round(decimals)
    draws = resample(people, 20, 1)
    for weights, got in zip(draws.weights, r.resampled_aucs(draws, scores, labels, people), strict=True):
        expected = roc_auc_score(labels, scores, sample_weight=weights[people])
        assert got == pytest.approx(expected, abs=1e-4 if decimals == 8 else 1e-9)


def test_a_resample_of_one_kind_has_no_auc():
    draws = resample([0, 1], 50, 0)
    values = r.resampled_aucs(draws, [0.1, 0.9], [False, True], [0, 1])
    one_kind = (draws.weights == 0).any(axis=1)
    np.testing.assert_array_equal(np.isnan(values), one_kind)
