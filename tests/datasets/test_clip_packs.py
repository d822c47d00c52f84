"""Crop packs made of clips: film strips and single eyes, from a photograph that moves."""

import shutil

import numpy as np
import pytest

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, AttackSpecies, Split
from facegate.datasets.clip_batches import ClipBatches, Clips, drawn_frames, load_clips, views
from facegate.datasets.clip_strips import prepare_clips
from facegate.datasets.eye_batches import EyeBatches, load_eyes
from facegate.datasets.eye_crops import balanced, prepare_eyes
from facegate.datasets.eye_effects import low_light, motion_blur, rim
from facegate.datasets.pack import PackWriter, encode_png, open_pack
from facegate.errors import PackError
from facegate.faces.film import unroll
from facegate.faces.picture import load_picture
from facegate.params import PrepareParams
from tests.training.clip_toys import FRAMES, write_toy_clips, write_toy_eyes

PARAMS = PrepareParams(workers=1, context_size=64, context_factor=1.4, clip_frames=8)


@pytest.fixture(scope="module")
def samples(tmp_path_factory, photos):
    """A clip of nine frames that shifts by three pixels each, one without faces, and six stills."""
    root = tmp_path_factory.mktemp("samples")
    face = load_picture(photos / "astronaut.png")[:230, 120:350]
    noise = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
    with PackWriter(root / "clips", SAMPLE_COLUMNS, {"source": "synthetic"}) as writer:
        for clip, split in (("moves", Split.TRAIN), ("empty", Split.VAL)):
            for k in range(9):
                picture = np.roll(face, 3 * k, axis=1) if clip == "moves" else noise
                writer.write(
                    row(f"{clip}-{k}", picture, split, clip_id=clip, frame=k, time_s=k / 15, blink=k / 9)
                )
    with PackWriter(root / "stills", SAMPLE_COLUMNS) as writer:
        for k, blink in enumerate([0.0, 0.1, 1.0, 0.05, None, 0.2]):
            writer.write(row(f"still-{k}", face, Split.TRAIN, blink=blink))
    return root


def row(name, picture, split, **more):
    return {
        "sample_id": name,
        "subject_id": "s",
        "split": split,
        "species": AttackSpecies.BONA_FIDE,
        "source": "synthetic",
        "image": encode_png(picture),
        "width": picture.shape[1],
        "height": picture.shape[0],
        **more,
    }


def test_a_clip_becomes_a_strip_or_is_counted_as_missed(samples, tmp_path):
    found = prepare_clips(samples, tmp_path / "crops", PARAMS, tmp_path / "cache")
    assert (found["pictures"], found["crops"]) == (2, 1)
    assert found["missed"] == {"empty": "the face was found in 0 of 9 frames"}
    pack = open_pack(tmp_path / "crops", CROP_COLUMNS, verify=True)
    assert pack.column("sample_id").tolist() == ["moves"]
    frames, _ = unroll(pack.image(0))
    assert frames.shape == (8, 64, 64, 3)
    landmarks = np.reshape(pack.column("landmarks")[0], (8, 5, 2))
    assert np.diff(landmarks[:, :, 0].mean(axis=1)).min() > 1
    steady = np.abs(frames[0].astype(int) - frames[-1]).mean()
    assert steady < 12, "the crop follows the face"
    assert pack.metadata["samples_digest"] == open_pack(samples / "clips").digest


def test_eyes_come_from_all_frames_and_some_stills(samples, tmp_path):
    found = prepare_eyes(samples, tmp_path / "crops", PARAMS, tmp_path / "cache")
    assert found["crops"] == 2 * (9 + 5)
    pack = open_pack(tmp_path / "crops", CROP_COLUMNS, verify=True)
    names = pack.column("sample_id").tolist()
    assert names[:2] == ["moves-0/right", "moves-0/left"]
    assert {"still-2/left", "still-0/right"} <= set(names)
    assert not any(name.startswith("still-4") for name in names), "its lids are not known"
    assert pack.images().shape == (28, 32, 32, 3)


def test_single_presentations_show_more_people_to_the_eyes(samples, photos, tmp_path):
    shutil.copytree(samples, tmp_path / "samples")
    face = load_picture(photos / "astronaut.png")[:230, 120:350]
    with PackWriter(tmp_path / "samples" / "attacks", SAMPLE_COLUMNS) as writer:
        for k, blink in enumerate([0.9, 0.0, None]):
            writer.write(row(f"attack-{k}", face, Split.VAL, blink=blink))
    prepare_eyes(tmp_path / "samples", tmp_path / "crops", PARAMS, tmp_path / "cache")
    pack = open_pack(tmp_path / "crops", CROP_COLUMNS)
    assert pack.column("sample_id").tolist()[-4:] == [
        f"attack-{k}/{side}" for k in (0, 1) for side in ("right", "left")
    ]
    assert pack.metadata["attacks_digest"] == open_pack(tmp_path / "samples" / "attacks").digest


