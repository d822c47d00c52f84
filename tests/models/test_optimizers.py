"""Optimisers: a step of Muon against the singular vectors that it stands for, vectors by Adam, resumable."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.optim import muon as timm_muon
from torch import nn

from facegate.models.muon import orthogonal
from facegate.models.optimizers import build_optimizer
from facegate.params import OptimParams

RATE = 0.1


def recipe(optimizer: str) -> OptimParams:
    return OptimParams.model_validate(
        {"epochs": 1, "batch_size": 2, "optimizer": optimizer, "learning_rate": RATE, "weight_decay": 0.0}
    )


def one_step(weight: nn.Parameter, gradient: torch.Tensor, optimizer: str) -> torch.Tensor:
    before = weight.detach().clone()
    stepper = build_optimizer([{"params": [weight], "weight_decay": 0.0}], recipe(optimizer))
    weight.grad = gradient
    stepper.step()
    return before - weight.detach()


@pytest.mark.parametrize("shape", [(12, 20), (8, 4, 3, 3)])
def test_a_matrix_goes_along_its_singular_vectors_evenly(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    gradient = torch.randn(shape)
    step = one_step(nn.Parameter(torch.randn(shape)), gradient, "muon").flatten(1).numpy()
    u, sizes, v = np.linalg.svd(gradient.flatten(1).numpy(), full_matrices=False)
    assert sizes.max() / sizes.min() > 2  # what is levelled out
    levelled = np.linalg.svd(step, compute_uv=False)
    assert levelled.max() / levelled.min() < 1.8
    ideal = u @ v
    assert (step * ideal).sum() / np.linalg.norm(step) / np.linalg.norm(ideal) > 0.97


@settings(max_examples=40)
@given(
    high=st.integers(1, 24),
    wide=st.integers(1, 40),
    steps=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_small_matrices_lead_where_large_ones_do(high: int, wide: int, steps: int, seed: int) -> None:
    """The iteration as it is written, in 64 bits; squares with a singular value of nearly nothing differ most, by .007."""
    matrix = torch.randn((high, wide), generator=torch.Generator().manual_seed(seed))
    coefficients = timm_muon._COEFFICIENTS["quintic"]
    x = matrix.double() / matrix.double().norm()
    for step in range(steps):
        a, b, c = coefficients[min(step, 4)]
        x = a * x + (b * x @ x.mT + c * x @ x.mT @ x @ x.mT) @ x
    found = orthogonal(matrix, steps, coefficients)
    assert found.dtype is torch.float32
    assert (found - x).norm() < 0.02 * x.norm()


@pytest.mark.parametrize("shape", [(12, 20), (20, 12), (8, 36)])
def test_small_matrices_lead_where_timm_is_led(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    coefficients = timm_muon._COEFFICIENTS["quintic"]
    found = orthogonal(matrix, 5, coefficients)
    theirs = timm_muon.zeropower_via_newtonschulz(matrix, 5, coefficients)
    assert (found - theirs).norm() < 0.02 * found.norm()  # it rounds to bfloat16


def test_a_matrix_of_nothing_stays_one() -> None:
    assert not orthogonal(torch.zeros(3, 5), 5, timm_muon._COEFFICIENTS["quintic"]).any()


def test_timm_is_left_as_it_was_even_by_a_step_that_failed() -> None:
    before = timm_muon.zeropower_via_newtonschulz
    stepper = build_optimizer(
        [{"params": [nn.Parameter(torch.ones(2, 2))], "weight_decay": 0.0}], recipe("muon")
    )

    def closure() -> float:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        stepper.step(closure)
    assert timm_muon.zeropower_via_newtonschulz is before


def test_a_step_is_as_large_as_one_of_adam() -> None:
    torch.manual_seed(0)
    gradient = torch.randn(64, 64)
    sizes = {
        name: one_step(nn.Parameter(torch.zeros(64, 64)), gradient, name).square().mean().sqrt().item()
        for name in ("adamw", "muon")
    }
    assert sizes["adamw"] == pytest.approx(RATE, rel=1e-3)
    assert 0.1 * RATE < sizes["muon"] < RATE


def test_a_vector_goes_by_adam() -> None:
    step = one_step(nn.Parameter(torch.zeros(3)), torch.tensor([1.0, -20.0, 0.3]), "muon")
    assert (step / step[0]).tolist() == pytest.approx(
        [1, -1, 1], rel=1e-3
    )  # whatever the size of the gradient
    assert RATE < step[0] < 2 * RATE  # Nesterov's look ahead makes the first one longer


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_goes_on_from_its_state_as_if_it_had_never_stopped(optimizer: str) -> None:
    def steps(weights: list[nn.Parameter], state: dict[str, Any] | None, seeds: range) -> dict[str, Any]:
        groups = [{"params": [weight], "weight_decay": 0.1} for weight in weights]
        stepper = build_optimizer(groups, recipe(optimizer))
        if state:
            stepper.load_state_dict(state)
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            for weight in weights:
                weight.grad = torch.randn(weight.shape, generator=generator)
            stepper.step()
        return stepper.state_dict()

    straight, stopped = ([nn.Parameter(torch.ones(4, 3, 3, 3)), nn.Parameter(torch.ones(4))] for _ in "ab")
    steps(straight, None, range(4))
    state = steps(stopped, None, range(2))
    steps(stopped, state, range(2, 4))
    for one, other in zip(straight, stopped, strict=True):
        assert torch.equal(one, other)
