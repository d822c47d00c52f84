"""What a run computes in."""

import pytest

from facegate.contracts import Task
from facegate.params import OptimParams, TrainerParams
from facegate.training import run as module
from facegate.training.run import precision
from tests.training.conftest import toy_params


def optim(precision: str) -> OptimParams:
    return toy_params(Task.SPOOF, optim={"precision": precision}).spoof.optim


@pytest.mark.parametrize(
    ("asked", "accelerator", "bf16", "expected"),
    [
        ("auto", "cpu", True, "bf16-mixed"),
        ("auto", "cpu", False, "32-true"),
        ("auto", "gpu", False, "bf16-mixed"),
        ("auto", "auto", False, "32-true"),
        ("32-true", "gpu", True, "32-true"),
        ("bf16-mixed", "cpu", False, "bf16-mixed"),
    ],
)
def test_auto_is_bfloat16_where_something_multiplies_it(
    asked: str, accelerator: str, bf16: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "has_bf16", lambda: bf16)
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    trainer = TrainerParams.model_validate({"accelerator": accelerator})
    assert precision(optim(asked), trainer) == expected
