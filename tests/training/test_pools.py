import json
import re

import numpy as np
import pytest
import torch

from facegate.contracts import POOL_COLUMNS, SAMPLE_COLUMNS, Split, Task
from facegate.datasets.batches import SpeciesBatches, load_crops, species_names
from facegate.datasets.framing import framed
from facegate.datasets.pack import PackWriter, open_pack
from facegate.errors import PackError, ParamsError, SourceError
from facegate.faces.detect import Detector
from facegate.models.blocks import normalise
from facegate.models.checkpoint import load_trained
from facegate.models.recognition.network import Centred
from facegate.models.recognition.teacher import Teacher
from facegate.models.recognition.whitening import nuisance, whitening
from facegate.params import ContentParams, LessonsParams
from facegate.sources.ledger import LEDGER
from facegate.training import content, material, pool
from facegate.training.fit import fit
from facegate.training.material import finishing, load_material
from facegate.training.pools import write_pool
from tests.models.test_teacher import small_teacher
from tests.training.conftest import toy_params

LESSONS = LessonsParams(teacher="sface", pictures=24)
STUDENT = {"lessons": LESSONS.model_dump(), "embedding": 16}
SCENES = ContentParams(scenes=3)


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    small_teacher(folder / "teacher.onnx")
    return folder


@pytest.fixture(scope="module")
def pools(tmp_path_factory, packs, assets):
    """A pool for each task, made in this process."""
    root = tmp_path_factory.mktemp("pools")
    pool.write_lessons(packs[Task.RECOGNITION], assets / "teacher.onnx", root / "r", LESSONS, root / "c", 1)
    content.write_content(root / "s", SCENES, 48, root / "c", 1)
    return {Task.RECOGNITION: root / "r", Task.SPOOF: root / "s"}


def test_student_and_teacher_see_the_same_pixels(pools, assets):
    pack = open_pack(pools[Task.RECOGNITION], POOL_COLUMNS)
    assert len(pack) == LESSONS.pictures
    given = np.stack(pack.column("embedding").tolist())
    np.testing.assert_allclose(Teacher(assets / "teacher.onnx")(pack.images()), given, atol=1e-6)
    assert len({bytes(data) for data in pack.column("image")}) == LESSONS.pictures


def test_shards_and_processes_change_nothing(tmp_path, packs, assets, pools, monkeypatch):
    monkeypatch.setattr(pool, "PER_SHARD", LESSONS.pictures)
    args = (packs[Task.RECOGNITION], assets / "teacher.onnx", tmp_path / "again", LESSONS, tmp_path / "c")
    pool.write_lessons(*args, workers=2)
    assert open_pack(tmp_path / "again").digest == open_pack(pools[Task.RECOGNITION]).digest


def test_the_photographs_in_content_are_free_large_enough_and_without_a_face():
    photographs = content._photographs()
    assert len(photographs) == 2 + len(content.FREE)
    detector = Detector()
    for picture in photographs:
        assert picture.dtype == np.uint8 and picture.shape[2] == 3 and min(picture.shape[:2]) >= 300
        assert detector.detect(picture) == []
    assert set(content.FREE) == set(re.findall(r"\w+", LEDGER["free_photographs"].title.split("(")[1]))
    assert all(LEDGER[name].commercial_use for name in content.PHOTOGRAPHS)


def test_content_shows_every_scene_live_and_attacked_as_often(pools):
    crops = load_crops(pools[Task.SPOOF], Split.TRAIN)
    assert crops.images.shape == (24, 48, 48, 3)
    assert crops.bona_fide.sum() == 12
    for subject in set(crops.subjects.tolist()):
        assert crops.bona_fide[crops.subjects == subject].mean() == 0.5


def test_content_is_framed_anew_from_the_picture_that_was_taken(pools):
    crops = load_crops(pools[Task.SPOOF], Split.TRAIN, framing=True)
    assert crops.images.shape == (0, 48, 48, 3)
    images = load_crops(pools[Task.SPOOF], Split.TRAIN).images
    sides = {len(whole.image) for whole in crops.around}
    assert min(sides) >= 48 and len(sides) > 1
    for whole, image in zip(crops.around, images, strict=True):
        assert np.array_equal(framed(whole, 0.0, 48, np.random.default_rng(0)), image)
    asked = {"names": species_names(crops), "epochs": 1, "strength": 0.0, "seed": 1}
    still, moved = (SpeciesBatches(crops, batch=8, framing=framing, **asked) for framing in (0.0, 0.06))
    rows, labels = (part[0] for part in still.plan(np.random.default_rng(1)))
    assert np.array_equal(still.drawn(rows, labels, np.random.default_rng(2)), images[rows])
    assert not np.array_equal(moved.drawn(rows, labels, np.random.default_rng(2)), images[rows])


