"""Whether answers follow how sharp a picture is, as a loss.

Re-capture blurs once more what a camera blurred, so blur is some evidence; but a network that leans on it takes live people
who look blurred for attacks. The squared correlation of answer and sharpness within a class, added to the loss, holds it
back.
"""

from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)
LEAST_VARIANCE = 0.01
LEAST = 3
"""Pictures of a class in a batch, below which a correlation says nothing."""


def sharpness(images: Tensor) -> Tensor:
    """Logarithm of the variance of the Laplacian, of the luma's middle three quarters: what evaluation calls sharpness.

    Args:
        images: normalised pictures (N, 3, H, W).

    Returns:
        Shape (N,), of whole grey levels, without a gradient.
    """
    height, width = images.shape[2:]
    middle = images.detach()[
        :, :, height // 8 : height - height // 8, width // 8 : width - width // 8
    ].float()
    red, green, blue = (128 * part for part in LUMA)
    luma = (middle[:, 0] * red).add_(middle[:, 1], alpha=green).add_(middle[:, 2], alpha=blue).round_()
    wide = functional.pad(luma, (1, 1, 1, 1), mode="reflect")
    edges = luma.mul_(-4)
    for part in (wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]):
        edges.add_(part)
    edges = edges.flatten(1)
    variance = edges.square().mean(1) - edges.mean(1).square()
    return variance.clamp_min(LEAST_VARIANCE).log()


def dependence(answers: Tensor, cue: Tensor, classes: Tensor) -> Tensor:
    """Sum over the classes of the squared correlation (Pearson's) of answers and a cue, 0 or more.

    Args:
        answers: shape (N,).
        cue: shape (N,).
        classes: whole numbers, shape (N,).
    """
    found = answers.new_zeros(())
    for kind in classes.unique():
        a, b = answers[classes == kind], cue[classes == kind]
        if len(a) >= LEAST:
            a, b = a - a.mean(), b - b.mean()
            found = found + (a @ b) ** 2 / ((a @ a) * (b @ b)).clamp_min(1e-12)
    return found
