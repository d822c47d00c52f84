"""Protocols with folds: pairs that a set names, figures by fold, and one run per fold gathered."""

import json
import statistics
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from facegate.cli import app
from facegate.contracts import CROP_COLUMNS, Split, Task
from facegate.datasets.pack import PackWriter, open_pack
from facegate.errors import NotMeasurableError
from facegate.evaluation import folds
from facegate.evaluation.folds import by_fold, over_runs, protocol_pairs, run_folds, spread
from facegate.evaluation.scores import rows_of, score_comparisons
from facegate.evaluation.tables import read_table, write_table
from facegate.params import load_params
from facegate.profiles import use_profile
from tests.evaluation.small_sets import Faces, face_rows

FOLDS = 5
PROFILES = Path(__file__).parents[2] / "profiles"


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A pack of faces whose test pictures carry 40 pairs in five folds, and one pair without a face."""
    rows = list(face_rows(people=12, pictures=4))
    test = [row for row in rows if row["split"] == "test"]
    people = sorted({row["subject_id"] for row in test})
    rng, pairs = np.random.default_rng(4), []
    for fold in range(1, FOLDS + 1):
        for k in range(4):
            one, other = people[k % len(people)], people[(k + 1) % len(people)]
            a, b = rng.choice(4, 2, replace=False)
            pairs += [
                [fold, f"{one}-{a}", f"{one}-{b}", True],
                [fold, f"{one}-{fold % 4}", f"{other}-{k}", False],
            ]
    pairs.append([1, "gone", test[0]["sample_id"], True])
    path = tmp_path_factory.mktemp("named") / "crops"
    with PackWriter(path, CROP_COLUMNS, {"pairs": pairs}) as writer:
        writer.write_all(rows)
    return open_pack(path)


@pytest.fixture(scope="module")
def table(named, tmp_path_factory):
    rows = np.concatenate([rows_of(named, split) for split in (Split.VAL, Split.TEST)])
    columns = score_comparisons(Faces().run(named.images(rows)), named, rows, 1000, 0)
    path = tmp_path_factory.mktemp("scores") / "fp32.parquet"
    write_table(path, columns, Task.RECOGNITION, {"dataset": "x", "synthetic": True})
    return read_table(path)[0]


def test_the_test_split_is_compared_by_the_named_pairs_alone(named, table):
    tested = table.filter(folds.pc.field("split") == "test")
    found = set(zip(tested["probe_id"].to_pylist(), tested["reference_id"].to_pylist(), strict=True))
    assert found == {(a, b) for _, a, b, _ in named.metadata["pairs"] if a != "gone"}
    mated = tested["mated"].to_pylist()
    assert mated == sorted(mated, reverse=True)
    validated = table.filter(folds.pc.field("split") == "val")
    assert len(validated) == 16 * 15 / 2, "validation pictures are compared with each other as always"


def test_each_fold_is_decided_by_the_threshold_of_the_others(named, table):
    """Against a search over every score as threshold, fold by fold."""
    found = by_fold(table, named, 0.95)
    assert found is not None
    score = dict(zip(zip(table["probe_id"].to_pylist(), table["reference_id"].to_pylist(), strict=True),
                     table["score"].to_pylist(), strict=True))  # fmt: skip
    rows = [(fold, score[a, b], same) for fold, a, b, same in named.metadata["pairs"] if a != "gone"]
    for fold in range(1, FOLDS + 1):
        others = [(s, same) for f, s, same in rows if f != fold]
        mine = [(s, same) for f, s, same in rows if f == fold]
        right = {t: sum((s >= t) == same for s, same in others) for t in {s for s, _ in others} | {2.0}}
        allowed = {
            sum((s >= t) == same for s, same in mine) for t, n in right.items() if n == max(right.values())
        }
        rate = found["folds"][str(fold)]
        assert rate["errors"] in allowed and rate["trials"] == len(mine) == 8
    values = [rate["value"] for rate in found["folds"].values()]
    assert found["accuracy"]["mean"] == pytest.approx(statistics.mean(values))
    assert found["accuracy"]["sd"] == pytest.approx(statistics.stdev(values), rel=1e-4)
    assert found["accuracy"]["standard_error"] == pytest.approx(
        statistics.stdev(values) / FOLDS**0.5, rel=1e-4
    )
    assert (found["pairs"], found["pairs_without_a_face"]) == (40, 1)


def test_without_pairs_everything_is_as_before(tmp_path):
    with PackWriter(tmp_path / "crops", CROP_COLUMNS) as writer:
        writer.write_all(face_rows(people=3, pictures=2))
    pack = open_pack(tmp_path / "crops")
    assert protocol_pairs(pack, pack.column("sample_id")) is None
    assert by_fold(None, pack, 0.95) is None  # pyright: ignore[reportArgumentType]


def test_the_page_shows_every_fold_and_the_mean(named, table):
    (shown,) = folds.section({"by_fold": by_fold(table, named, 0.95)})
    rows = shown.tables[0].rows
    assert [row[0] for row in rows] == [*"12345", "mean ± standard deviation"]
    assert "standard error" in rows[-1][1]
    assert "1 pairs are left out" in shown.lead
    assert folds.section({}) == []


def evaluation(apcer, bpcer):
    rate = {"errors": 1, "trials": 10, "low": 0.0, "high": 1.0}
    at = {
        "worst_apcer": {"value": apcer, **rate},
        "bpcer": {"value": bpcer, **rate},
        "worst_species": "print",
    }
    return {"dataset": "siw", "synthetic": False, "operating_points": {"eer": at}}


def test_runs_of_a_protocol_end_in_mean_and_standard_deviation():
    found = over_runs({"3_1": evaluation(0.1, 0.02), "3_2": evaluation(0.04, 0.0)})
    assert found["folds"]["3_1"]["acer"] == pytest.approx(0.06)
    assert found["mean"]["acer"] == {"mean": 0.04, "sd": pytest.approx(0.0282843, rel=1e-4), "folds": 2}
    assert found["mean"]["apcer"]["mean"] == pytest.approx(0.07)
    assert found["folds"]["3_2"]["apcer_rate"]["trials"] == 10
    assert spread([0.5]) == {"mean": 0.5, "sd": None, "folds": 1}
    with pytest.raises(NotMeasurableError, match="fold 3_1: a rate was not measured"):
        over_runs({"3_1": evaluation(None, 0.0)})
    with pytest.raises(NotMeasurableError, match="no fold has been run"):
        over_runs({})


def test_every_fold_is_run_and_kept(tmp_path):
    chosen = []
    result = tmp_path / "evaluation.json"

    def reproduce():
        result.write_text(json.dumps(evaluation(0.1 * len(chosen), 0.0)))

    found = run_folds(["2_1", "2_2", "2_3"], chosen.append, reproduce, result, tmp_path / "out")
    assert chosen == ["2_1", "2_2", "2_3"]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == [
        "2_1.json", "2_2.json", "2_3.json", "summary.json",
    ]  # fmt: skip
    assert json.loads((tmp_path / "out/summary.json").read_text()) == found
    assert found["mean"]["apcer"]["mean"] == pytest.approx(0.2)


def test_the_command_runs_every_fold_and_leaves_the_parameters_as_they_were(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    use_profile("siw", PROFILES)
    before = Path("params.yaml").read_text()
    seen = []

    def repro(command, **options):
        data = load_params().data
        seen.append((data.source, data.field.protocol, command[-2:]))
        Path("reports/spoof/fp32").mkdir(parents=True, exist_ok=True)
        Path("reports/spoof/fp32/evaluation.json").write_text(json.dumps(evaluation(0.1, 0.1 * len(seen))))
        return subprocess.CompletedProcess(command, 0 if len(seen) < 7 else 1)

    monkeypatch.setattr(subprocess, "run", repro)
    done = CliRunner().invoke(app, ["folds", "oulu_npu/3"])
    assert done.exit_code == 0
    assert seen == [("oulu_npu", f"3_{n}", ["repro", "evaluate@spoof"]) for n in range(1, 7)]
    assert json.loads(done.stdout)["bpcer"] == {"mean": 0.35, "sd": pytest.approx(0.187083), "folds": 6}
    assert Path("reports/folds/oulu_npu-3/summary.json").is_file()
    assert CliRunner().invoke(app, ["folds", "siw/3"]).exit_code != 0
    assert Path("params.yaml").read_text() == before
