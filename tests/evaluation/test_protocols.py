"""Known scores in, known figures out: each arm is judged on what it left out, at thresholds that never saw it."""

import json

import numpy as np
import pytest
import torch

from facegate.contracts import Task
from facegate.errors import NotMeasurableError, ParamsError
from facegate.evaluation import protocol_runs
from facegate.evaluation.protocol_page import write_protocols
from facegate.evaluation.protocol_stage import run_protocols
from facegate.evaluation.protocols import measure_arms
from facegate.evaluation.tables import write_table
from facegate.models.spoof.network import build_network
from facegate.training.protocols import CONTENT, DOORCAM, REFERENCE, Arm, Kind, held_columns
from tests.evaluation.small_sets import SPLITS, crop_row, written
from tests.training.conftest import toy_params

LASER_LINE = Kind("laser", "variant", ("laser/line",))
LASER = Arm("simulation", "laser", (LASER_LINE,))
CAMERA = Arm("simulation", "doorcam", (DOORCAM,))
OTHER = Arm("simulation", "other", (LASER_LINE, Kind("rgb", "variant", ("display/rgb",)), DOORCAM))
MASK = Arm("species", "mask_rigid", (Kind("mask_rigid", "species", ("mask_rigid",)),))
ARMS = (REFERENCE, CONTENT, LASER, CAMERA, OTHER, MASK)
KINDS = (
    *[("bona_fide", "live")] * 4,
    ("print", "laser/line"),
    ("print", "inkjet/ordered"),
    ("replay_phone", "display/rgb"),
    ("mask_rigid", "mask/paper"),
)


def rows(people=36):
    rng = np.random.default_rng(3)
    for person in range(people):
        for k, (species, variant) in enumerate(KINDS):
            image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            yield crop_row(f"s{person:02}-{k}", f"s{person:02}", SPLITS[person % 3], species, image, rng) | {
                "camera": ("phone", "doorcam")[k % 2],
                "border_visible": variant == "laser/line" and person % 2 == 0,
                "attributes": json.dumps({"variant": variant}),
            }


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return written(tmp_path_factory.mktemp("protocols") / "crops", rows())


def scored(pack, out, arm):
    """What was left out scores like live people, unless its border shows; all else is told apart."""
    at = np.flatnonzero(pack.column("split") != "train")
    columns = {name: pack.column(name)[at] for name in ("sample_id", "subject_id", "species", "split")}
    missed = arm.leaves_out(held_columns(pack, at))
    seen = (columns["species"] != "bona_fide") & ~(missed & ~pack.column("border_visible")[at])
    scores = np.random.default_rng(4).normal(size=at.size) - 20 * seen
    about = {"dataset": "synthetic", "synthetic": True, "steps": 6, "crops_digest": pack.digest}
    for branch in protocol_runs.BRANCHES:
        write_table(
            out / arm.title / f"{branch}.parquet",
            {**columns, "score": scores.astype(np.float32)},
            Task.SPOOF,
            about,
        )


@pytest.fixture(scope="module")
def tables(pack, tmp_path_factory):
    out = tmp_path_factory.mktemp("scores")
    for arm in ARMS:
        scored(pack, out, arm)
    return {arm.title: {b: out / arm.title / f"{b}.parquet" for b in protocol_runs.BRANCHES} for arm in ARMS}


@pytest.fixture(scope="module")
def found(pack, tables, evaluate_params):
    return measure_arms(ARMS, tables, pack.path, evaluate_params)["arms"]


def test_an_arm_is_judged_on_what_it_left_out(found):
    laser = found["simulation-laser"]["both"]
    assert laser["no_border"]["attacks"] == 6
    assert laser["all"]["attacks"] == 12
    assert 0.2 < laser["no_border"]["value"] < 0.8
    assert laser["all"]["value"] > 0.6
    assert laser["no_border"]["reference"]["value"] == 1.0
    difference = laser["no_border"]["difference"]
    assert difference["value"] == pytest.approx(laser["no_border"]["value"] - 1, abs=1e-6)
    assert difference["low"] < difference["value"] < difference["high"] < 0
    assert found["species-mask_rigid"]["both"]["no_border"]["attacks"] == 12


