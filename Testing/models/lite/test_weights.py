import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.lite.weights import EARLIER_LAYOUT, EARLIER_MAPS, LAYOUT, load_weights, save_weights
from SegAnyPETLib.models.spec import ModelSpec

SPEC = ModelSpec("lite", 32, (2.0, 6.5), licence="none")


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(1)
    net = LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval()
    path = tmp_path / "w.safetensors"
    save_weights(net, SPEC, path)
    return net, path


def rewritten(path, tensors, **about):
    metadata = {"layout": LAYOUT, "maps": json.dumps(MAPS), "channels": "[8, 16]", "blocks": "[1, 1]", "masks": "4"}
    save_file(tensors, path, metadata={**metadata, "spec": json.dumps(SPEC.to_dict()), **about})


def test_weights_come_back_as_they_were_to_half_precision(saved):
    net, path = saved
    loaded, spec = load_weights(path)
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert (spec.name, spec.size, spec.spacing_mm) == ("lite", 32, (2.0, 6.5))
    assert len(spec.sha256) == 64
    assert not loaded.training


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.safetensors is missing"):
        load_weights(tmp_path / "none.safetensors")


def test_a_truncated_file_is_refused(saved):
    _, path = saved
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a readable weights file"):
        load_weights(path)


def test_a_pickle_is_refused_without_being_run(tmp_path):
    path = tmp_path / "evil.safetensors"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="not a readable weights file"):
        load_weights(path)


def test_another_layout_is_refused(saved):
    _, path = saved
    rewritten(path, load_file(path), layout="another")
    with pytest.raises(InputError, match="another layout"):
        load_weights(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spec", "{"),
        ("spec", '{"speed": 1}'),
        ("channels", "7"),
        ("channels", "[-8, 16]"),
        ("channels", "[1, 16]"),
        ("spec", json.dumps(SPEC.to_dict() | {"size": 50})),
        ("blocks", '["a", 1]'),
        ("masks", "0"),
        ("masks", "99"),
    ],
)
def test_a_damaged_description_is_refused(saved, key, value):
    _, path = saved
    rewritten(path, load_file(path), **{key: value})
    with pytest.raises(InputError, match="is damaged"):
        load_weights(path)


def test_missing_and_misshapen_tensors_are_named(saved):
    _, path = saved
    tensors = load_file(path)
    del tensors["head.bias"]
    tensors["head.weight"] = torch.zeros(2, 2)
    rewritten(path, tensors)
    with pytest.raises(InputError, match=r"head\.bias.*head\.weight"):
        load_weights(path)


def test_weights_of_the_earlier_layout_are_one_mask_without_regard_to_the_further_map(tmp_path):
    torch.manual_seed(1)
    old = LiteNet(len(EARLIER_MAPS), channels=(8, 16), blocks=(1, 1), masks=1).eval()
    path = tmp_path / "old.safetensors"
    rewritten(path, old.state_dict(), layout=EARLIER_LAYOUT, maps=json.dumps(EARLIER_MAPS))
    net, _ = load_weights(path)
    maps = torch.randn(1, len(MAPS), 16, 16, 16)
    with torch.no_grad():
        assert net.masks == 1
        torch.testing.assert_close(net(maps).logits, old(maps[:, :-1]).logits, rtol=1e-3, atol=1e-4)
