"""Tampering is found; what nothing needs is found too, and nothing else."""

from pathlib import Path

import pytest

from facegate.params import Params
from facegate.registry.listing import list_versions
from facegate.registry.promote import check, promote, promotions_folder
from facegate.registry.prune import delete, plan
from facegate.registry.store import Store
from facegate.registry.verify import verify

pytestmark = pytest.mark.usefixtures("releases")


@pytest.fixture
def promoted(store: Store, releases: Path, params: Params) -> Path:
    quick = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"bootstrap": 100})})
    for version in ("1", "2"):
        promote(check(quick, "production", reference=version), override="test")
    return releases / "mlruns" / "artifacts" / "facegate"


def test_an_untouched_registry_is_sound(promoted: Path, params: Params) -> None:
    assert verify(params) == []


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("models/*/artifacts/model.onnx", "was edited"),
        ("models/*/artifacts/contract.json", "contract"),
        ("*/artifacts/release/models/spoof/model.onnx", "edited"),
        ("*/artifacts/release/release.json", "facegate-release/"),
        ("*/artifacts/gate/embedded-*.json", "gate report"),
    ],
)
def test_a_tampered_file_is_found(promoted: Path, params: Params, pattern: str, said: str) -> None:
    path = sorted(promoted.glob(pattern))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (problem,) = verify(params)
    assert said in problem


def test_a_tampered_record_and_alias_are_found(store: Store, promoted: Path, params: Params) -> None:
    record = promotions_folder() / "record.jsonl"
    text = record.read_text()
    record.write_text(text.splitlines()[0] + "\n")
    assert any("does not end" in problem for problem in verify(params))
    record.write_text(text.replace("test", "best"))
    assert any("was edited" in problem for problem in verify(params))
    record.write_text(text)
    store.client.set_registered_model_alias("facegate-release", "production", "3")
    (problem,) = verify(params)
    assert "`production` is 3, and the record says 2" in problem


def test_only_what_nothing_needs_is_pruned(promoted: Path, params: Params) -> None:
    before = {(row.name, row.version) for row in list_versions()}
    found = plan(params, keep=1)
    superfluous = {(row.name, row.version) for row in found.superfluous}
    assert superfluous == {
        ("facegate-release", 3),
        ("facegate-recognition", 3),
        ("facegate-spoof", 3),
    }
    assert found.kept["facegate-recognition", 1] == "part of release 1"
    assert found.kept["facegate-release", 1] == "alias previous"
    files = len(list(promoted.glob("models/*/artifacts/model.onnx")))
    assert len(delete(found)) == 3
    assert {(row.name, row.version) for row in list_versions()} == before - superfluous
    assert len(list(promoted.glob("models/*/artifacts/model.onnx"))) == files - 2
    assert verify(params) == []
