import pytest
import torch

from SegAnyPETLib.models.lite.network import LiteNet, mask_features, with_more_maps, with_more_masks


def small_net():
    torch.manual_seed(0)
    return LiteNet(3, channels=(8, 16), blocks=(1, 1)).eval()


def test_logits_lie_on_the_windows_grid():
    logits, dice = small_net()(torch.zeros(2, 3, 16, 32, 16))
    assert logits.shape == (2, 4, 16, 32, 16)
    assert dice.shape == (2, 4)


def test_every_parameter_takes_part_in_the_answer():
    net = small_net()
    logits, dice = net(torch.randn(2, 3, 16, 16, 16))
    (logits.square().sum() + dice.square().sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.slow
def test_a_change_in_one_corner_reaches_the_other_through_the_coarse_levels():
    torch.manual_seed(0)
    net = LiteNet(1).eval()
    maps = torch.zeros(1, 1, 32, 32, 32)
    changed = maps.clone()
    changed[..., 0, 0, 0] = 5.0
    with torch.no_grad():
        assert (net(maps).logits - net(changed).logits)[0, 0, 31, 31, 31].abs() > 0


def test_a_network_of_one_mask_has_no_estimate():
    assert LiteNet(3, channels=(8, 16), blocks=(1, 1), masks=1)(torch.zeros(1, 3, 16, 16, 16)).dice is None


def test_the_first_of_more_masks_and_further_maps_change_nothing_at_the_start():
    torch.manual_seed(0)
    old = LiteNet(3, channels=(8, 16), blocks=(1, 1), masks=1).eval()
    new = with_more_masks(with_more_maps(old, 5)).eval()
    maps = torch.randn(1, 5, 16, 16, 16)
    with torch.no_grad():
        before, after = old(maps[:, :3]).logits, new(maps).logits
    torch.testing.assert_close(after[:, :1], before, rtol=1e-3, atol=1e-4)
    volumes = (after > 0).sum((2, 3, 4))[0]
    assert volumes[1] < volumes[0] < volumes[2]


def test_the_estimate_sees_the_mean_features_and_the_volume_of_each_mask():
    logits = torch.full((1, 2, 4, 4, 4), -30.0)
    logits[0, 0, :2] = 30.0
    features = torch.zeros(1, 1, 4, 4, 4)
    features[0, 0, :2] = 3.0
    within, facts = mask_features(logits, features)
    assert within[0].tolist() == pytest.approx([3.0 * 32 / 33, 0.0], abs=1e-4)
    share, certainty, volume, overlap = facts.reshape(2, 4)[0].tolist()
    assert (share, overlap) == pytest.approx((0.5, 2 * 32 / 65), abs=1e-4)
    assert certainty == pytest.approx(32 / 33, abs=1e-4)
    assert volume == pytest.approx(torch.log1p(torch.tensor(32.0)).item() / 8, abs=1e-4)
