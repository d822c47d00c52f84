"""The liveness network: what every frame shows, how the landmarks move, and what becomes of both over time.

Two heads read the features of the trained one-frame spoof network, which stays as it is: a clip sees the medium
as that network does and adds time (``tcn``, ``gru``). Two others learn from small pictures of their own:
``cnn_lstm`` frame by frame with an LSTM behind, ``cnn3d`` in space and time at once.

The input is a film strip (:mod:`facegate.faces.film`): its frames are cut apart and its last line read as motion
cues inside the graph.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from facegate.faces.motion import CUES
from facegate.models.blocks import ConvUnit, scaled
from facegate.models.spoof.network import build_network as build_spoof

CLASSES = ("attack", "bona_fide")
"""Order of the logits."""
SMALL = 40
"""Side of the pictures that ``cnn_lstm`` and ``cnn3d`` see, pixels."""
HIDDEN = 48

Head = Literal["tcn", "gru", "cnn_lstm", "cnn3d"]
READS_SPOOF: tuple[Head, ...] = ("tcn", "gru")


class SpoofFeatures(nn.Module):
    """Features of the spoof network, which is never trained further."""

    def __init__(self, kwargs: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = build_spoof(**kwargs)
        self.network.requires_grad_(False)
        self.features: int = self.network.features  # pyright: ignore[reportAttributeAccessIssue, reportAssignmentType]

    def train(self, mode: bool = True) -> "SpoofFeatures":
        """Always in evaluation mode."""
        del mode
        return super().train(False)

    def forward(self, frames: Tensor) -> Tensor:
        """Features (M, F) of frames (M, 3, S, S)."""
        return self.network.describe(frames)  # pyright: ignore[reportCallIssue]


class SmallPicture(nn.Module):
    """The frame itself, averaged down, as a row of numbers."""

    features = 3 * SMALL * SMALL

    def __init__(self, size: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(size // SMALL)
        self.offset = size // (size // SMALL) - SMALL

    def forward(self, frames: Tensor) -> Tensor:
        """Numbers (M, 3 · 40 · 40) of frames (M, 3, S, S)."""
        start = self.offset // 2
        small = self.pool(frames)[:, :, start : start + SMALL, start : start + SMALL]
        return small.flatten(1)


class TemporalConvolution(nn.Module):
    """Dilated residual convolutions over time (Bai et al., 2018, arXiv:1803.01271), mean and maximum over the clip."""

    def __init__(self, inputs: int, width: float) -> None:
        super().__init__()
        hidden = scaled(HIDDEN, width)
        self.squeeze = nn.Conv1d(inputs, hidden, 1)
        self.layers = nn.ModuleList(nn.Conv1d(hidden, hidden, 3, padding=d, dilation=d) for d in (1, 2, 4))
        self.outputs = 2 * hidden

    def forward(self, sequence: Tensor) -> Tensor:
        """Summary (N, outputs) of sequences (N, T, inputs)."""
        x = torch.relu(self.squeeze(sequence.transpose(1, 2)))
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return torch.cat([x.mean(2), x.amax(2)], 1)


class Recurrent(nn.Module):
    """A GRU or an LSTM, unrolled, so that any runtime knows its operators; mean of its states over the clip."""

    def __init__(self, inputs: int, width: float, cell: type[nn.GRUCell] | type[nn.LSTMCell]) -> None:
        super().__init__()
        self.outputs = scaled(HIDDEN, width)
        self.cell = cell(inputs, self.outputs)

    def forward(self, sequence: Tensor) -> Tensor:
        """Summary (N, outputs) of sequences (N, T, inputs)."""
        state = memory = sequence[:, 0, :1] * torch.zeros(1, self.outputs)
        states: list[Tensor] = []
        for step in range(sequence.shape[1]):
            if isinstance(self.cell, nn.LSTMCell):
                state, memory = self.cell(sequence[:, step], (state, memory))
            else:
                state = self.cell(sequence[:, step], state)
            states.append(state)
        return torch.stack(states, 1).mean(1)


class ConvolutionalLstm(nn.Module):
    """A small network for every frame and an LSTM over what it saw and the cues."""

    def __init__(self, cues: int, width: float) -> None:
        super().__init__()
        channels = [3, *(scaled(c, width) for c in (16, 24, 32))]
        self.frames = nn.Sequential(
            *(ConvUnit(a, b, stride=2) for a, b in pairwise(channels)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.lstm = Recurrent(channels[-1] + cues, width, nn.LSTMCell)
        self.outputs = self.lstm.outputs
        self.cues = cues

    def forward(self, sequence: Tensor) -> Tensor:
        """Summary (N, outputs) of small pictures and cues (N, T, 3 · 40 · 40 + cues)."""
        pictures, cues = sequence[:, :, : -self.cues], sequence[:, :, -self.cues :]
        seen = self.frames(pictures.reshape(-1, 3, SMALL, SMALL)).reshape(*cues.shape[:2], -1)
        return self.lstm(torch.cat([seen, cues], 2))


class SpaceTime(nn.Module):
    """A small 3D-CNN over the clip (Tran et al., 2015, arXiv:1412.0767); the cues' mean and spread beside it."""

    def __init__(self, cues: int, width: float) -> None:
        super().__init__()
        channels = [3, *(scaled(c, width) for c in (12, 24, 32))]
        layers: list[nn.Module] = []
        for depth, (a, b) in enumerate(pairwise(channels)):
            stride = (1 if depth == 0 else 2, 2, 2)
            layers += [nn.Conv3d(a, b, 3, stride, 1, bias=False), nn.BatchNorm3d(b), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten())
        self.outputs, self.cues = channels[-1] + 2 * cues, cues

    def forward(self, sequence: Tensor) -> Tensor:
        """Summary (N, outputs) of small pictures and cues (N, T, 3 · 40 · 40 + cues)."""
        pictures, cues = sequence[:, :, : -self.cues], sequence[:, :, -self.cues :]
        clip = pictures.reshape(*cues.shape[:2], 3, SMALL, SMALL).transpose(1, 2)
        return torch.cat([self.body(clip), cues.mean(1), cues.amax(1)], 1)


