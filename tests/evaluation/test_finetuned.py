"""Before and after fine-tuning, on embeddings that are made up."""

import numpy as np
import pytest

from facegate.evaluation.finetuned import Faces, before_and_after, lines, verdict
from facegate.metrics.verification import eer, error_curves, split_comparisons
from facegate.params import EvaluateParams

PARAMS = EvaluateParams(bootstrap=200)


def faces(seed: int, people: int, pictures: int, before: float, after: float, who: str = "p") -> Faces:
    """Pictures of people; the noise about each is `before` and `after`."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(people, 16)), pictures, axis=0)
    noise = rng.normal(size=centres.shape)
    subjects = np.array([f"{who}{n}" for n in range(people) for _ in range(pictures)])
    sides = [centres + spread * noise for spread in (before, after)]
    first, second = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
    return Faces(subjects, first, second)


def compared(own: tuple[float, float], others: tuple[float, float], pictures: int = 4, people: int = 8):
    """Learned and held-out pictures of the same people, and two sets of strangers."""
    whole = faces(1, people, 2 * pictures, *own)
    learned, held = (Faces(whole.subjects[k::2], whole.before[k::2], whole.after[k::2]) for k in (0, 1))
    validation, strangers = (faces(seed, 16, 4, *others, who=f"s{seed}-") for seed in (2, 3))
    return before_and_after(learned, held, validation, strangers, PARAMS), held


def test_a_gain_of_the_people_is_seen_and_strangers_are_as_they_were():
    found, held = compared((1.0, 0.4), (0.7, 0.7))
    assert verdict(found) == (True, False)
    assert found["held_out"]["eer"]["high"] < 0
    assert found["strangers"]["eer"]["difference"] == 0
    probe, reference = np.triu_indices(len(held.subjects), 1)
    mated = held.subjects[probe] == held.subjects[reference]
    scores = (held.after @ held.after.T)[probe, reference]
    expected = eer(error_curves(*split_comparisons(scores, mated))).value
    assert found["held_out"]["eer"]["after"]["value"] == pytest.approx(expected, rel=1e-5)
    assert found["at_the_door"]["fmr"]["after"]["trials"] == 64 * 8


def test_strangers_that_lose_are_seen():
    found, _ = compared((1.0, 0.4), (0.5, 1.5))
    assert verdict(found) == (True, True)


def test_no_change_is_no_gain():
    found, _ = compared((0.8, 0.8), (0.7, 0.7))
    assert verdict(found) == (False, False)
    assert found["enrolled"]["eer"]["p_value"] == 1


def test_with_one_held_out_picture_each_the_enrolled_ones_decide():
    found, _ = compared((1.2, 0.4), (0.7, 0.7), pictures=1)
    assert "held_out" not in found
    assert verdict(found)[0]
    assert len(lines(found)) == 4


def test_of_two_people_no_interval_is_known():
    found, _ = compared((2.5, 1.0), (0.7, 0.7), people=2)
    rate = found["held_out"]["eer"]
    assert (rate["low"], rate["high"], rate["before"]["low"], rate["before"]["high"]) == (-1, 1, 0, 1)
    assert rate["difference"] == pytest.approx(rate["after"]["value"] - rate["before"]["value"], abs=1e-5)
