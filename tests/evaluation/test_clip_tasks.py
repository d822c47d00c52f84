"""Liveness and eyes from crops to completed bundles and a running judge, on toys."""

import json

import numpy as np
import pytest
import torch

from facegate.contracts import CROP_COLUMNS, Split, Task
from facegate.datasets.pack import open_pack
from facegate.errors import BundleError, CheckpointError, PictureError
from facegate.evaluation.other_eyes import eye_summary, judge_other_eyes
from facegate.evaluation.stage import Places, evaluate_task
from facegate.exporting.bundles import export_bundle, quantise_bundle
from facegate.faces.detect import Face
from facegate.faces.film import unroll
from facegate.faces.pose import MEAN_FACE
from facegate.models.checkpoint import save_trained
from facegate.models.spoof.network import build_network as build_spoof
from facegate.runtime.bundle import load_bundle
from facegate.runtime.eyes import BlinkWatch, EyeJudge
from facegate.runtime.liveness import ClipBuffer, ClipFrame, ClipJudge
from facegate.training.fit import fit
from tests.training.clip_toys import FRAMES, SIDE, toy_eye, write_toy_clips, write_toy_eyes
from tests.training.conftest import toy_params


def run_task(task, root, crops, params, spoof=None):
    """Train, export, quantise and evaluate; returns places and headline figures."""
    result = fit(task, params, crops, root / "trained", root / "work")
    exported = root / "exported"
    export_bundle(root / "trained", crops, exported / "fp32", params)
    quantise_bundle(exported / "fp32", crops, exported / "x86-vnni", "x86-vnni", params.quantize)
    places = Places(crops, exported, root / "candidates", root / "scores", root / "reports", spoof)
    return places, evaluate_task(task, places, params.evaluate), result


@pytest.fixture(scope="module")
def spoof_network(tmp_path_factory):
    """An untrained spoof network for crops of the toys' size: its features are random, but there."""
    folder = tmp_path_factory.mktemp("spoof") / "trained"
    torch.manual_seed(2)
    kwargs = {"width": 0.5, "size": SIDE}
    save_trained(folder, build_spoof(**kwargs), Task.SPOOF, kwargs)
    return folder


def small(params):
    return params.model_copy(
        update={
            "evaluate": params.evaluate.model_copy(update={"bootstrap": 100}),
            "quantize": params.quantize.model_copy(update={"calibration_samples": 16, "max_flip_rate": 1.0}),
        }
    )


@pytest.fixture(scope="module")
def liveness(tmp_path_factory, spoof_network):
    root = tmp_path_factory.mktemp("liveness")
    crops = write_toy_clips(root / "crops", people=(12, 8, 8))
    optim = {"epochs": 40, "learning_rate": 0.01}
    params = toy_params(Task.LIVENESS, optim=optim, spoof=str(spoof_network))
    return run_task(Task.LIVENESS, root, crops, small(params))


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    root = tmp_path_factory.mktemp("eyes")
    crops = write_toy_eyes(root / "crops")
    optim = {"epochs": 30, "learning_rate": 0.01, "batch_size": 32}
    params = toy_params(Task.EYES, optim=optim, width=0.5)
    return run_task(Task.EYES, root, crops, small(params))


def test_liveness_learns_what_a_clip_shows(liveness):
    _, found, result = liveness
    assert result.value > 0.6  # its features come from a network that was never trained
    assert found["fp32"]["auc"]["value"] > 0.6
    assert set(found["fp32"]["auc_by_species"]) == {"print", "replay_phone"}


@pytest.mark.parametrize("target", ["fp32", "x86-vnni"])
def test_a_liveness_candidate_knows_its_contract(liveness, target):
    places, *_ = liveness
    bundle = load_bundle(places.candidates / target)
    spec = bundle.contract.input
    assert (spec.crop, spec.height, spec.width) == ("clip", FRAMES * SIDE + 1, SIDE)
    assert bundle.contract.classes == ("attack", "bona_fide")
    assert "eer" in bundle.contract.operating_points
    assert bundle.contract.calibration.kind == "logistic"
    assert (places.reports / target / "report.html").is_file()


def test_a_clip_judge_scores_as_the_evaluation_did(liveness):
    places, *_ = liveness
    judge = ClipJudge(load_bundle(places.candidates / "fp32"))
    pack = open_pack(places.crops, CROP_COLUMNS)
    row = int(np.flatnonzero(pack.column("split") == Split.TEST)[0])
    frames, _ = unroll(pack.image(row))
    clip = [ClipFrame(frame, k / 15) for k, frame in enumerate(frames)]
    strip = judge.strip(clip)
    assert (strip == pack.image(row)).all()
    assert judge.score(clip) == pytest.approx(judge.score_strips(pack.image(row)[None])[0])
    decision = judge.judge(clip)
    assert decision.operating_point in judge.bundle.contract.operating_points
    with pytest.raises(PictureError, match="record 8 frames or more"):
        judge.score(clip[:7])


