import shutil

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.loading import load_model
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.resources import resource_path


def test_a_model_from_a_file_has_the_files_name_so_that_results_tell_it_from_the_bundled_one(tmp_path):
    shutil.copy(resource_path("lite.safetensors"), tmp_path / "ours.safetensors")
    own, bundled = load_model(str(tmp_path / "ours.safetensors")), load_model("lite")
    assert (own.spec.name, bundled.spec.name) == ("ours", "lite")
    assert own.spec.sha256 == bundled.spec.sha256


def test_weights_that_changed_on_disk_are_not_used_although_they_have_their_size(home, checkpoint, small_models):
    path = home / store.add("sam-med3d-turbo", checkpoint).file
    assert load_model("sam-med3d-turbo").spec.sha256 == store.installed()["sam-med3d-turbo"].sha256
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="it changed on disk, do not trust it"):
        load_model("sam-med3d-turbo")
