"""What an arm leaves out reaches neither its faces nor its content, and all arms train equally long."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from facegate.contracts import AttackSpecies, Task
from facegate.datasets.batches import Crops
from facegate.datasets.modules import CropModule
from facegate.datasets.pack import PackWriter, open_pack
from facegate.datasets.prepare import columns_of
from facegate.errors import PackError
from facegate.models.spoof.network import SpoofNet
from facegate.training.material import assemble
from facegate.training.protocols import (
    CONTENT,
    REFERENCE,
    SIMULATION,
    Arm,
    Kind,
    arms_of,
    held_columns,
    read_lessons,
    train_arm,
)
from tests.training.conftest import toy_params
from tests.training.toy import surrounded, toy_row

KINDS = (
    (AttackSpecies.BONA_FIDE, "live"),
    (AttackSpecies.PRINT, "laser/line"),
    (AttackSpecies.BONA_FIDE, "live"),
    (AttackSpecies.PRINT, "inkjet/ordered"),
    (AttackSpecies.REPLAY_PHONE, "display/pentile"),
    (AttackSpecies.REPLAY_PHONE, "display/rgb"),
)
CAMERAS = ("phone", "webcam", "doorcam", "webcam")


def write(path, people, note=True):
    splits = [name for name, count in people.items() for _ in range(count)]
    with PackWriter(path, columns_of(Task.SPOOF)) as pack:
        for person, split in enumerate(splits):
            for index, (species, variant) in enumerate(KINDS):
                row = surrounded(toy_row(person, index, split, species, 48, Task.SPOOF))
                camera = CAMERAS[(person + index) % len(CAMERAS)]
                notes = {"attributes": json.dumps({"variant": variant})} if note else {}
                pack.write(row | {"camera": camera, "border_visible": False} | notes)
    return open_pack(path)


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    root = tmp_path_factory.mktemp("protocols")
    faces = write(root / "crops", {"train": 6, "val": 3, "test": 2})
    return read_lessons(faces, write(root / "pool", {"train": 4}), framing=True)


def test_arms_name_each_species_and_every_kind_once(tmp_path):
    arms = arms_of(write(tmp_path / "crops", {"train": 2}))
    assert arms[0] == REFERENCE
    assert [arm.name for arm in arms if arm.protocol == "species"] == ["print", "replay_phone"]
    assert len({arm.title for arm in arms}) == len(arms)


def pixels(crops: Crops, keep: Any = slice(None)) -> int:
    """Sum over the pictures, or what they are cut from, of some rows."""
    if not crops.around:
        return int(crops.images[keep].sum())
    return sum(int(crops.around[row].image.sum()) for row in np.arange(len(crops))[keep].tolist())


@pytest.mark.parametrize("arm", SIMULATION, ids=lambda arm: arm.name)
def test_a_simulation_is_left_out_of_faces_and_content(lessons, arm):
    material = lessons.without(arm)
    for name, part in (
        ("train", material.train),
        ("validation", material.validation),
        ("content", material.content),
    ):
        columns = lessons.columns[name]
        held = np.any([np.isin(columns[kind.column], kind.values) for kind in arm.held], axis=0)
        assert 0 < held.sum() < held.size or arm.name == "rgb_rows"
        assert len(part) == len(getattr(lessons, name)) - held.sum()
        whole = getattr(lessons, name)
        assert pixels(part) == pixels(whole, ~held)


def test_a_species_is_left_out_whatever_its_variant(lessons):
    material = lessons.without(Arm("species", "print", (Kind("print", "species", ("print",)),)))
    assert set(material.train.species) == set(material.content.species) == {"bona_fide", "replay_phone"}
    assert len(material.train) == 24


def test_the_reference_leaves_nothing_out_and_content_sees_no_face(lessons):
    assert len(lessons.without(REFERENCE).train) == 36
    material = lessons.without(CONTENT)
    assert material.train is not None and material.content is None
    assert np.array_equal(material.train.images, lessons.content.images)
    assert lessons.train.faces and lessons.validation.faces and not material.train.faces


def test_trained_on_content_alone_the_scene_branch_says_nothing(lessons):
    network = train_arm(CONTENT, lessons, toy_params(Task.SPOOF), 3).network
    assert isinstance(network, SpoofNet)
    assert not any(part.any() for part in network.scene_judge.parameters())


def test_nothing_left_is_an_error(lessons):
    everything = Arm("simulation", "all", (Kind("all", "camera", CAMERAS),))
    with pytest.raises(PackError, match="nothing is left of train"):
        lessons.without(everything)


def test_a_pack_that_names_no_simulation_is_an_error(tmp_path):
    pack = write(tmp_path / "crops", {"train": 1}, note=False)
    with pytest.raises(PackError, match="do not say which simulation"):
        held_columns(pack, np.arange(len(pack)))


@pytest.mark.parametrize("arm", [REFERENCE, CONTENT, SIMULATION[0]], ids=lambda arm: arm.title)
def test_all_arms_train_equally_long(lessons, arm):
    content = {"scenes": 4, "share": 0.25} if arm.faces else None
    params = toy_params(Task.SPOOF, content=content)
    _, data = assemble(lessons.without(arm), params)
    assert isinstance(data, CropModule)
    data.set_steps(5)
    assert len(data.batches) == 5
    assert data.batches[2, 4][0].shape[0] == data.batches.size


def test_an_arm_trains_the_same_twice_and_another_one_otherwise(lessons):
    params = toy_params(Task.SPOOF, content={"scenes": 4, "share": 0.25})

    def weights(arm):
        learner = train_arm(arm, lessons, params, 6)
        return torch.cat([p.flatten() for p in learner.network.parameters()])

    first = weights(REFERENCE)
    assert torch.equal(first, weights(REFERENCE))
    assert not torch.equal(first, weights(CONTENT))
