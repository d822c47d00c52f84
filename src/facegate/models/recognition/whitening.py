"""Embeddings stretched so that no direction weighs more only because pictures of one person differ in it.

A student learns from a teacher, never from who is who, and what light, pose and a bad camera do to its answers stays as
large as they make it. How pictures of one person differ is known of rendered people, and what a camera does of any picture;
made equally large in every direction, it hides least of what tells people apart.

Paper: Hatch, Kajarekar and Stolcke, *Within-class covariance normalization for SVM-based speaker recognition*,
Interspeech 2006.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]

RENDERED = 0.3
"""Weight of what rendered pictures of one person differ in, beside what bad cameras do to a picture. By the former alone
real strangers come nearer to each other than thresholds from rendered people allow; the latter is true of any picture."""


def nuisance(seen: Numbers, spoilt: Numbers, people: NDArray[np.integer]) -> NDArray[np.float64]:
    """Covariance of what embeddings differ in while the person is the same.

    Args:
        seen: of pictures, shape (N, D).
        spoilt: of the same as bad cameras show them.
        people: number of the person on each, shape (N,).

    Returns:
        Shape (D, D), trace 1.
    """
    rendered = within(seen, people)
    camera = within(np.concatenate([seen, spoilt]), np.tile(np.arange(len(seen)), 2))
    return RENDERED * rendered / np.trace(rendered) + (1 - RENDERED) * camera / np.trace(camera)


def within(embeddings: Numbers, groups: NDArray[np.integer]) -> NDArray[np.float64]:
    """Covariance of what embeddings differ in from the mean of their group.

    Args:
        embeddings: shape (N, D).
        groups: number of the group of each, 0 and up, shape (N,).

    Returns:
        Shape (D, D).
    """
    exact = embeddings.astype(np.float64)
    sums = np.zeros((int(groups.max()) + 1, exact.shape[1]))
    np.add.at(sums, groups, exact)
    apart = exact - (sums / np.maximum(np.bincount(groups), 1)[:, None])[groups]
    return apart.T @ apart / len(apart)


def whitening(covariance: Numbers, share: float) -> NDArray[np.float64]:
    """The matrix that makes a covariance equally large in every direction.

    Args:
        covariance: shape (D, D).
        share: 1 for the whole of it; the less, the more is added of what is equally large already. 0 leaves all as it is.

    Returns:
        Symmetric, shape (D, D); embeddings, as rows, are multiplied by it.
    """
    width = len(covariance)
    drawn = share * covariance + (1 - share) * np.trace(covariance) / width * np.eye(width)
    values, axes = np.linalg.eigh(drawn)
    return (axes / np.sqrt(values)) @ axes.T * np.sqrt(values.mean())
