"""Augmentation recipes; the only module that knows albumentations, so that another library could replace it.

Albumentations 2.0.8 is archived and has three traps, each met here: it looks for updates at import, global
seeds and worker processes leave every worker with the same random numbers, and ``set_random_seed`` gives all
transforms of a recipe the *same* stream, so that they fire together. Here every batch hands its own generator
to all transforms in turn: what a batch looks like depends on its generator alone.
"""

import os
import random
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # read at import: no request to a package index

import albumentations as alb

from facegate.contracts import Task
from facegate.datasets import effects
from facegate.datasets.effects import Picture

Recipe = list[alb.BasicTransform | alb.BaseCompose]


class Effect(alb.ImageOnlyTransform):
    """A function of (picture, generator) as a transform.

    Args:
        function: what to do.
        p: probability of doing it.
    """

    def __init__(self, function: Callable[[Picture, np.random.Generator], Picture], p: float) -> None:
        super().__init__(p=p)
        self.function = function

    def apply(self, img: Picture, **_: object) -> Picture:
        """Apply the function with the recipe's generator."""
        return self.function(img, self.random_generator)


def _jitter(scale: float, rotate: float, move: float, p: float = 1.0) -> Effect:
    return Effect(partial(effects.jitter, scale=scale, rotate=rotate, move=move), p)


def _weak_recognition() -> Recipe:
    return [_jitter(0.02, 1, 0.007), Effect(effects.tone, 0.5), alb.ToGray(p=0.2)]


def _strong_recognition() -> Recipe:
    return [
        _jitter(0.05, 3, 0.02),
        Effect(effects.tight_crop, 0.3),
        Effect(effects.glasses, 0.12),
        Effect(effects.occluder, 0.2),
        alb.GaussianBlur(blur_limit=0, sigma_limit=(0.4, 1.6), p=0.25),
        Effect(effects.low_resolution, 0.45),
        Effect(effects.tone, 0.8),
        Effect(effects.light_gradient, 0.3),
        Effect(effects.noise, 0.3),
        alb.ToGray(p=0.6),
        alb.ImageCompression(quality_range=(20, 90), p=0.25),
    ]


def _weak_spoof() -> Recipe:
    return [alb.HorizontalFlip(p=0.5), Effect(effects.tone, 0.5)]


def _strong_spoof() -> Recipe:
    """Colour, light and framing vary; what would wipe out the traces of the medium stays rare and mild."""
    return [
        alb.HorizontalFlip(p=0.5),
        _jitter(0.04, 4, 0.02, 0.5),
        alb.ToGray(p=0.1),
        alb.HueSaturationValue(hue_shift_limit=8, sat_shift_limit=60, val_shift_limit=0, p=0.5),
        Effect(effects.tone, 0.8),
        Effect(effects.light_gradient, 0.2),
        Effect(effects.occluder, 0.15),
        alb.ImageCompression(quality_range=(60, 95), p=0.2),
    ]


_RECIPES = {
    Task.RECOGNITION: (_weak_recognition, _strong_recognition),
    Task.SPOOF: (_weak_spoof, _strong_spoof),
}


class Augmenter:
    """A weak and a strong recipe; each picture goes through one of them.

    Args:
        task: recognition or spoof.

    Raises:
        UserWarning: the installed albumentations does not know an argument of a recipe (it would ignore it).
    """

    def __init__(self, task: Task) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=r"Argument\(s\).*not valid")
            self.weak, self.strong = (alb.Compose(recipe()) for recipe in _RECIPES[task])

    def __call__(self, images: Picture, rng: np.random.Generator, strength: float) -> Picture:
        """Augment a batch.

        Args:
            images: RGB of shape (N, H, W, 3).
            rng: the only source of chance.
            strength: share of pictures that get the strong recipe, 0 to 1.

        Returns:
            New pictures of the same shape.
        """
        shared = random.Random(int(rng.integers(2**63)))
        for recipe in (self.weak, self.strong):
            recipe.set_random_state(rng, shared)
        strong = rng.random(len(images)) < strength
        done = [
            (self.strong if hard else self.weak)(image=image)["image"]
            for image, hard in zip(images, strong, strict=True)
        ]
        return np.stack(done)
