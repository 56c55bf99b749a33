"""The weights that a run starts from."""

import pytest
import torch

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.weights import load_weights
from SegAnyPETLib.resources import resource_path
from SegAnyPETLib.training.families.lite import LiteTrainee
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.start_weights import start_file


def test_a_run_starts_from_the_bundled_model_by_its_name(tmp_path):
    net = LiteTrainee(Recipe("own", 1, start_from="lite"), tmp_path).network()
    bundled, _ = load_weights(resource_path("lite.safetensors"))
    for name, tensor in bundled.state_dict().items():
        started = net.state_dict()[name]
        assert torch.equal(started[:1] if name.startswith("head.") else started, tensor)


def test_an_earlier_run_of_the_name_comes_first(tmp_path):
    (tmp_path / "lite.safetensors").touch()
    assert start_file("lite", tmp_path) == tmp_path / "lite.safetensors"
    assert start_file("first", tmp_path) == tmp_path / "first.safetensors"


def test_a_model_that_is_not_installed_is_named_with_what_to_do(tmp_path, home):
    with pytest.raises(InputError, match="weights of 'general' are not installed; run: seganypet weights fetch"):
        start_file("general", tmp_path)
