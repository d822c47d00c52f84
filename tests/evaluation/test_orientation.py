"""Golden presentations with APCER ≠ BPCER, from the pack through a real network to the page, classes both ways round."""

import json
from html.parser import HTMLParser

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from facegate.contracts import Split, Task
from facegate.evaluation.stage import Places, evaluate_task
from facegate.evaluation.tables import presentations, read_table
from facegate.runtime.bundle import load_bundle, write_bundle
from facegate.runtime.session import Session
from tests.evaluation.small_bundles import SIDE, write_small_bundle
from tests.evaluation.small_sets import crop_row, written

# At the threshold .5: 1 of 10 bona fide refused, 2 of 5 prints and 3 of 4 replays accepted.
TEST = {
    "bona_fide": [0.9, 0.95, 0.8, 0.7, 0.85, 0.99, 0.6, 0.75, 0.65, 0.45],
    "print": [0.1, 0.2, 0.3, 0.5, 0.62],
    "replay_phone": [0.55, 0.58, 0.4, 0.72],
}
VAL = {"bona_fide": [0.4, *[0.5] * 9], "print": [0.2, 0.3, 0.1, 0.6], "replay_phone": [0.1, 0.6, 0.3, 0.2]}
SPLITS = {"train": TEST, "val": VAL, "test": TEST}


def rows():
    """Plain pictures of four people a split: the brighter, the more bona fide."""
    rng = np.random.default_rng(0)
    for split, table in SPLITS.items():
        for species, scores in table.items():
            for k, score in enumerate(scores):
                image = np.full((SIDE, SIDE, 3), round(250 * score), np.uint8)
                name, person = f"{split}-{species}-{k}", f"{split}-{k % 4}"
                yield crop_row(name, person, split, species, image, rng, crop="context")


def write_turned_bundle(folder):
    """The same network with its two outputs, and the names of its classes, the other way round."""
    straight = write_small_bundle(folder, Task.SPOOF)
    model = onnx.load_from_string(straight.model)
    weights = next(w for w in model.graph.initializer if w.name == "w")
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights)[:, ::-1].copy(), "w"))
    contract = straight.contract.model_copy(update={"classes": straight.contract.classes[::-1]})
    images = straight.golden.inputs
    blank = write_bundle(folder, model.SerializeToString(), contract, images, straight.golden.outputs)
    write_bundle(folder, blank.model, blank.contract, images, Session(blank).run(images))


@pytest.fixture(scope="module", params=["straight", "turned"])
def evaluated(request, tmp_path_factory, evaluate_params):
    root = tmp_path_factory.mktemp(request.param)
    pack = written(root / "crops", rows())
    bundle = root / "exported" / "fp32"
    if request.param == "turned":
        write_turned_bundle(bundle)
    else:
        write_small_bundle(bundle, Task.SPOOF)
    places = Places(pack.path, root / "exported", root / "candidates", root / "scores", root / "reports")
    return places, evaluate_task(Task.SPOOF, places, evaluate_params)


def check(point):
    assert (point["bpcer"]["errors"], point["bpcer"]["trials"]) == (1, 10)
    assert (point["apcer"]["print"]["errors"], point["apcer"]["print"]["trials"]) == (2, 5)
    assert (point["worst_species"], point["worst_apcer"]["errors"]) == ("replay_phone", 3)


def test_metrics_and_report_data_stand_the_right_way_round(evaluated):
    places, metrics = evaluated
    check(metrics["fp32"]["bpcer_10"])
    full = json.loads((places.reports / "fp32" / "evaluation.json").read_text())
    check(full["operating_points"]["bpcer_10"])
    assert full["slices"]["camera"]["bpcer"]["rates"].keys() == {"phone", "webcam"}
    assert sum(rate["errors"] for rate in full["slices"]["camera"]["bpcer"]["rates"].values()) == 1
    assert sum(rate["errors"] for rate in full["slices"]["camera"]["apcer"]["rates"].values()) == 5
    assert full["legacy"]["pooled_apcer"]["errors"] == 5
    assert full["robustness"]["blur"][0]["bpcer"]["errors"] == 1


def test_scores_are_higher_for_bona_fide(evaluated):
    table, _ = read_table(evaluated[0].scores / "fp32.parquet")
    test = presentations(table, Split.TEST)
    by_name = dict(zip(test.samples, test.scores, strict=True))
    assert by_name["test-bona_fide-5"] > 0.99 > 0.2 > by_name["test-print-0"]


def test_the_contract_carries_the_threshold_with_its_bpcer(evaluated):
    point = load_bundle(evaluated[0].candidates / "fp32").contract.operating_points["bpcer_10"]
    assert (point.metric, point.measured.errors, point.measured.trials) == ("BPCER", 1, 10)


class Cells(HTMLParser):
    """Text of the cells of every table row."""

    def __init__(self):
        super().__init__()
        self.rows, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        self.inside = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1].append(data.replace("\N{NO-BREAK SPACE}", " "))


def test_the_page_prints_each_rate_under_its_own_name(evaluated):
    cells = Cells()
    cells.feed((evaluated[0].reports / "fp32" / "report.html").read_text())
    head = next(row for row in cells.rows if "BPCER on test" in row)
    point = next(row for row in cells.rows if row[:1] == ["bpcer_10"])
    shown = dict(zip(head, point, strict=True))
    assert shown["BPCER on test"].startswith("10.00 %")
    assert shown["BPCER on test"].endswith("1 of 10)")
    assert shown["worst APCER on test"].startswith("replay phone: 75.00 %")
    assert shown["worst APCER on test"].endswith("3 of 4)")