class LivenessNet(nn.Module):
    """Frames described one by one, judged together.

    Args:
        head: what judges, see the module.
        frames: in a strip.
        size: side of a frame, pixels.
        width: channel multiplier of the head.
        spoof: arguments of the spoof network whose features are read; unused by heads with pictures of their own.
    """

    def __init__(
        self, head: Head, frames: int, size: int, width: float, spoof: Mapping[str, Any] | None
    ) -> None:
        super().__init__()
        self.frames, self.size = frames, size
        self.encoder = SpoofFeatures(spoof or {}) if head in READS_SPOOF else SmallPicture(size)
        inputs = self.encoder.features + len(CUES)
        heads = {
            "tcn": lambda: TemporalConvolution(inputs, width),
            "gru": lambda: Recurrent(inputs, width, nn.GRUCell),
            "cnn_lstm": lambda: ConvolutionalLstm(len(CUES), width),
            "cnn3d": lambda: SpaceTime(len(CUES), width),
        }
        self.head = heads[head]()
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(self.head.outputs, len(CLASSES))

    def summarise(self, sequence: Tensor) -> Tensor:
        """Summary (N, outputs) of what is known of every frame, (N, T, F + 3)."""
        return self.dropout(self.head(sequence))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 2), order CLASSES, of normalised film strips (N, 3, T · S + 1, S)."""
        shape = (-1, 3, self.frames, self.size, self.size)
        pictures = x[:, :, : self.frames * self.size].reshape(shape).transpose(1, 2)
        described = self.encoder(pictures.reshape(-1, 3, self.size, self.size))
        cues = x[:, :, self.frames * self.size, : self.frames].transpose(1, 2)
        sequence = torch.cat([described.reshape(-1, self.frames, self.encoder.features), cues], 2)
        return self.classifier(self.summarise(sequence))


def build_network(
    head: Head = "tcn",
    frames: int = 12,
    size: int = 160,
    width: float = 1.0,
    spoof: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build a liveness network.

    Returns:
        A network from float RGB of shape (N, 3, frames · size + 1, size), ``(value - 128) / 128``, to logits (N, 2).
    """
    return LivenessNet(head, frames, size, width, spoof)
