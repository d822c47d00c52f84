from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegate.models.learner import schedule
from facegate.models.recognition.loss import RecognitionLoss, distil_loss, margin_at, pair_loss


def test_pair_loss_against_numpy():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(6, 5)).astype(np.float32)
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    logits = 16 * (unit[0::2] @ unit[1::2].T - 0.15 * np.eye(3))

    def entropy(table):
        return np.mean(np.log(np.exp(table).sum(1)) - np.diag(table))

    expected = (entropy(logits) + entropy(logits.T)) / 2
    assert float(pair_loss(torch.from_numpy(raw), 2)) == pytest.approx(expected, rel=1e-5)


def test_pair_loss_of_three_pictures_is_the_mean_over_neighbours():
    raw = torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(1))
    neighbours = [pair_loss(raw[:, view : view + 2].flatten(0, 1), 2) for view in (0, 1)]
    assert float(pair_loss(raw.flatten(0, 1), 3)) == pytest.approx(float(sum(neighbours)) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", ["cosface", "arcface"])
def test_margin_loss_against_its_formula(kind):
    torch.manual_seed(0)
    loss = RecognitionLoss(kind, 4, 8, margin=0.3, scale=24.0, margin_weight=1.0, pair_weight=0.0)
    embeddings, labels = torch.randn(6, 8), torch.tensor([0, 0, 1, 1, 3, 3])
    weights = loss.margin_loss.W.detach()
    cosine = torch.nn.functional.normalize(embeddings) @ torch.nn.functional.normalize(weights, dim=0)
    own = cosine[torch.arange(6), labels]
    moved = own - 0.3 if kind == "cosface" else torch.cos(torch.acos(own) + 0.3)
    cosine[torch.arange(6), labels] = moved
    expected = torch.nn.functional.cross_entropy(24 * cosine, labels)
    assert loss(embeddings, labels, 2, progress=1.0).item() == pytest.approx(float(expected), rel=1e-4)


def test_margin_ramp():
    assert [margin_at(p, 0.3) for p in (0, 0.3, 0.5, 0.7, 1)] == pytest.approx([0, 0, 0.15, 0.3, 0.3])


@given(st.integers(1, 500), st.floats(0, 1))
def test_schedule_rises_then_falls_within_one(total, warmup):
    factors = [schedule(step, total, warmup) for step in range(total)]
    peak = int(np.argmax(factors))
    assert all(0 <= factor <= 1 for factor in factors)
    assert all(a <= b for a, b in pairwise(factors[: peak + 1]))
    assert all(a >= b for a, b in pairwise(factors[peak:]))


def unit(rows, columns, seed):
    return torch.nn.functional.normalize(
        torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    )


def test_distil_loss_against_numpy():
    raw, target, strangers = 3 * unit(5, 8, 1), unit(5, 8, 2), unit(9, 8, 4)
    centre, others = target.mean(0), torch.cat([target[2:4], strangers])  # two are of the batch itself
    mine, theirs, c, further = (
        t.numpy().astype(float) for t in (raw / raw.norm(dim=1, keepdim=True), target, centre, strangers)
    )
    aligned = np.mean(2 * (1 - (mine * theirs).sum(1)))
    gram = [(e - e.mean(0)) @ (e - e.mean(0)).T for e in (mine, theirs)]
    relation = np.mean((gram[0] - gram[1]) ** 2)
    a, b, f = ((e - c) / np.linalg.norm(e - c, axis=1, keepdims=True) for e in (mine, theirs, further))
    again = 16 * a @ b[2:4].T
    again[[2, 3], [0, 1]] = -np.inf
    logits = np.concatenate([16 * a @ b.T, again, 16 * a @ f.T], 1)
    contest = np.mean(np.log(np.exp(logits).sum(1)) - np.diag(logits))
    expected = aligned + 20 * relation + 0.5 * contest
    assert float(distil_loss(raw, target, centre, others, 20.0, 0.5)) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_student_loses_only_the_contest_with_lookalikes():
    target = unit(6, 8, 3)
    centre, others = target.mean(0), unit(3, 8, 4)
    assert float(distil_loss(5 * target, target, centre, others, 20.0, 0.0)) == pytest.approx(0, abs=1e-6)
    worse = target.roll(1, 0)
    assert distil_loss(target, target, centre, others, 20.0, 0.5) < distil_loss(
        worse, target, centre, others, 20.0, 0.5
    )
