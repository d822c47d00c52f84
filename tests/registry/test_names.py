"""Names that MLflow accepts and people read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.contracts import Task
from facegate.registry.names import candidate_aliases, metric_name, model_name, numbers, run_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TAR@FMR=1e-3", "tar_at_fmr_1e-3"),
        ("eer%", "eer_percent"),
        ("val/loss", "val/loss"),
        ("APCER (worst)", "apcer _worst"),
        ("§", "unnamed"),
    ],
)
def test_metric_names(name: str, expected: str) -> None:
    assert metric_name(name) == expected


@given(st.text(max_size=60))
def test_every_text_becomes_a_metric_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_\-.:/ ]+", metric_name(name))
    assert metric_name(metric_name(name)) == metric_name(name)


def test_numbers_are_flattened_and_nothing_else_is_taken() -> None:
    nested = {"fp32": {"EER": {"value": 0.05, "method": "x"}, "ok": True}, "n": 3, "list": [1, 2]}
    assert numbers(nested) == {"fp32/eer.value": 0.05, "n": 3.0}


def test_models_aliases_and_runs_read_well() -> None:
    assert model_name(Task.SPOOF, "smoke-") == "smoke-facegate-spoof"
    assert candidate_aliases("fp32", leads=False) == ("candidate",)
    assert candidate_aliases("x86-vnni", leads=True) == ("candidate-x86-vnni", "candidate-int8")
    assert candidate_aliases("arm64", leads=False) == ("candidate-arm64",)
    assert run_name(("train", "spoof", ""), "341008dabc", dirty=True) == "train · spoof · 341008d*"
