import cv2
import numpy as np
import pytest

from facegate.metrics.intervals import exact_rate
from facegate.metrics.verification import error_curves
from facegate.reporting import plots

RATES = {"print": exact_rate(3, 50), "mask_rigid": exact_rate(0, 50), "makeup": exact_rate(0, 0)}


def det(path):
    rng = np.random.default_rng(0)
    curves = {"a": error_curves(rng.normal(2, 1, 500), rng.normal(0, 1, 5000))}
    plots.det(path, curves, {"fmr_1e-2": (0.01, 0.3), "none": (0.0, 0.1)}, ("FMR", "FNMR"), True)


def perfect_det(path):
    plots.det(path, {"a": error_curves([1.0, 2.0], [0.0])}, {}, ("FMR", "FNMR"), False)


def histograms(path):
    plots.histograms(path, {"mated": [0.5, 0.6], "non-mated": [0.1, 0.1]}, {"eer": 0.3}, "cosine", True)


def constant_histogram(path):
    plots.histograms(path, {"mated": [0.5], "non-mated": [0.5]}, {}, "cosine", True)


def species(path):
    plots.species_bars(path, RATES, exact_rate(4, 100), "bpcer_5", True)


def slices(path):
    plots.slices(path, {"sex": {"female": exact_rate(1, 9), "male": exact_rate(0, 9)}}, 0.05, "FNMR", True)


def reliability(path):
    plots.reliability(path, {"logistic": (np.array([0.1, 0.9]), np.array([0.2, 0.8]))}, True)


def robustness(path):
    points = [
        {"strength": s, "fnmr": exact_rate(k, 9).model_dump(), "fmr": exact_rate(0, 9).model_dump()}
        for k, s in enumerate((0.0, 1.0))
    ]
    plots.robustness(path, {"blur": points}, ("fnmr", "fmr"), True)


@pytest.mark.parametrize(
    "draw", [det, perfect_det, histograms, constant_histogram, species, slices, reliability, robustness]
)
def test_plots_are_pictures_that_come_out_the_same(draw, tmp_path):
    draw(tmp_path / "a" / "plot.png")
    draw(tmp_path / "b" / "plot.png")
    data = (tmp_path / "a" / "plot.png").read_bytes()
    assert data == (tmp_path / "b" / "plot.png").read_bytes()
    picture = cv2.imread(str(tmp_path / "a" / "plot.png"))
    assert picture is not None
    assert picture.shape[1] >= 500
    assert picture.std() > 5
    assert len(data) <= 150_000
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["plot.png"]
