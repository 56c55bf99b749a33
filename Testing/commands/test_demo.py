"""The demonstration on a phantom."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.volume.io import read_image
from SegAnyPETLib.volume.segmentation import read_segmentation

pytestmark = pytest.mark.slow


def test_the_demo_segments_every_lesion_of_its_phantom(
    model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--output", str(tmp_path), "--clicks", "1", "--model", str(model_file)]) == 0
    lesions = json.loads((tmp_path / "truth.json").read_text())["lesions"]
    pet = read_image(tmp_path / "pet.nii.gz")
    grid, segments = read_segmentation(tmp_path / "segmentation.seg.nrrd")
    assert grid.same_grid(pet)
    assert [segment.name for segment in segments] == [f"Lesion {lesion['label']}" for lesion in lesions]
    for segment, lesion in zip(segments, lesions, strict=True):
        (click,) = json.loads(segment.tags["SegAnyPET.Prompts"])["prompts"]
        assert segment.mask_kji[pet.nearest_kji(click["ras"])]
        assert np.linalg.norm(np.subtract(click["ras"], lesion["click_ras"])) < 100
    assert (tmp_path / "segmentation.png").read_bytes().startswith(b"\x89PNG")
    printed = capfd.readouterr().out
    assert f"{lesions[0]['volume_ml']:.1f}" in printed
    assert str(tmp_path / "segmentation.seg.nrrd") in printed
    assert "Research use only" in printed
