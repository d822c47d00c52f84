from pathlib import Path

import cv2
import numpy as np

from facegate.benchmark.plots import (
    accuracy_against_latency,
    latency_distributions,
    slowest_layers,
    step_bars,
)


def test_plots_are_pictures_that_differ_with_their_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = {"fp32": rng.lognormal(-6, 0.2, 99), "int8": rng.lognormal(-7, 0.2, 99)}
    latency_distributions(tmp_path / "a.png", times, "a")
    latency_distributions(tmp_path / "b.png", {"fp32": times["fp32"]}, "a")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    for path in tmp_path.glob("*.png"):
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.std() > 5


def test_plots_come_out_the_same_again(tmp_path: Path) -> None:
    layers = [{"node": "conv_token_1", "operator": "QLinearConv", "us": 20.0, "share": 0.4}]
    points = {"fp32": (1.0, 0.05), "int8": (0.5, 0.051)}
    steps = {"1": {"detect": 8.0, "match": 0.1}}
    for name in ("first", "second"):
        slowest_layers(tmp_path / name / "layers.png", layers, "layers")
        accuracy_against_latency(tmp_path / name / "accuracy.png", points, "EER", "accuracy", True)
        step_bars(tmp_path / name / "steps.png", steps, "steps")
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