def test_content_of_before_says_how_to_make_it_anew(tmp_path, pools):
    pack = open_pack(pools[Task.SPOOF])
    with PackWriter(tmp_path / "old", SAMPLE_COLUMNS, {}) as old:
        names = [column.name for column in SAMPLE_COLUMNS]
        old.write_all(pack.table.select(names).to_pylist())
    with pytest.raises(PackError, match=r"(?s)lacks what surrounds.*content@spoof"):
        load_crops(tmp_path / "old", Split.TRAIN, framing=True)


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
def test_training_takes_the_pool_in_and_resumes(tmp_path, packs, pools, task):
    asked = (
        {"lessons": LESSONS.model_dump(), "distil": {"labelled": 0.5}, "embedding": 16}
        if task is Task.RECOGNITION
        else {"content": SCENES.model_dump()}
    )
    params = asked_params(task, asked)
    whole = fit(task, params, packs[task], tmp_path / "a", tmp_path / "w1", pool=pools[task])

    class Stop:
        rows = 0

        def log(self, metrics, step):
            self.rows += 1
            if self.rows == 2:
                raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(task, params, packs[task], tmp_path / "b", tmp_path / "w2", Stop(), pools[task])
    again = fit(task, params, packs[task], tmp_path / "b", tmp_path / "w2", pool=pools[task])
    assert (tmp_path / "a" / "model.pt").read_bytes() == (tmp_path / "b" / "model.pt").read_bytes()
    assert again.value == whole.value


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_training_people_lie_about_the_centre_as_far_as_the_recipe_says(tmp_path, packs, pools, share):
    """Asked as its export asks, a student says nothing of them that they have in common, or a part of it."""
    task = Task.RECOGNITION
    params = asked_params(task, STUDENT | {"centring": share})
    fit(task, params, packs[task], tmp_path / "a", tmp_path / "w", pool=pools[task])
    _, network = load_trained(tmp_path / "a")
    assert isinstance(network, Centred)
    images = load_crops(packs[task], Split.TRAIN).images
    common = asked_twice(network.learnt, images).mean(0)
    assert float(network.centre.norm()) > 0.01
    left = (1 - share) * common @ network.spread.numpy()
    assert np.linalg.norm(asked_twice(network, images).mean(0) - left) < 1e-5


@pytest.mark.parametrize("recipe", [STUDENT, {"embedding": 16}], ids=["student", "labels"])
def test_embeddings_are_whitened_by_training_people(tmp_path, packs, pools, recipe):
    task = Task.RECOGNITION
    params = asked_params(task, recipe | {"centring": 1.0, "whitening": 0.5})
    fit(task, params, packs[task], tmp_path / "a", tmp_path / "w", pool=pools[task])
    _, network = load_trained(tmp_path / "a")
    assert isinstance(network, Centred)
    images, spoilt, people = finishing(load_material(task, params, packs[task], pools[task]), params)
    assert images.shape == spoilt.shape and not np.array_equal(images, spoilt)
    plain, worse = (asked_twice(network.learnt, part) for part in (images, spoilt))
    matrix = whitening(nuisance(plain, worse, people), 0.5)
    np.testing.assert_allclose(asked_twice(network, images), (plain - plain.mean(0)) @ matrix, atol=1e-4)


def asked_twice(network, images):
    """Mean of what a network says of pictures and of their mirror images, as its export does."""
    pictures = normalise(torch.from_numpy(images))
    with torch.no_grad():
        return ((network(pictures) + network(pictures.flip(3))) / 2).numpy()


def test_a_network_is_finished_with_as_many_people_as_are_needed(packs, pools, monkeypatch):
    task = Task.RECOGNITION
    params = asked_params(task, STUDENT)
    loaded = load_material(task, params, packs[task], pools[task])
    whole = finishing(loaded, params)
    monkeypatch.setattr(material, "FINISHING", 5)
    few = finishing(loaded, params)
    assert len(whole.images) == len(loaded.train) and len(few.images) == 5
    assert len(np.unique(few.people)) <= 1 + 5 // np.bincount(whole.people).min()


def asked_params(task, asked):
    return toy_params(task, **asked)


def test_without_its_pool_a_recipe_says_which_stage_makes_it(tmp_path, packs):
    params = toy_params(Task.RECOGNITION, lessons=LESSONS.model_dump(), embedding=16)
    with pytest.raises(PackError, match=r"`recognition\.lessons` asks for further") as caught:
        fit(Task.RECOGNITION, params, packs[Task.RECOGNITION], tmp_path / "a", tmp_path / "w")
    assert "lessons@recognition" in caught.value.remedy


def test_another_embedding_size_than_the_teachers_is_named(tmp_path, packs, pools):
    params = toy_params(Task.RECOGNITION, lessons=LESSONS.model_dump(), embedding=32)
    with pytest.raises(ParamsError, match="is 32, and the teacher's embeddings have 16"):
        fit(
            Task.RECOGNITION,
            params,
            packs[Task.RECOGNITION],
            tmp_path / "a",
            tmp_path / "w",
            pool=pools[Task.RECOGNITION],
        )


def test_nothing_asked_for_leaves_a_note(tmp_path, packs):
    params = toy_params(Task.SPOOF)
    write_pool(Task.SPOOF, params, packs[Task.SPOOF], tmp_path, tmp_path / "out", tmp_path / "cache")
    assert json.loads((tmp_path / "out" / "nothing.json").read_text())["task"] == "spoof"


def test_a_missing_teacher_is_told_before_any_work(tmp_path, packs):
    params = toy_params(Task.RECOGNITION, lessons=LESSONS.model_dump(), embedding=16)
    with pytest.raises(SourceError, match=r"teacher\.onnx"):
        write_pool(
            Task.RECOGNITION, params, packs[Task.RECOGNITION], tmp_path, tmp_path / "out", tmp_path / "cache"
        )
    assert not (tmp_path / "out").exists()
