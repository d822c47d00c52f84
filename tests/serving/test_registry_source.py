"""Production in a real MLflow store: promoted, followed, rolled back, shadowed."""

from pathlib import Path

import pytest

from facegate.params import Params
from facegate.registry.promote import check, promote, rollback
from facegate.registry.store import init_store
from facegate.serving.releases import PRODUCTION, SHADOW, CandidateSource, RegistrySource
from facegate.serving.settings import Settings
from tests.registry.conftest import (  # noqa: F401  # fixtures
    build_release,
    empty_database,
    params,
    project,
)


@pytest.fixture
def source(project: Path) -> RegistrySource:  # noqa: F811
    return RegistrySource(Settings(project=project))


def to_production(parameters: Params, reference: str) -> None:
    promote(check(parameters, "production", reference=reference), override="a test", who="test")


def test_the_alias_is_followed_there_and_back(source: RegistrySource, project: Path, params: Params) -> None:  # noqa: F811
    for weight in (1.0, 2.0):
        build_release(project, params, weight, 3.0, "")
    assert source.head(PRODUCTION) is None
    to_production(params, "1")
    first = source.load(PRODUCTION)
    assert source.head(PRODUCTION) == "1" and first.name == "facegate-release/1" and first.production
    assert first.gate is not None and first.gate["release"] == first.digest
    to_production(params, "2")
    second = source.load(PRODUCTION)
    assert source.head(PRODUCTION) == "2" and second.digest != first.digest
    assert {task.value: number for task, number in second.versions.items()} == {"recognition": 2, "spoof": 2}
    rollback(params)
    assert source.head(PRODUCTION) == "1" and source.load(PRODUCTION).digest == first.digest
    assert source.head(SHADOW) is None
    init_store(project).client.set_registered_model_alias("facegate-release", SHADOW, "2")
    assert source.load(SHADOW).digest == second.digest
    trial = CandidateSource(Settings(project=project, data=project / "var"))
    assert not trial.load(PRODUCTION).production and trial.head(SHADOW) is None
    assert trial.head(PRODUCTION) == trial.head(PRODUCTION)
