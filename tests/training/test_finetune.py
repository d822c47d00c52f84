"""A trained network learns a few people more and stays where it is for others."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from facegate.contracts import Split, Task
from facegate.datasets.batches import Crops, load_crops
from facegate.datasets.pack import decode_image
from facegate.errors import CheckpointError
from facegate.models.blocks import normalise
from facegate.models.checkpoint import WEIGHTS, load_trained, read_description
from facegate.params import FinetuneParams
from facegate.training.finetune import Lesson, anchors, finetune
from facegate.training.fit import fit
from tests.training.conftest import toy_params
from tests.training.toy import SPECIES, toy_picture

TASK = Task.RECOGNITION
RECIPE = FinetuneParams.model_validate(
    {
        "anchors": 64,
        "pseudo_identities": 0,
        "augmentation": 0.0,
        "freeze": {"epochs": 1},
        "optim": {"epochs": 8, "batch_size": 16, "learning_rate": 1e-2, "weight_decay": 0.0},
    }
)


def people(first: int, count: int, pictures: range) -> Crops:
    kinds = [(person, index) for person in range(first, first + count) for index in pictures]
    images = np.stack([toy_picture(person, index, SPECIES[0], 112) for person, index in kinds])
    return Crops(images, np.array([f"p{person}" for person, _ in kinds]), np.full(len(kinds), "bona_fide"))


@pytest.fixture(scope="module")
def parent(tmp_path_factory, packs):
    root = tmp_path_factory.mktemp("parent")
    fit(
        TASK,
        toy_params(
            TASK, coarse=0.0, whitening=0.0, optim={"epochs": 12, "optimizer": "adamw", "learning_rate": 1e-3}
        ),
        packs[TASK],
        root / "out",
        root / "work",
    )
    return root / "out"


@pytest.fixture(scope="module")
def lesson(packs):
    return Lesson(
        people(100, 4, range(3)), load_crops(packs[TASK], Split.TRAIN), load_crops(packs[TASK], Split.VAL)
    )


def embedded(folder, images):
    with torch.no_grad():
        raw = load_trained(folder)[1](normalise(torch.from_numpy(images)))
    return torch.nn.functional.normalize(raw)


def train(parent, lesson, out, **changes):
    recipe = RECIPE.model_copy(update=changes)
    finetune(parent, lesson, recipe, toy_params(TASK).trainer, out, {"parent": "m/1"})
    return out


def told_apart(vectors, subjects):
    """Area under the ROC of mated pairs against all others; it knows nothing of how narrow a cone embeddings lie in."""
    mated = subjects[:, None] == subjects
    pairs = np.triu_indices(len(subjects), 1)
    return roc_auc_score(mated[pairs], (vectors @ vectors.T).numpy()[pairs])


def grainy(images):
    """As a bad camera takes them; without it the parent tells toy people apart before it learned them."""
    noise = np.random.default_rng(0).normal(0, 40, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def test_people_are_told_apart_in_pictures_that_were_not_learned(parent, lesson, tmp_path):
    gently = RECIPE.optim.model_copy(update={"learning_rate": 1e-3})
    out = train(parent, lesson, tmp_path / "out", optim=gently)
    held = people(100, 4, range(3, 6))
    before, after = (
        told_apart(embedded(folder, grainy(held.images)), held.subjects) for folder in (parent, out)
    )
    assert after >= 0.99
    assert 1 - after < 0.25 * (1 - before)


def test_anchors_hold_strangers_in_place(parent, lesson, tmp_path):
    gently = RECIPE.optim.model_copy(update={"learning_rate": 3e-3})
    loose, held = (
        train(parent, lesson, tmp_path / f"{weight}", anchor_weight=weight, optim=gently)
        for weight in (0.0, 30.0)
    )
    others = people(200, 6, range(4)).images
    where = embedded(parent, others)
    moved = [1 - (embedded(folder, others) * where).sum(1).mean() for folder in (loose, held)]
    assert moved[1] < 0.5 * moved[0]


def test_same_bytes_again_and_the_parent_untouched(parent, lesson, tmp_path):
    before = (parent / WEIGHTS).read_bytes()
    one, two = (train(parent, lesson, tmp_path / name) for name in "ab")
    assert (one / WEIGHTS).read_bytes() == (two / WEIGHTS).read_bytes() != before
    assert (parent / WEIGHTS).read_bytes() == before
    known = read_description(one)
    assert known["kwargs"] == read_description(parent)["kwargs"]
    assert (known["training"]["parent"], known["training"]["epochs"]) == ("m/1", 8)


def test_an_anchor_is_where_the_network_puts_it(parent, lesson):
    network = load_trained(parent)[1]
    pool = anchors(network, lesson.strangers, RECIPE)
    assert len(pool) == 64
    picture = decode_image(pool.images[5], "an anchor")
    with torch.no_grad():
        there = network(normalise(torch.from_numpy(picture[None])))
    np.testing.assert_allclose(torch.nn.functional.normalize(there)[0], pool.embeddings[5], atol=1e-5)


def test_only_a_recogniser_can_learn_people(packs, lesson, tmp_path):
    params = toy_params(Task.SPOOF, optim={"epochs": 1})
    fit(Task.SPOOF, params, packs[Task.SPOOF], tmp_path / "spoof", tmp_path / "work")
    with pytest.raises(CheckpointError, match="a network for spoof"):
        train(tmp_path / "spoof", lesson, tmp_path / "out")