def face(shift=0.0):
    points = (MEAN_FACE[:, :2] + 60 + shift).astype(np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    return Face(np.array([*low, *(high - low)], np.float32), points, 0.9)


def test_a_buffer_answers_once_it_holds_enough_and_forgets_what_is_old(liveness):
    places, *_ = liveness
    buffer = ClipBuffer(ClipJudge(load_bundle(places.candidates / "fp32")), span_s=1.0)
    picture = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    for k in range(7):
        buffer.add(picture, face(k), k / 10)
    assert not buffer.ready
    assert buffer.decide() is None
    buffer.add(picture, face(9), 0.7)
    assert buffer.ready
    assert buffer.decide() is not None
    with pytest.raises(ValueError, match="time must advance"):
        buffer.add(picture, face(), 0.7)
    buffer.add(picture, face(), 5.0)
    assert not buffer.ready


def test_a_missing_or_unfitting_spoof_network_is_named(tmp_path, spoof_network):
    crops = write_toy_clips(tmp_path / "crops", size=56)
    params = toy_params(Task.LIVENESS, spoof=str(spoof_network))
    with pytest.raises(CheckpointError, match="needed is spoof for 56"):
        fit(Task.LIVENESS, params, crops, tmp_path / "out", tmp_path / "work")
    params = toy_params(Task.LIVENESS, spoof=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="nowhere"):
        fit(Task.LIVENESS, params, crops, tmp_path / "out", tmp_path / "work")


def test_eyes_learn_and_find_the_blinks(eyes):
    places, found, result = eyes
    assert result.value > 0.95
    assert found["fp32"]["auc"]["value"] > 0.95
    blinks = found["fp32"]["blinks"]
    assert blinks["clips"] == 4
    assert blinks["as filmed"]["clean"]["hits"] >= 3
    evaluation = json.loads((places.reports / "fp32" / "evaluation.json").read_text())
    assert set(evaluation["blinks"]["by_species"]) == {"bona_fide"}
    assert "decisions_flipped" in found["x86-vnni"]["against_fp32"]


def test_people_of_another_pack_are_judged_by_the_same_measures(eyes):
    places, *_ = eyes
    pack = open_pack(places.crops, CROP_COLUMNS)
    judge = EyeJudge(load_bundle(places.candidates / "fp32"))
    params = small(toy_params(Task.EYES)).evaluate
    judged = judge_other_eyes(judge, pack, np.flatnonzero(pack.column("split") == Split.TEST.value), params)
    evaluation = json.loads((places.reports / "fp32" / "evaluation.json").read_text())
    for name in ("people", "frames", "auc", "auc_hard", "blinks"):
        assert judged[name] == evaluation[name]
    events = evaluation["blinks"]["as filmed"]["hard"]
    told = eye_summary(judged).splitlines()
    assert told[0] == f"{judged['people']} rendered people, synthetic: {judged['frames']} faces, 4 clips"
    assert told[2].endswith(f"{events['hits']} found, {events['false']} false, {events['missed']} missed")


def test_an_eye_judge_watches_a_blink(eyes):
    places, *_ = eyes
    judge = EyeJudge(load_bundle(places.candidates / "fp32"))
    rng = np.random.default_rng(3)
    assert judge.bundle.contract.classes == ("closed", "open")
    assert judge.bundle.contract.input.crop == "eye"
    wide, shut = (judge.score_crops(np.stack([toy_eye(c, rng)] * 2)).mean() for c in (0.0, 1.0))
    assert wide > judge.policy.point.threshold > shut
    watch = BlinkWatch(judge)
    for k, openness in enumerate([0.9, 0.9, 0.05, 0.05, 0.9]):
        watch.state, _ = watch.state.step(openness, k / 15, watch.params)
    assert watch.blinks == 1
    assert judge.openness_all(np.zeros((50, 50, 3), np.uint8), []).shape == (0,)


def test_judges_refuse_each_others_bundles(eyes, liveness):
    with pytest.raises(BundleError, match="needed is eyes"):
        EyeJudge(load_bundle(liveness[0].candidates / "fp32"))
    with pytest.raises(BundleError, match="needed is liveness"):
        ClipJudge(load_bundle(eyes[0].candidates / "fp32"))
