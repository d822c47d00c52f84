import math

import numpy as np
import pytest
import torch

from facegate.models.recognition.margins import NEGATIVE_COSINE, AdaFaceLoss, build_margin_loss

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def embeddings(seed=0, scale=1.0):
    return scale * torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "kind", ["arcface", "cosface", "subcenter_arcface", "adaface", "triplet", "contrastive"]
)
def test_every_loss_falls_when_it_is_followed(kind):
    torch.manual_seed(0)
    loss = build_margin_loss(kind, 3, 8, scale=16.0)
    loss.margin = 0.2
    points = embeddings().requires_grad_()
    optimiser = torch.optim.Adam([points, *loss.parameters()], lr=0.05)
    values = []
    for _ in range(60):
        value = loss(points, LABELS)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.5 * values[0]


def test_adaface_of_middling_quality_is_cosface():
    """At quality 0 the angle stays and the additive margin is m (equation 14)."""
    torch.manual_seed(1)
    ada, cos = AdaFaceLoss(3, 8, 16.0).eval(), build_margin_loss("cosface", 3, 8, scale=16.0)
    cos.W.data = ada.W.data.clone()
    ada.margin = cos.margin = 0.35
    points = torch.nn.functional.normalize(embeddings()) * float(ada.mean)
    assert ada(points, LABELS).item() == pytest.approx(cos(points, LABELS).item(), rel=1e-4)


@pytest.mark.parametrize(("length", "quality"), [(1.0, -1.0), (60.0, 1.0)])
def test_adaface_at_the_ends_of_quality(length, quality):
    """Quality 1: angle smaller by m, then minus 2 m; quality -1: angle larger by m, nothing else."""
    torch.manual_seed(1)
    loss = AdaFaceLoss(3, 8, 16.0).eval()
    loss.mean.fill_(20.0)
    loss.spread.fill_(1.0)
    loss.margin = 0.3
    points = torch.nn.functional.normalize(embeddings()) * length
    assert loss.quality(points) == pytest.approx(torch.full((6,), quality))
    cosine = (torch.nn.functional.normalize(points) @ loss.W).detach().numpy()
    rows, labels = np.arange(6), LABELS.numpy()
    angle = np.arccos(cosine[rows, labels]) - 0.3 * quality
    cosine[rows, labels] = np.cos(angle) - 0.3 * (1 + quality)
    logits = 16 * cosine
    expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[rows, labels])
    assert loss(points, LABELS).item() == pytest.approx(expected, rel=1e-4)


def test_adaface_remembers_lengths_in_training_only():
    loss = AdaFaceLoss(3, 8, 16.0)
    before = float(loss.mean)
    loss(embeddings(scale=50.0), LABELS)
    moved = float(loss.mean)
    assert moved != before
    loss.eval()(embeddings(scale=50.0), LABELS)
    assert float(loss.mean) == moved


def test_triplet_loss_against_its_formula():
    """Two people on the plane; every anchor sees one positive, and its hardest semi-hard negative."""
    loss = build_margin_loss("triplet", 0, 2, scale=1.0)
    loss.margin = 0.4
    angles = torch.tensor([0.0, 0.5, 1.2, 1.5])
    points = torch.stack([torch.cos(angles), torch.sin(angles)], 1)
    people = torch.tensor([0, 0, 1, 1])
    cosine = points @ points.T
    terms = []
    for anchor, positive in ((0, 1), (1, 0), (2, 3), (3, 2)):
        negatives = [
            n
            for n in range(4)
            if people[n] != people[anchor] and cosine[anchor, n] < cosine[anchor, positive]
        ]
        hardest = max(float(cosine[anchor, n]) for n in negatives)
        terms.append(max(0.0, hardest - float(cosine[anchor, positive]) + 0.4))
    above = [term for term in terms if term > 0]
    assert float(loss(points, people)) == pytest.approx(sum(above) / len(above), rel=1e-5)


def test_contrastive_loss_leaves_distant_strangers_alone():
    loss = build_margin_loss("contrastive", 0, 2, scale=1.0)
    angles = torch.tensor([0.0, 0.0, math.pi / 2, math.pi / 2])
    points = torch.stack([torch.cos(angles), torch.sin(angles)], 1)
    people = torch.tensor([0, 0, 1, 1])
    assert float(loss(points, people)) == pytest.approx(0, abs=1e-6)
    loss.margin = NEGATIVE_COSINE + 0.2
    assert float(loss(points, people)) == pytest.approx(0.2, abs=1e-5)
