"""A score that judges colour is found out, within each class, whatever the classes' own difference."""

import numpy as np
import pytest

from facegate.contracts import Split
from facegate.evaluation.cues import CUES, correlation, cue_correlations, cue_figure, cue_table, picture_cues
from facegate.evaluation.tables import Presentations, presentations


def picture(brightness=120, noise=0, red=0):
    rng = np.random.default_rng(2)
    image = np.full((48, 48, 3), brightness, float) + rng.normal(0, noise or 1e-9, (48, 48, 1))
    image[..., 0] += red
    return np.clip(image, 0, 255).astype(np.uint8)


def test_each_cue_follows_what_it_is_named_after():
    plain = picture_cues(picture())
    for cue, other in (
        ("brightness", picture(160)),
        ("sharpness", picture(noise=20)),
        ("saturation", picture(red=60)),
    ):
        assert picture_cues(other)[CUES.index(cue)] > plain[CUES.index(cue)] + 1
    assert CUES.index("sharpness") != np.argmax(np.abs(picture_cues(picture(160)) - plain))


def part(scores, classes):
    names = np.array([f"s{k}" for k in range(scores.size)], object)
    people = np.array([f"p{k % 20}" for k in range(scores.size)], object)
    return Presentations(names, people, np.array(classes, object), scores.astype(np.float32))


def test_a_score_that_follows_saturation_within_attacks_alone_is_found(evaluate_params):
    rng = np.random.default_rng(1)
    classes = ["bona_fide"] * 100 + ["print"] * 100
    values = rng.normal(size=(200, len(CUES)))
    scores = rng.normal(size=200) + 50 * (np.arange(200) < 100)
    scores[100:] = values[100:, CUES.index("saturation")]
    cues = {f"s{k}": row.astype(np.float32) for k, row in enumerate(values)}
    found = cue_correlations(part(scores, classes), cues, evaluate_params)
    assert found["attack"]["saturation"]["value"] == pytest.approx(1.0)
    assert abs(found["bona_fide"]["saturation"]["value"]) < 0.3
    for cue in ("sharpness", "brightness"):
        figure = found["attack"][cue]
        assert figure["low"] < figure["value"] < figure["high"]
        assert (figure["presentations"], figure["people"]) == (100, 20)


def test_what_cannot_be_measured_says_so(evaluate_params, tmp_path):
    cues = {f"s{k}": np.array([k, k, k], np.float32) for k in range(4)}
    found = cue_correlations(part(np.ones(4), ["bona_fide"] * 4), cues, evaluate_params)
    assert "vary" in found["bona_fide"]["sharpness"]["note"]
    assert "note" in found["attack"]["sharpness"]
    cue_figure(tmp_path / "cues.png", found, synthetic=True)
    assert (tmp_path / "cues.png").is_file()


def test_brightness_itself_is_found_out_on_a_pack(attack_pack, attack_table, evaluate_params):
    test = presentations(attack_table, Split.TEST)
    found = cue_correlations(test, cue_table(attack_pack, Split.TEST), evaluate_params)
    for kind in ("bona_fide", "attack"):
        assert found[kind]["brightness"]["value"] > 0.95
    assert correlation({"value": 0.5, "low": -0.25, "high": 0.75}) == "+0.50 (-0.25 to +0.75)"
