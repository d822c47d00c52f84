import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.synthesis.shortcuts import TRIVIAL_NAMES, trivial_auc, trivial_features


def value(name: str, picture: np.ndarray, box=(16, 16, 32, 32)) -> float:
    return float(trivial_features(picture, box)[TRIVIAL_NAMES.index(name)])


def noise(scale: float, mean: float = 120.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(mean, scale, (64, 64, 3)), 0, 255).astype(np.uint8)


def test_features_have_a_value_for_each_name():
    assert trivial_features(noise(9), (0, 0, 64, 64)).shape == (len(TRIVIAL_NAMES),)


def test_features_say_what_they_are_called():
    flat = np.full((64, 64, 3), 100, np.uint8)
    red = flat.copy()
    red[..., 0] = 200
    assert value("sharpness", noise(20)) > value("sharpness", noise(5)) > value("sharpness", flat) == 0
    assert value("brightness", flat) == 100
    assert value("contrast", noise(20)) > value("contrast", noise(5))
    assert value("saturation", red) == pytest.approx(127.5, abs=1)
    assert value("red_blue", red) == pytest.approx(np.log(2))
    assert value("green", flat) == 0
    assert value("bytes", noise(20)) > value("bytes", flat)
    assert value("dark", noise(20)) < value("light", noise(20))


def test_place_and_size_are_relative_to_the_picture():
    picture = np.zeros((100, 200, 3), np.uint8)
    assert value("face_x", picture, (50, 20, 100, 50)) == 0.5
    assert value("face_y", picture, (50, 20, 100, 50)) == pytest.approx(0.45)
    assert value("face_size", picture, (50, 20, 100, 50)) == 0.5


def test_a_box_outside_the_picture_is_no_error():
    assert np.isfinite(trivial_features(noise(9), (-50, -50, 20, 20))).all()


def test_auc_finds_a_leak_and_only_that():
    rng = np.random.default_rng(1)
    n = 400
    features = rng.normal(size=(3 * n, 4))
    species = np.repeat(["bona_fide", "print", "replay_phone"], n)
    features[species == "print", 2] += 2.0
    subjects = np.tile(np.arange(40), 30).astype(str)
    result = trivial_auc(features, species, subjects)
    assert set(result) == {"print", "replay_phone"}
    assert result["print"].auc == pytest.approx(0.921, abs=0.02)  # Φ(2 / √2)
    assert result["replay_phone"].auc == pytest.approx(0.5, abs=0.06)
    assert result["print"].low < result["print"].auc < result["print"].high
    assert (result["print"].attacks, result["print"].bona_fide) == (n, n)


def test_a_leak_within_one_subject_does_not_count():
    """Features that name the subject alone are worth nothing on unseen subjects."""
    rng = np.random.default_rng(2)
    subjects = np.repeat(np.arange(30), 10)
    features = rng.normal(size=(30, 3))[subjects]
    species = np.where(rng.random(300) < 0.5, "bona_fide", "print")
    assert trivial_auc(features, species, subjects.astype(str))["print"].auc < 0.65


@pytest.mark.parametrize(
    ("species", "subjects"),
    [(["print"] * 10, range(10)), (["bona_fide"] * 10, range(10)), (["print", "bona_fide"] * 5, [0] * 10)],
)
def test_what_cannot_be_measured_is_refused(species, subjects):
    with pytest.raises(NotMeasurableError):
        trivial_auc(np.zeros((10, 2)), species, [str(s) for s in subjects])
