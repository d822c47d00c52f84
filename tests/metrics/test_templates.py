import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.metrics.identification import fuse_templates
from facegate.metrics.templates import template_scores


def test_scores_are_those_of_the_fused_embeddings():
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(9, 6))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    members = [np.array([0, 1, 2]), np.array([3]), np.array([4, 5])]
    probes = np.array([6, 7, 8])
    fused, _ = fuse_templates(unit[:6], [0, 0, 0, 1, 2, 2])
    np.testing.assert_allclose(
        template_scores(unit @ unit.T, probes, members), unit[probes] @ fused.T, atol=1e-12
    )


def test_a_template_of_one_picture_is_that_picture():
    scores = np.array([[1.0, 0.25], [0.25, 1.0]])
    assert template_scores(scores, np.array([0]), [np.array([1])]).item() == 0.25


def test_pictures_that_cancel_are_refused():
    scores = np.array([[1.0, -1.0], [-1.0, 1.0]])
    with pytest.raises(NotMeasurableError, match="cancel"):
        template_scores(scores, np.array([0]), [np.array([0, 1])])
