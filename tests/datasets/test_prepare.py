import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, AttackSpecies, Split, Task
from facegate.datasets.pack import PackWriter, encode_png, open_pack
from facegate.datasets.prepare import choose_face, landmark_error, prepare
from facegate.errors import PackError, PictureError
from facegate.faces.align import align, template
from facegate.faces.crop import context_crop
from facegate.faces.detect import Detector, Face
from facegate.faces.picture import load_picture
from facegate.params import PrepareParams

PHOTOS = Path(__file__).parents[1] / "data" / "photos"


def sample(name, data, species=AttackSpecies.BONA_FIDE, split=Split.TRAIN, **more):
    """A row of a sample pack."""
    row = {"sample_id": name, "subject_id": "s", "split": split, "species": species, "source": "test"}
    return {**row, "image": data, "width": 1, "height": 1, **more}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Four photographs with faces, two pictures without one, one that is no picture, one with wrong landmarks."""
    path = tmp_path_factory.mktemp("samples")
    noise = np.random.default_rng(1).integers(0, 256, (120, 120, 3), np.uint8)
    astronaut = (PHOTOS / "astronaut.png").read_bytes()
    face = Detector().detect(load_picture(astronaut))[0]
    with PackWriter(path / "stills", SAMPLE_COLUMNS) as writer:
        writer.write(sample("true", astronaut, landmarks=(face.landmarks + 1).ravel().tolist(), age=30.0))
        writer.write(sample("aside", astronaut, landmarks=(face.landmarks + 300).ravel().tolist()))
        for photo in ("obama.jpg", "obama2.jpg"):
            writer.write(sample(photo, (PHOTOS / photo).read_bytes(), split=Split.TEST))
        writer.write(sample("noise", encode_png(noise), AttackSpecies.PRINT, Split.TEST))
        writer.write(sample("spoilt", b"spoilt", AttackSpecies.PRINT))
    shutil.copytree(path / "stills", path / "attacks")
    return path


def test_every_picture_is_cropped_or_counted_and_listed(samples, tmp_path):
    found = prepare(
        Task.RECOGNITION, samples, tmp_path / "crops", PrepareParams(workers=1), tmp_path / "cache"
    )
    assert (found["pictures"], found["crops"], found["detection_rate"]) == (6, 3, 0.5)
    assert found["missed"] == {
        "aside": "another face found",
        "noise": "no face found",
        "spoilt": "spoilt: the image bytes cannot be decoded",
    }
    assert found["by_species"] == {
        "bona_fide": {"pictures": 4, "crops": 3, "detection_rate": 0.75},
        "print": {"pictures": 2, "crops": 0, "detection_rate": 0.0},
    }
    assert found["by_split"]["test"] == {"pictures": 3, "crops": 2, "detection_rate": 2 / 3}
    assert 0 < found["landmark_error"]["mean"] == found["landmark_error"]["p95"] < 0.1
    pack = open_pack(tmp_path / "crops", CROP_COLUMNS, verify=True)
    assert {k: v for k, v in pack.metadata.items() if k in found} == json.loads(json.dumps(found))
    missed = {sample: (split, species) for sample, _, split, species in pack.metadata["not_acquired"]}
    assert missed.keys() == found["missed"].keys()
    assert missed["noise"] == ("test", "print")
    assert all(subject for _, subject, _, _ in pack.metadata["not_acquired"])
    assert (pack.metadata["task"], pack.metadata["samples_digest"]) == (
        "recognition",
        open_pack(samples / "stills").digest,
    )
    assert not list((tmp_path / "cache").iterdir()), "the shards go once the pack is whole"


def test_crops_are_what_the_runtime_would_cut(samples, tmp_path):
    image = load_picture(PHOTOS / "astronaut.png")
    face = Detector().detect(image)[0]
    params = PrepareParams(workers=1, context_factor=1.7, context_size=96)
    expected = {
        Task.RECOGNITION: ("aligned", align(image, face.landmarks, 112)),
        Task.SPOOF: ("context", context_crop(image, face.box, 1.7, 96)),
    }
    for task, (kind, crop) in expected.items():
        prepare(task, samples, tmp_path / task, params, tmp_path / "cache")
        pack = open_pack(tmp_path / task, CROP_COLUMNS)
        row = pack.row(0)
        np.testing.assert_array_equal(pack.image(0), crop)
        assert (row["crop"], row["width"], row["height"], row["age"]) == (kind, *crop.shape[1::-1], 30.0)
        np.testing.assert_allclose(row["landmarks"], face.landmarks.ravel(), rtol=1e-6)
        np.testing.assert_allclose(row["box"], face.box, rtol=1e-6)


def test_the_count_of_workers_changes_nothing(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("facegate.datasets.prepare.PICTURES_PER_SHARD", 2)
    for workers in (1, 2):
        prepare(
            Task.SPOOF, samples, tmp_path / str(workers), PrepareParams(workers=workers), tmp_path / "cache"
        )
    one, two = (sorted((tmp_path / n).iterdir()) for n in "12")
    assert [(f.name, f.read_bytes()) for f in one] == [(f.name, f.read_bytes()) for f in two]


def test_a_missing_sample_pack_is_told(tmp_path):
    with pytest.raises(PackError, match="no pack here"):
        prepare(Task.SPOOF, tmp_path / "none", tmp_path / "out", PrepareParams())
    assert not (tmp_path / "out").exists()


def face(points, size):
    return Face(np.array([0, 0, size, size], np.float32), np.asarray(points, np.float32), 0.9)


def test_the_face_nearest_to_the_true_landmarks_is_chosen():
    points = template(112)
    large, right = face(points + 200, 300), face(points + 2, 80)
    assert choose_face([large, right], None) == (large, None)
    chosen, error = choose_face([large, right], points.ravel())
    assert chosen is right
    # Every point is off by 2 · √2; the template's eyes are 35.24 apart.
    assert error == pytest.approx(2 * np.sqrt(2) / 35.24, rel=1e-3)


def test_without_landmarks_the_data_sets_own_box_decides():
    large = Face(np.array([0, 0, 300, 300], np.float32), template(112), 0.9)
    small = Face(np.array([400, 10, 80, 90], np.float32), template(112), 0.9)
    assert choose_face([large, small], None, [390, 0, 90, 100]) == (small, None)
    assert choose_face([large, small], None, [900, 900, 10, 10]) == (large, None)


@pytest.mark.parametrize("bad", [np.inf, np.nan, 400])
def test_only_other_faces_is_a_miss(bad):
    points = template(112)
    with pytest.raises(PictureError, match="another face"):
        choose_face([face(points + bad, 80)], points.ravel())


def test_landmark_error_of_coinciding_true_eyes_is_finite():
    points = np.zeros((5, 2), np.float32)
    assert landmark_error(points, points) == 0


def test_a_source_without_pictures_for_the_task_is_told_with_the_way_out(tmp_path):
    with PackWriter(tmp_path / "attacks", SAMPLE_COLUMNS):
        pass
    with pytest.raises(PackError, match=r"nothing for spoof\n.*leave the task out of `tasks`"):
        prepare(Task.SPOOF, tmp_path, tmp_path / "out", PrepareParams(), tmp_path / "cache")
