"""Tasks beside the answer that a spoof network may learn by; none of them is exported."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.spoof.sharpness import LUMA

FINER = 4
"""Places of the depth that one place of the scene's map tells, each way."""
FACE = (0.28, 0.36)
"""Half axes of the face / side of the crop, which is 1.4 times the face box."""


def everywhere(judge: nn.Linear, maps: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """The answer of every place by itself: pixel-wise supervision.

    After George & Marcel, *Deep pixel-wise binary supervision for face presentation attack detection*, 2019,
    arXiv:1907.04047.

    Args:
        judge: from features to logits.
        maps: (N, features, h, w).
        classes: of each picture, (N,).

    Returns:
        Logits (N h w, C) and classes (N h w,).
    """
    logits = judge(maps.movedim(1, -1))
    return logits.flatten(0, 2), classes.repeat_interleave(logits[0, ..., 0].numel())


class Depth(nn.Module):
    """A face's depth from the scene's map; none of an attack, which is flat or no face.

    Nobody measured a depth: whatever is live counts as an ellipsoid in the middle of the crop, content that is no face
    too. After Liu, Jourabloo & Liu, *Learning deep models for face anti-spoofing: binary or auxiliary supervision*, 2018,
    arXiv:1803.11097, who fit a model of the face.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(features, FINER**2, 1), nn.PixelShuffle(FINER))

    def forward(self, maps: Tensor, live: Tensor) -> Tensor:
        """Mean squared error of the depth.

        Args:
            maps: of the scene, (N, features, h, w).
            live: whether each picture is bona fide, (N,).
        """
        told = self.head(maps).float()[:, 0]
        wanted = ellipsoid(told.shape[1], told.shape[2]).to(told)
        return functional.mse_loss(told, live.to(told)[:, None, None] * wanted)


def ellipsoid(height: int, width: int) -> Tensor:
    """Depth of a face in the middle of a crop, (height, width), 0 beside it and up to 1."""
    down = ((torch.arange(height) + 0.5) / height - 0.5) / FACE[1]
    across = ((torch.arange(width) + 0.5) / width - 0.5) / FACE[0]
    return (1 - down[:, None] ** 2 - across**2).clamp_min(0).sqrt()


class Fourier(nn.Module):
    """The spectrum of the native patch from the medium's map: what is periodic in it cannot be overlooked.

    As an auxiliary task of small networks: Minivision, *Silent-Face-Anti-Spoofing*, 2020.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(features, FINER**2, 1),
            nn.PixelShuffle(FINER),
        )

    def forward(self, maps: Tensor, patches: Tensor) -> Tensor:
        """Mean squared error of the spectrum.

        Args:
            maps: of the medium, (N, features, h, w).
            patches: what the medium's branch sees, (N, 3, H, W).
        """
        told = self.head(maps).float()[:, 0]
        return functional.mse_loss(told, spectrum(patches, (told.shape[1], told.shape[2])))


def spectrum(pictures: Tensor, shape: tuple[int, int]) -> Tensor:
    """Logarithm of the luma's amplitudes, the constant in the middle, averaged to fewer places.

    Args:
        pictures: (N, 3, H, W).
        shape: height and width of the result.

    Returns:
        (N, height, width), each of mean 0 and variance 1.
    """
    luma = torch.einsum("nchw,c->nhw", pictures.detach().float(), pictures.new_tensor(LUMA).float())
    amplitude = torch.fft.fftshift(torch.fft.fft2(luma), dim=(1, 2)).abs()
    small = functional.adaptive_avg_pool2d(torch.log1p(amplitude), shape)
    return (small - small.mean((1, 2), keepdim=True)) / small.std((1, 2), keepdim=True).clamp_min(1e-3)
