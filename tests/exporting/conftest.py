"""Small networks of the same make as the real ones, exported once, and a pack of crops: no training needed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facegate.contracts import CROP_COLUMNS, Task
from facegate.datasets.pack import Pack, PackWriter, encode_png, open_pack
from facegate.exporting.onnx import export

SIZE = 32
Pictures = NDArray[np.uint8]


def unit(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = unit(channels, channels)
        self.second = unit(channels, channels)[:2]

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Embedder(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            unit(3, 16, 2),
            Residual(16),
            unit(16, 32, 2),
            nn.Conv2d(32, 32, 8, groups=32, bias=False),
            nn.BatchNorm2d(32),
            nn.Flatten(),
            nn.Linear(32, 24, bias=False),
            nn.BatchNorm1d(24, affine=False),
        )


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.AvgPool2d(2), unit(3, 16, 2), unit(16, 16), unit(16, 32, 2))
        self.last = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x).mean((2, 3)))


def settled(network: nn.Module) -> nn.Module:
    """The network with random weights and batch statistics to match."""
    generator = torch.Generator().manual_seed(5)
    network.train()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5, generator=generator)
        for _ in range(20):
            network(torch.randn(16, 3, SIZE, SIZE, generator=generator) * 0.5)
    return network.eval()


def painted(count: int, seed: int, size: int = SIZE) -> Pictures:
    """Smooth coloured noise, shape (count, size, size, 3)."""
    noise = np.random.default_rng(seed).normal(128, 400, (count, size, size, 3)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(p, (0, 0), 2.5) for p in noise]).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    return painted(48, seed=1)


@pytest.fixture(scope="session")
def embedder() -> nn.Module:
    return settled(Embedder())


@pytest.fixture(scope="session")
def judge() -> nn.Module:
    return settled(Judge())


@pytest.fixture(scope="session")
def embedder_onnx(embedder: nn.Module) -> bytes:
    return export(embedder, Task.RECOGNITION, SIZE)


@pytest.fixture(scope="session")
def judge_onnx(judge: nn.Module) -> bytes:
    return export(judge, Task.SPOOF, SIZE)


def crop_row(index: int, split: str, image: Pictures) -> dict[str, Any]:
    """Row of a crop pack: three crops a person, every third an attack."""
    return {
        "sample_id": f"{split}-{index:03d}",
        "subject_id": f"{split}-{index // 3:03d}",
        "split": split,
        "species": "print" if index % 3 == 2 else "bona_fide",
        "image": encode_png(image),
        "width": image.shape[1],
        "height": image.shape[0],
        "source": "synthetic",
        "crop": "aligned",
        "detection_score": 0.9,
        "box": [0.0, 0.0, 1.0, 1.0],
        "landmarks": [0.0] * 10,
    }


@pytest.fixture(scope="session")
def make_pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Pack]:
    """Writes a crop pack of 36 training, 24 validation and 12 test crops of a size."""

    def make(size: int) -> Pack:
        path: Path = tmp_path_factory.mktemp("crops") / "pack"
        with PackWriter(path, CROP_COLUMNS) as writer:
            for seed, (split, count) in enumerate((("test", 12), ("train", 36), ("val", 24))):
                images = painted(count, seed, size)
                writer.write_all(crop_row(i, split, images[i]) for i in range(count))
        return open_pack(path)

    return make
