import shutil

from SegAnyPETLib.models.loading import load_model
from SegAnyPETLib.resources import resource_path


def test_a_model_from_a_file_has_the_files_name_so_that_results_tell_it_from_the_bundled_one(tmp_path):
    shutil.copy(resource_path("lite.safetensors"), tmp_path / "ours.safetensors")
    own, bundled = load_model(str(tmp_path / "ours.safetensors")), load_model("lite")
    assert (own.spec.name, bundled.spec.name) == ("ours", "lite")
    assert own.spec.sha256 == bundled.spec.sha256
