"""From a seed on the command line to a phantom that can be evaluated on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.commands.common.outputs import filling
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.evaluation.manifest import read_manifest
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.io import read_image, read_labels, write_volume
from SegAnyPETLib.volume.volume import Volume


@pytest.fixture
def organ_map(tmp_path: Path) -> Path:
    """A small body: a liver, a bladder and lungs."""
    organs = np.zeros((40, 20, 30), np.uint8)
    organs[4:8, 8:12, 12:18] = Tissue.BLADDER
    organs[16:24, 6:14, 16:26] = Tissue.LIVER
    organs[26:36, 6:14, 4:12] = Tissue.LUNGS
    organs[26:36, 6:14, 18:26] = Tissue.LUNGS
    path = tmp_path / "organs_in.nii.gz"
    write_volume(Volume(organs, np.diag([8.0, 8.0, 8.0, 1.0])), path)
    return path


def make(organ_map: Path, folder: Path, seed: int) -> None:
    assert main(["phantom", "--output", str(folder), "--organ-map", str(organ_map), "--seed", str(seed)]) == 0


def test_a_phantom_comes_with_its_truth(organ_map: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "phantom"
    make(organ_map, folder, seed=1)
    image, lesions, organs = (read_image(folder / f"{n}.nii.gz") for n in ("pet", "lesions", "organs"))
    assert image.same_grid(lesions)
    assert image.same_grid(organs)
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["organs"]["3"] == "liver"
    assert truth["lesions"]
    for lesion in truth["lesions"]:
        assert lesions.array_kji[lesions.nearest_kji(lesion["click_ras"])] == lesion["label"]
        voxels = np.count_nonzero(lesions.array_kji == lesion["label"])
        assert lesion["volume_ml"] == pytest.approx(voxels * lesions.voxel_ml, rel=1e-4)
    assert "click R,A,S" in capfd.readouterr().out


def test_the_manifest_of_a_phantom_names_lesions_and_organs(organ_map: Path, tmp_path: Path) -> None:
    make(organ_map, tmp_path / "phantom", seed=1)
    cases = read_manifest(tmp_path / "phantom" / "manifest.json")
    assert [case.id for case in cases] == ["lesions", "organs"]
    assert all(read_labels(case.label).same_grid(read_image(case.image)) for case in cases)


def test_equal_seeds_give_equal_phantoms_and_others_differ(organ_map: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make(organ_map, tmp_path / name, seed)
    a, b, c = (read_image(tmp_path / name / "pet.nii.gz") for name in "abc")
    assert np.array_equal(a.array_kji, b.array_kji)
    assert a.shape_kji != c.shape_kji or not np.array_equal(a.array_kji, c.array_kji)


@pytest.mark.parametrize("label", [0, 99])
def test_a_map_without_organs_is_refused(label: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.nii.gz"
    write_volume(Volume(np.full((4, 4, 4), label, np.uint8), np.eye(4)), path)
    assert main(["phantom", "--output", str(tmp_path / "out"), "--organ-map", str(path)]) == 2
    assert "organ" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_map_in_metres_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.nii.gz"
    write_volume(Volume(np.full((4, 4, 4), 3, np.uint8), np.diag([0.004, 0.004, 0.004, 1])), path)
    assert main(["phantom", "--output", str(tmp_path / "out"), "--organ-map", str(path)]) == 2
    assert "voxel size" in capfd.readouterr().err


def test_a_phantom_is_written_as_a_whole_or_not_at_all(
    organ_map: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "phantom"
    (folder / "truth.json").mkdir(parents=True)
    assert main(["phantom", "--output", str(folder), "--organ-map", str(organ_map)]) == 2
    assert "truth.json is a folder" in capfd.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["truth.json"]


def test_a_failure_leaves_no_folder_behind(tmp_path: Path) -> None:
    def fill() -> None:
        with filling(tmp_path / "new") as folder:
            (folder / "part").touch()
            raise OSError("the disk is full")

    with pytest.raises(SegAnyPETError, match="cannot be filled"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder_to_write_to(organ_map: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["phantom", "--output", str(organ_map), "--organ-map", str(organ_map)]) == 2
    assert "folder" in capfd.readouterr().err
