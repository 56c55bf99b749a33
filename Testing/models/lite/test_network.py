import pytest
import torch

from SegAnyPETLib.models.lite.network import LiteNet


def small_net():
    torch.manual_seed(0)
    return LiteNet(3, channels=(8, 16), blocks=(1, 1)).eval()


def test_logits_lie_on_the_windows_grid():
    assert small_net()(torch.zeros(2, 3, 16, 32, 16)).shape == (2, 16, 32, 16)


def test_every_parameter_takes_part_in_the_answer():
    net = small_net()
    net(torch.randn(1, 3, 16, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.slow
def test_a_change_in_one_corner_reaches_the_other_through_the_coarse_levels():
    torch.manual_seed(0)
    net = LiteNet(1).eval()
    maps = torch.zeros(1, 1, 32, 32, 32)
    changed = maps.clone()
    changed[..., 0, 0, 0] = 5.0
    with torch.no_grad():
        assert (net(maps) - net(changed))[0, 31, 31, 31].abs() > 0
