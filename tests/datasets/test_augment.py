import os
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.contracts import Task
from facegate.datasets import effects
from facegate.datasets.augment import Augmenter

PICTURE = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
PICTURES = np.repeat(PICTURE[None], 24, 0)
EFFECTS = [
    effects.noise,
    effects.nudge,
    effects.light_gradient,
    effects.tone,
    effects.low_resolution,
    effects.glasses,
    effects.occluder,
    effects.tight_crop,
    lambda picture, rng: effects.jitter(picture, rng, 0.05, 3, 0.02),
    lambda picture, rng: effects.other_identity(picture, int(rng.integers(99))),
]


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_batch_depends_on_its_generator_alone(task, strength):
    first = Augmenter(task)
    again = first(PICTURES, np.random.default_rng(1), strength)
    first(PICTURES, np.random.default_rng(2), strength)
    assert np.array_equal(first(PICTURES, np.random.default_rng(1), strength), again)
    assert np.array_equal(Augmenter(task)(PICTURES, np.random.default_rng(1), strength), again)
    assert not np.array_equal(first(PICTURES, np.random.default_rng(3), strength), again)


def test_pictures_of_a_batch_differ_and_the_argument_stays():
    before = PICTURES.copy()
    done = Augmenter(Task.RECOGNITION)(PICTURES, np.random.default_rng(0), 1.0)
    assert done.shape == PICTURES.shape
    assert done.dtype == np.uint8
    assert len({picture.tobytes() for picture in done}) == len(done)
    assert np.array_equal(PICTURES, before)


def test_transforms_fire_independently():
    """Seeding every transform alike, as the library does, makes rare ones fire only together with frequent ones."""
    augment = Augmenter(Task.RECOGNITION)
    fired: dict[Any, set[int]] = {effects.low_resolution: set(), effects.noise: set()}
    transforms: list[Any] = list(augment.strong.transforms)
    for transform in transforms:
        if (function := getattr(transform, "function", None)) in fired:
            transform.function = lambda picture, rng, name=function: fired[name].add(step) or picture
    for step in range(400):
        augment(PICTURES[:1], np.random.default_rng(step), 1.0)
    low, noisy = fired.values()
    assert len(low) / 400 == pytest.approx(0.45, abs=0.1)
    assert len(low & noisy) / len(noisy) == pytest.approx(0.45, abs=0.15)


@pytest.mark.parametrize("effect", EFFECTS)
def test_effects_are_pure(effect):
    before = PICTURE.copy()
    changed = 0
    for seed in range(10):
        one, two = (effect(PICTURE, np.random.default_rng(seed)) for _ in range(2))
        assert one.shape == PICTURE.shape
        assert one.dtype == np.uint8
        assert np.array_equal(one, two)
        changed += not np.array_equal(one, PICTURE)
    assert changed >= 5
    assert np.array_equal(PICTURE, before)


def test_another_identity_is_the_same_for_every_picture_and_close_to_it():
    ramp = np.tile(np.arange(0, 224, 2, dtype=np.uint8)[None, :, None], (112, 1, 3))
    warped = effects.other_identity(ramp, 5)
    assert np.array_equal(warped, effects.other_identity(ramp, 5))
    assert not np.array_equal(warped, effects.other_identity(ramp, 6))
    assert np.abs(warped.astype(int) - ramp.astype(int)).max() < 2 * 20  # within 20 pixels


def test_import_asks_no_package_index():
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('asked the network')\n"
        "socket.getaddrinfo = refuse\n"
        "import facegate.datasets.augment\n"
        "print('quiet')"
    )
    clean = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "quiet"


def test_a_nudged_picture_is_nearly_the_same():
    smooth = np.asarray(cv2.resize(PICTURE[:7, :7], (112, 112), interpolation=cv2.INTER_CUBIC), np.uint8)
    nudged = [effects.nudge(smooth, np.random.default_rng(seed)) for seed in range(40)]
    alike = [
        max(np.corrcoef(part.ravel(), side.ravel())[0, 1] for side in (smooth, smooth[:, ::-1]))
        for part in nudged
    ]
    assert min(alike) > 0.9
    assert len({part.tobytes() for part in nudged}) == len(nudged)


def test_half_of_the_pictures_are_mirrored():
    seen = [effects.mirror(PICTURE, np.random.default_rng(seed)) for seed in range(200)]
    turned = [np.array_equal(picture, PICTURE[:, ::-1]) for picture in seen]
    assert all(turn or np.array_equal(picture, PICTURE) for turn, picture in zip(turned, seen, strict=True))
    assert 70 < sum(turned) < 130
