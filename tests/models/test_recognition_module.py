"""What the recogniser's training sees of its pictures, and when."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from facegate.models.blocks import normalise
from facegate.models.learner import Finishing
from facegate.models.recognition.module import COARSE_SIDE, StudentModule, network_kwargs
from facegate.params import LessonsParams, OptimParams, RecognitionParams

PARAMS = RecognitionParams(
    width=0.25,
    embedding=32,
    people_per_batch=2,
    lessons=LessonsParams(teacher="sface", pictures=4),
    coarse=0.5,
    mirrored=True,
    optim=OptimParams(epochs=1, batch_size=4, learning_rate=1e-3, weight_decay=0.0),
)


@pytest.fixture
def student(monkeypatch, request):
    step = getattr(request, "param", 0)
    trainer = SimpleNamespace(global_step=step, estimated_stepping_batches=10)
    monkeypatch.setattr(StudentModule, "trainer", trainer)
    return StudentModule(PARAMS, torch.eye(32), 0)


def pictures(side):
    return torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("student", "side"), [(0, COARSE_SIDE), (4, COARSE_SIDE), (5, 112), (9, 112)], indirect=["student"]
)
def test_pictures_are_coarse_at_first_and_whole_later(student, side):
    seen = student.seen(pictures(112))
    assert seen.dtype == torch.uint8
    assert seen.shape == (2, side, side, 3)
    assert student.network.train().body(normalise(seen)).shape == (2, 32)


def test_training_sees_them_so(student, monkeypatch):
    sides = []
    monkeypatch.setattr(
        student, "loss_of", lambda images, labels: sides.append(images.shape) or torch.zeros(())
    )
    monkeypatch.setattr(student, "log", lambda *_, **__: None)
    student.training_step((pictures(112), None), 0)
    assert sides == [(2, 3, COARSE_SIDE, COARSE_SIDE)]


def test_a_coarse_picture_keeps_its_light(student):
    plain = pictures(1).expand(2, 112, 112, 3)
    assert torch.equal(student.seen(plain), plain[:, :COARSE_SIDE, :COARSE_SIDE])


def test_the_recipe_says_whether_the_mirror_image_is_asked_about(student):
    assert network_kwargs(PARAMS)["mirrored"] is True
    assert student.network.mirrored is True


def test_without_whitening_the_stretching_of_the_network_gone_on_from_is_taken_back(student):
    student.network.spread.fill_(2.0)
    images = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), np.uint8)
    student.eval().finish(Finishing(images, images, np.arange(3)))
    torch.testing.assert_close(student.network.spread, torch.eye(32))


def test_labels_weigh_as_the_recipe_says(student):
    torch.manual_seed(0)
    student = StudentModule(PARAMS, torch.eye(32), identities=2).train()
    images, target = torch.rand(8, 3, 112, 112), torch.nn.functional.normalize(torch.randn(4, 32))
    losses = []
    for weight in (0.0, 0.5, 1.0):
        student.labelled_weight = weight
        losses.append(float(student.loss_of(images, (target, torch.tensor([0, 0, 1, 1]))).detach()))
    taught, half, whole = losses
    assert half - taught == pytest.approx((whole - taught) / 2, rel=1e-4) != 0


def test_a_students_batch_need_not_be_whole_people():
    changed = PARAMS.model_dump() | {"people_per_batch": 3}
    RecognitionParams.model_validate(changed)
    with pytest.raises(ValueError, match="multiple of people_per_batch"):
        RecognitionParams.model_validate(changed | {"lessons": None})
