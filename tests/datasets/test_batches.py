import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from facegate.contracts import Split
from facegate.datasets.batches import (
    ContentBeside,
    Crops,
    PeopleBatches,
    Pool,
    PoolBatches,
    SpeciesBatches,
    load_crops,
    species_names,
)
from facegate.datasets.modules import EpochKeys
from facegate.datasets.pack import encode_png
from facegate.errors import PackError


def crops(people=5, pictures=4, size=32):
    rng = np.random.default_rng(3)
    subjects = np.repeat([f"p{k}" for k in range(people)], pictures)
    species = np.resize(["bona_fide", "print", "mask_rigid"], len(subjects))
    return Crops(rng.integers(0, 256, (len(subjects), size, size, 3), np.uint8), subjects, species)


def people(**changes):
    options = {"people": 4, "pictures": 2, "pseudo": 1, "epochs": 4, "strength": 0.8, "seed": 9} | changes
    return PeopleBatches(crops(), **options)


def species(**changes):
    options = {"batch": 6, "epochs": 4, "strength": 0.8, "seed": 9, "names": species_names(crops())}
    return SpeciesBatches(crops(), **(options | changes))


def epoch_of(data, epoch, workers):
    keys = EpochKeys(data.steps)
    keys.set_epoch(epoch)
    options = {"persistent_workers": True, "multiprocessing_context": "fork"} if workers else {}
    loader = DataLoader(data, batch_size=None, sampler=keys, num_workers=workers, **options)
    return [(images.clone(), labels.clone()) for images, labels in loader]


def same(left, right):
    return all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("make", [people, species])
def test_workers_change_no_batch(make):
    """The library's known defect: each worker starts from the same random state, each epoch repeats the last."""
    alone = [epoch_of(make(), epoch, 0) for epoch in (0, 1)]
    for workers in (1, 2):
        assert same(epoch_of(make(), 0, workers), alone[0])
        assert same(epoch_of(make(), 1, workers), alone[1])
    assert not same(alone[0], alone[1])
    pictures = [images.numpy().tobytes() for epoch in alone for images, _ in epoch]
    assert len(set(pictures)) == len(pictures)


def test_persistent_workers_learn_of_the_next_epoch():
    data = people()
    keys = EpochKeys(data.steps)
    loader = DataLoader(
        data,
        batch_size=None,
        sampler=keys,
        num_workers=2,
        persistent_workers=True,
        multiprocessing_context="fork",
    )
    seen = []
    for epoch in (0, 1):
        keys.set_epoch(epoch)
        seen.append([(images.clone(), labels.clone()) for images, labels in loader])
    assert same(seen[0], epoch_of(people(), 0, 0))
    assert same(seen[1], epoch_of(people(), 1, 0))


def test_seed_changes_the_batches():
    assert not same(epoch_of(people(), 0, 0), epoch_of(people(seed=10), 0, 0))


def test_augmentation_grows_stronger():
    calm, strong = [], []
    data = people(strength=1.0, pseudo=0)
    plain = people(strength=0.0, pseudo=0)
    for step in range(data.steps):
        calm.append(torch.equal(data[0, step][1], plain[0, step][1]))
        strong.append(torch.equal(data[3, step][0], plain[3, step][0]))
    assert torch.equal(data[0, 0][0], plain[0, 0][0])
    assert all(calm)
    assert not any(strong)


def test_pseudo_identities_are_classes_of_their_own():
    data = people(people=10, pictures=2)
    assert data.identities == 10
    rows, labels = data.plan(np.random.default_rng(0))
    assert sorted(set(labels.ravel().tolist())) == list(range(10))
    source = crops().subjects[rows]
    assert all(source[0, k] == f"p{labels[0, k] // 2}" for k in range(rows.shape[1]))
    originals = data.crops.images[rows[0]]
    warped = data.pictures(rows[0], labels[0])
    for before, after, label in zip(originals, warped, labels[0], strict=True):
        assert np.array_equal(before, after) == (label % 2 == 0)


def test_fewer_people_than_asked_make_smaller_batches():
    assert people(people=64, pseudo=0).size == 5 * 2


