"""Clips against single frames, species by species."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from facegate.evaluation.liveness import against_static
from facegate.evaluation.pages import clip_gains
from facegate.evaluation.tables import Presentations

SPECIES = ("bona_fide", "mask_rigid", "print")


def clips(people=30):
    """A live clip, a mask and a print of each; the clip model parts live people from masks, and not from prints."""
    rng = np.random.default_rng(4)
    species = np.array(people * SPECIES, object)
    subjects = np.repeat([f"s{n}" for n in range(people)], len(SPECIES)).astype(object)
    live = (species != "mask_rigid").astype(float)
    scores = (live + rng.normal(0, 0.3, species.size)).astype(np.float32)
    return Presentations(np.arange(species.size).astype(str).astype(object), subjects, species, scores)


def test_each_species_is_held_against_the_live_clips_alone(evaluate_params):
    shown = clips()
    static = np.random.default_rng(5).normal(0, 1, shown.scores.size).astype(np.float32)
    found = against_static(shown, static, evaluate_params)
    assert set(found) == {"all", "mask_rigid", "print"}
    for name in found:
        rows = np.isin(shown.species, SPECIES if name == "all" else ("bona_fide", name))
        genuine = shown.species[rows] == "bona_fide"
        assert found[name]["a"] == pytest.approx(1 - roc_auc_score(genuine, static[rows]), abs=1e-6)
        assert found[name]["b"] == pytest.approx(1 - roc_auc_score(genuine, shown.scores[rows]), abs=1e-6)
    assert found["mask_rigid"]["verdict"] == "B is better"
    assert found["print"]["verdict"] == "no difference shown"


def test_a_clip_model_that_only_averages_gains_nothing(evaluate_params):
    shown = clips()
    for one in against_static(shown, shown.scores, evaluate_params).values():
        assert (one["difference"], one["low"], one["high"]) == (0, 0, 0)


def test_the_page_shows_what_clips_gain_with_its_sign(evaluate_params):
    shown = clips()
    found = against_static(
        shown, np.random.default_rng(5).normal(0, 1, 90).astype(np.float32), evaluate_params
    )
    rows = {name: (gain, verdict) for name, gain, _, verdict in clip_gains(found).rows}
    gain = found["mask_rigid"]["a"] - found["mask_rigid"]["b"]
    assert rows["mask_rigid"][0].startswith(f"{gain:+.4f} (+") and gain > 0
    assert rows["mask_rigid"][1] == "the clip model is better"
    assert rows["print"][1] == "no difference shown"
