import pytest
import torch
from torch import nn

from facegate.exporting.rewrite import without_prelu


@pytest.mark.parametrize("slopes", [1, 6])
def test_prelu_without_its_operator_is_the_same_function(slopes: int) -> None:
    prelu = nn.PReLU(slopes)
    with torch.no_grad():
        prelu.weight.uniform_(-0.5, 1.5)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Sequential(prelu))
    x = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    expected = network(x)
    rewritten = without_prelu(network)
    assert not any(isinstance(m, nn.PReLU) for m in rewritten.modules())
    torch.testing.assert_close(rewritten(x), expected)