def test_species_labels_start_with_bona_fide():
    data = species()
    assert data.names == species_names(crops()) == ["bona_fide", "mask_rigid", "print"]
    labels = data[0, 0][1].tolist()
    assert labels.count(0) == 3


def test_one_person_is_too_few():
    with pytest.raises(PackError, match="needs two"):
        PeopleBatches(crops(people=1), people=4, pictures=2, pseudo=0, epochs=1, strength=0.0, seed=1)


def test_the_test_split_is_refused(tmp_path):
    with pytest.raises(PackError, match="test split"):
        load_crops(tmp_path, Split.TEST)


def test_processes_share_an_epoch_without_overlap():
    keys = [EpochKeys(9, rank, 2) for rank in (0, 1)]
    for part in keys:
        part.set_epoch(3)
    first, second = (list(part) for part in keys)
    assert first == [(3, 0), (3, 2), (3, 4), (3, 6)]
    assert second == [(3, 1), (3, 3), (3, 5), (3, 7)]


def test_content_stands_behind_the_faces_under_numbers_behind_theirs():
    rng = np.random.default_rng(4)
    kinds = np.array(["bona_fide", "makeup"] * 3)
    other = Crops(rng.integers(0, 256, (6, 32, 32, 3), np.uint8), np.array(["c"] * 6), kinds, faces=False)
    names = species_names(crops(), other)
    assert names == ["bona_fide", "makeup", "mask_rigid", "print"]
    faces = species(names=names)
    content = SpeciesBatches(other, batch=6, epochs=4, strength=0.0, seed=9, names=names)
    data = ContentBeside(faces, content)
    assert (len(data), data.size) == (faces.steps, faces.size + 6)
    images, labels = data[2, 1]
    seen, kinds = faces[2, 1]
    assert same([(images[: faces.size], labels[: faces.size])], [(seen, kinds)])
    assert {names[label - len(names)] for label in labels[faces.size :].tolist()} == {"bona_fide", "makeup"}
    assert labels[faces.size :].min() >= len(names)


def test_a_pool_is_walked_through_once_before_anything_comes_again():
    pictures = [encode_png(np.full((8, 8, 3), 50 * k, np.uint8)) for k in range(5)]
    pool = Pool(pictures, np.eye(5, dtype=np.float32))
    data = PoolBatches(pool, None, size=2, steps=3, seed=2)
    seen = []
    for key in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
        images, (target, labels) = data[key]
        assert not len(labels)
        level = images.float().mean((1, 2, 3)) / 50
        assert torch.equal(level.round().long(), target.argmax(1))
        seen += target.argmax(1).tolist()
    assert sorted(seen[:5]) == sorted(seen[5:]) == list(range(5))
    assert seen[:5] != seen[5:]
    assert same([data[1, 0][:1] * 2], [data[1, 0][:1] * 2])


def test_half_of_the_pool_comes_mirrored_whichever_half_it_is_and_keeps_its_answer():
    ramp = np.repeat(np.arange(16, dtype=np.uint8)[None, :, None] * 5, 16, axis=0).repeat(3, axis=2)
    pool = Pool([encode_png(ramp + np.uint8(100 * k)) for k in range(2)], np.eye(2, dtype=np.float32))
    data = PoolBatches(pool, None, size=64, steps=2, seed=2)
    images, (target, _) = data[0, 0]
    assert torch.equal((images.float().mean((1, 2, 3)) > 90).long(), target.argmax(1))
    mirrored = falls(images)
    assert 16 < int(mirrored.sum()) < 48
    assert not torch.equal(mirrored, falls(data[0, 1][0]))


def falls(images):
    """Which pictures are lighter on their left half."""
    left, right = images.float().mean((1, 3)).chunk(2, 1)
    return left.mean(1) > right.mean(1)


def test_labelled_people_stand_behind_the_taught_faces():
    pool = Pool([encode_png(np.zeros((32, 32, 3), np.uint8))] * 5, np.eye(5, dtype=np.float32))
    labelled = people()
    data = PoolBatches(pool, labelled, size=12, steps=3, seed=2)
    images, (target, labels) = data[0, 1]
    assert images.shape == (12, 32, 32, 3)
    assert (len(target), len(labels)) == (4, 8)
    assert torch.equal(images[4:], labelled[0, 1][0])