def test_content_is_judged_on_flat_media_and_a_camera_on_its_own_live_people(found):
    content, camera = (found[name]["both"] for name in ("content-no_faces", "simulation-doorcam"))
    assert content["all"]["attacks"] == 36
    assert set(content["by_species"]) == {"mask_rigid", "print", "replay_phone"}
    assert (camera["all"]["bona_fide"], camera["all"]["attacks"]) == (24, 24)


def test_an_arm_that_holds_out_media_and_a_camera_is_judged_kind_by_kind_and_at_once(found):
    """Prints by laser come by the phone, by ink and all masks by the doorcam; so do half of the live people."""
    counts = {
        title.partition(": ")[2]: (entry["both"]["all"]["bona_fide"], entry["both"]["all"]["attacks"])
        for title, entry in found.items()
        if title.startswith("simulation-other")
    }
    assert counts == {"laser": (24, 12), "rgb": (24, 12), "doorcam": (24, 24), "all at once": (24, 0)}
    assert "note" in found["simulation-other: all at once"]["both"]["all"]


def test_rates_are_those_of_the_threshold_for_bpcer_5(found):
    errors = found["species-mask_rigid"]["both"]["bpcer_5"]
    assert errors["arm"]["apcer"]["trials"] == 12
    assert errors["arm"]["apcer"]["value"] > 0.7
    assert errors["reference"]["apcer"]["value"] == 0.0
    assert errors["arm"]["bpcer"]["trials"] == 48


def test_the_page_names_every_arm(tmp_path, pack, tables, evaluate_params):
    write_protocols(tmp_path, measure_arms(ARMS, tables, pack.path, evaluate_params))
    page = (tmp_path / "report.html").read_text()
    assert f"{len(ARMS)} trainings of 6 steps" in page
    assert all(
        text in page for text in ("Synthetic.", "laser", "doorcam", "mask rigid", "Leave one content out")
    )
    assert json.loads((tmp_path / "protocols.json").read_text())["steps"] == 6
    assert {"content.png", "simulation.png", "species.png", "cues.png"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_without_the_reference_nothing_is_measured(pack, tables, evaluate_params):
    with pytest.raises(NotMeasurableError, match="leaves nothing out"):
        measure_arms(
            ARMS[1:], {t: v for t, v in tables.items() if t != REFERENCE.title}, pack.path, evaluate_params
        )


@pytest.mark.parametrize("mirrored", [True, False])
def test_arms_are_judged_as_the_network_is_exported(mirrored):
    torch.manual_seed(1)
    model = protocol_runs.Branches(build_network(0.25, 64, mirrored).eval())
    images = np.random.default_rng(5).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    there, back = model.run(images), model.run(np.ascontiguousarray(images[:, :, ::-1]))
    assert there.shape == (2, len(protocol_runs.BRANCHES))
    assert np.allclose(there, back, atol=1e-5) is mirrored


def test_an_unknown_protocol_is_named(tmp_path, pack):
    with pytest.raises(ParamsError, match="`lighting` is no protocol"):
        run_protocols(["lighting"], pack.path, pack.path, tmp_path, toy_params(Task.SPOOF), 3)


def test_packs_to_page_and_what_is_trained_stays_trained(tmp_path, pack, monkeypatch):
    params = toy_params(Task.SPOOF, content={"scenes": 4, "share": 0.25}, framing=0.0)
    page = run_protocols(["content"], pack.path, pack.path, tmp_path, params, 3)
    assert page.is_file()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    assert len(before) == 4
    monkeypatch.setattr(protocol_runs, "train_arm", lambda *_: pytest.fail("trained again"))
    run_protocols(["content"], pack.path, pack.path, tmp_path, params, 3)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")} == before