def test_stills_with_open_eyes_are_four_times_those_with_closed_ones(tmp_path):
    with PackWriter(tmp_path / "stills", SAMPLE_COLUMNS) as writer:
        for k in range(30):
            writer.write(row(f"s{k}", np.zeros((8, 8, 3), np.uint8), Split.TRAIN, blink=float(k == 7)))
    chosen = balanced(open_pack(tmp_path / "stills"))
    assert 7 in chosen
    assert len(chosen) == 5
    assert chosen[0] == 0
    assert chosen[-1] == 29


def test_packs_without_lids_are_named(tmp_path):
    for name in ("clips", "stills"):
        with PackWriter(tmp_path / name, SAMPLE_COLUMNS) as writer:
            writer.write(row("s", np.zeros((8, 8, 3), np.uint8), Split.TRAIN))
    with pytest.raises(PackError, match="column `blink`"):
        prepare_eyes(tmp_path, tmp_path / "crops", PARAMS, tmp_path / "cache")


@pytest.mark.parametrize("count", [8, 12, 16])
def test_a_drawn_piece_ascends_and_shows_eight_frames_at_the_rate_it_was_filmed(count):
    for seed in range(200):
        frames = drawn_frames(count, np.random.default_rng(seed))
        assert len(frames) == count
        assert (np.diff(frames) >= 0).all()
        assert 0 <= frames[0] <= frames[-1] < count
    lengths = [np.ptp(drawn_frames(count, np.random.default_rng(s))) for s in range(200)]
    assert max(lengths) == count - 1


def test_clip_batches_are_a_function_of_their_key(tmp_path):
    clips = load_clips(write_toy_clips(tmp_path / "crops"), Split.TRAIN)
    assert clips.frames.shape[1] == FRAMES
    described = np.random.default_rng(1).normal(size=(2, len(clips), FRAMES, 5)).astype(np.float32)
    one, other = (ClipBatches(clips, described, 8, True, 3) for _ in range(2))
    one[(0, 1)]
    for a, b in zip(one[(1, 0)], other[(1, 0)], strict=True):
        assert (a == b).all()
    sequences, labels = one[(0, 0)]
    assert sequences.shape == (8, FRAMES, 5 + 3)
    assert (labels == 0).sum() == 4
    without, _ = ClipBatches(clips, described, 8, False, 3)[(0, 0)]
    assert not without[..., -3:].any()


def test_views_change_all_frames_of_a_clip_alike():
    frame = np.random.default_rng(2).integers(60, 200, (24, 24, 3), np.uint8)
    clip = np.stack([frame] * 8)[None]
    clips = Clips(clip, np.zeros((1, 8, 3), np.float32), np.array(["s"]), np.array(["print"]))
    plain, *augmented = views(clips, 5, 1)
    assert plain is clips.frames
    for view in augmented:
        assert (view[0] == view[0, :1]).all()
    assert any((view != plain).any() for view in augmented)


def test_eye_batches_are_half_closed_and_a_function_of_their_key(tmp_path):
    eyes = load_eyes(write_toy_eyes(tmp_path / "crops"), Split.TRAIN)
    one, other = (EyeBatches(eyes, 16, 4, 1.0, 5) for _ in range(2))
    one[(0, 0)]
    images, closure = one[(2, 1)]
    assert images.shape == (16, 32, 32, 3)
    assert (closure >= 50).sum() == 8
    assert (images == other[(2, 1)][0]).all()


@pytest.mark.parametrize("load", [load_clips, load_eyes])
def test_training_never_sees_the_test_split(tmp_path, load):
    with pytest.raises(PackError, match="asked for the test split"):
        load(tmp_path, Split.TEST)


@pytest.mark.parametrize("effect", [motion_blur, low_light, rim])
def test_effects_keep_shape_and_leave_their_argument_alone(effect):
    picture = np.random.default_rng(4).integers(0, 256, (32, 32, 3), np.uint8)
    before = picture.copy()
    changed = effect(picture, np.random.default_rng(5))
    assert (picture == before).all()
    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8
    assert (changed != picture).any()


def test_motion_blur_keeps_the_light():
    picture = np.full((32, 32, 3), 130, np.uint8)
    assert np.abs(motion_blur(picture, np.random.default_rng(1)).astype(int) - 130).max() <= 1
