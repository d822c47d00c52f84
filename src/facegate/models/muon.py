"""Muon for processors without bfloat16.

timm computes the nearest orthogonal matrix in bfloat16 and leaves no choice; a processor that does not multiply it
takes thirty to forty times as long for a step as in float32.
"""

from collections.abc import Callable
from functools import partial

import torch
from timm.optim import muon


class Float32Muon(muon.Muon):
    """timm's Muon with the products of its matrices in float32; its arguments are timm's."""

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; see :meth:`torch.optim.Optimizer.step`."""
        in_bfloat16 = muon.zeropower_via_newtonschulz
        muon.zeropower_via_newtonschulz = partial(in_bfloat16, dtype=torch.float32)  # type: ignore[assignment]
        try:
            return super().step(closure)
        finally:
            muon.zeropower_via_newtonschulz = in_bfloat16
