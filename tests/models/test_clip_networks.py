"""The liveness heads and the eye network: shapes, sizes, what is frozen, and that they export."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from facegate.contracts import Task
from facegate.exporting.bundles import run_network, run_onnx
from facegate.exporting.calibration_set import normalised
from facegate.exporting.onnx import export, with_head
from facegate.exporting.quantize import quantise
from facegate.faces.film import with_cues
from facegate.faces.motion import CUES
from facegate.models.blocks import parameter_count
from facegate.models.eyes.module import EyeModule, openness
from facegate.models.eyes.network import build_network as build_eyes
from facegate.models.liveness.module import LivenessModule
from facegate.models.liveness.network import READS_SPOOF, LivenessNet, build_network
from facegate.params import OptimParams
from tests.training.conftest import toy_params

HEADS = ("tcn", "gru", "cnn_lstm", "cnn3d")
FRAMES, SIZE = 8, 48


def network(head):
    torch.manual_seed(1)
    spoof = {"width": 0.25, "size": SIZE} if head in READS_SPOOF else None
    return build_network(head, FRAMES, SIZE, 0.5, spoof).eval()


@cache
def exported(head):
    return export(network(head), Task.LIVENESS, (FRAMES * SIZE + 1, SIZE))


def strips(count=3, cue=0.0):
    rng = np.random.default_rng(4)
    frames = rng.integers(0, 256, (count, FRAMES, SIZE, SIZE, 3), np.uint8)
    return np.stack([with_cues(f, np.full((FRAMES, len(CUES)), cue, np.float32)) for f in frames])


@pytest.mark.parametrize("head", HEADS)
def test_every_head_exports_as_it_computes(head):
    net, clips, model = network(head), strips(), exported(head)
    expected = run_network(with_head(net, Task.LIVENESS), clips)
    assert expected.shape == (3, 2)
    assert run_onnx(model, clips) == pytest.approx(expected, abs=1e-5)
    assert run_onnx(model, clips[:1]) == pytest.approx(expected[:1], abs=1e-5)


@pytest.mark.parametrize("head", ["tcn", "cnn_lstm"])
def test_an_int8_head_stays_close(head):
    clips, model = strips(8), exported(head)
    small = quantise(model, clips, "x86-vnni")
    assert run_onnx(small, clips) == pytest.approx(run_onnx(model, clips), abs=0.05)
    if head == "tcn":  # a recurrent cell stays in floating point and, this small, outweighs what was saved
        assert len(small) < len(model)


@pytest.mark.parametrize("head", HEADS)
def test_the_cues_are_read_from_the_last_line(head):
    net = network(head)
    with torch.inference_mode():
        still, moving = (net(torch.from_numpy(normalised(strips(1, cue)))) for cue in (0.0, 0.5))
    assert not torch.allclose(still, moving)


def test_the_strip_equals_descriptions_and_cues_side_by_side():
    net, clips = network("tcn"), strips(2, 0.25)
    assert isinstance(net, LivenessNet)
    x = torch.from_numpy(normalised(clips))
    with torch.inference_mode():
        frames = torch.from_numpy(normalised(clips[:, :-1].reshape(-1, SIZE, SIZE, 3)))
        described = net.encoder(frames).reshape(2, FRAMES, -1)
        sequence = torch.cat([described, torch.full((2, FRAMES, len(CUES)), 0.25)], 2)
        assert torch.allclose(net.classifier(net.summarise(sequence)), net(x), atol=1e-5)


def test_training_leaves_the_spoof_network_alone():
    optim = OptimParams(epochs=1, batch_size=4, learning_rate=0.01, weight_decay=0.0)
    kwargs = {
        "head": "gru",
        "frames": FRAMES,
        "size": SIZE,
        "width": 0.5,
        "spoof": {"width": 0.25, "size": SIZE},
    }
    source: Any = network("gru")
    weights = source.encoder.network.state_dict()
    module: Any = LivenessModule(kwargs, weights, 3, optim).train()
    encoder = module.network.encoder
    assert not encoder.training
    assert not any(p.requires_grad for p in encoder.parameters())
    loss = module.loss_of(torch.randn(4, FRAMES, encoder.features + len(CUES)), torch.tensor([0, 0, 1, 2]))
    loss.backward()
    assert all(p.grad is not None for p in module.network.head.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in encoder.network.state_dict().items())


def test_the_eye_network_is_small_and_answers_for_single_eyes():
    net = build_eyes().eval()
    assert parameter_count(net) <= 50_000
    assert net(torch.zeros(5, 3, 32, 32)).shape == (5, 2)


def test_openness_falls_evenly_between_clearly_open_and_clearly_closed():
    found = openness(torch.tensor([0, 35, 50, 65, 100]))
    assert found.tolist() == pytest.approx([0.97, 0.97, 0.5, 0.03, 0.03])


def test_the_eye_metric_ranks_open_above_closed():
    module = EyeModule(toy_params(Task.EYES).eyes)
    outputs = torch.tensor([[0.0, 3.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert module.metric_of(outputs, torch.tensor([5, 95, 10, 80])) == 1.0
    assert module.metric_of(outputs, torch.tensor([5, 5, 5, 5])) == 0.5
