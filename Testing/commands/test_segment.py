"""From clicks on the command line to a mask, its quantities and a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.cli import main
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_pet
from SegAnyPETLib.prompts import MaskPrompt, Point
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.io import SUFFIXES, read_labels, write_volume
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.segmentation import Segment, read_segmentation, write_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import counting_voxels, write_series
from Testing.rtstruct import mask_from_rtstruct

#: Voxels (k, j, i) inside and outside of the hot cube.
INSIDE, OUTSIDE = (6, 5, 10), (6, 5, 15)


def ras(volume: Volume, index_kji: tuple[int, int, int]) -> str:
    return ",".join(f"{c:g}" for c in volume.point_ras(index_kji))


@pytest.fixture
def command(pet: Volume, pet_file: Path, model_file: Path) -> list[str]:
    """A command with two clicks that lacks its output."""
    clicks = ["--point", ras(pet, INSIDE), "--negative", ras(pet, OUTSIDE)]
    return ["segment", str(pet_file), "--model", str(model_file), "--threads", "1", *clicks]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_mask_lies_on_the_grid_of_the_pet_and_obeys_the_clicks(
    suffix: str, command: list[str], pet: Volume, tmp_path: Path
) -> None:
    output = tmp_path / f"out{suffix}"
    assert main([*command, "--output", str(output)]) == 0
    mask = read_labels(output)
    assert mask.same_grid(pet)
    assert set(np.unique(mask.array_kji)) == {0, 1}
    assert mask.array_kji[INSIDE] == 1
    assert mask.array_kji[OUTSIDE] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([output.name, "pet.nii.gz"])


@pytest.mark.slow
def test_the_printed_quantities_are_those_of_the_written_mask(
    command: list[str], pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.nii.gz"
    main([*command, "--output", str(output)])
    printed = dict(line.split(maxsplit=1) for line in capfd.readouterr().out.splitlines())
    expected = quantities(pet, read_labels(output).array_kji > 0)
    assert printed["volume"] == f"{expected.volume_ml:.2f} ml"
    assert printed["SUVmax"] == f"{expected.suv_max:.2f}"
    assert printed["SUVmean"] == f"{expected.suv_mean:.2f}"
    assert printed["SUVpeak"] == f"{expected.suv_peak:.2f}"
    assert printed["TLG"] == f"{expected.tlg:.1f} g"
    assert printed["prompts"] == "1 positive, 1 negative"
    assert printed["mask"] == str(output)


@pytest.mark.slow
def test_another_size_of_the_first_click_is_taken_and_saved(
    pet: Volume, pet_file: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["segment", str(pet_file), "--model", str(model_file), "--point", ras(pet, INSIDE)]
    volumes = []
    for step in (-1, 0, 1):
        output = tmp_path / f"size{step}.seg.nrrd"
        assert main([*arguments, "--threads", "1", "--size", str(step), "--output", str(output)]) == 0
        _, (segment,) = read_segmentation(output)
        (point,) = SavedPrompts.from_json(segment.tags["SegAnyPET.Prompts"]).prompts
        assert isinstance(point, Point)
        volumes.append((point.size_step, int(segment.mask_kji.sum())))
        printed = capfd.readouterr().out
        assert "(taken)" in printed
        (sizes,) = (line for line in printed.splitlines() if line.startswith("sizes"))
        listed = sizes.split(";")[0].split(",")
        number = next(n for n, size in enumerate(listed) if "(taken)" in size)
        assert ("smaller" in sizes) == (number > 0)
        assert ("larger" in sizes) == (number + 1 < len(listed))
        assert ("was not possible for this click" in printed) == (point.size_step != step)
    assert volumes == sorted(volumes)
    assert len({voxels for _, voxels in volumes}) > 1


@pytest.mark.parametrize("given", [["--mask", "draft.nii.gz"], ["--mask", "draft.nii.gz", "--point", "0,0,0"]])
def test_a_size_without_a_first_click_is_refused(
    given: list[str], pet_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(pet_file), *given, "--size", "1", "--output", str(tmp_path / "out.nii.gz")]) == 2
    assert "--size is about the first point" in capfd.readouterr().err


@pytest.mark.slow
def test_a_segment_tells_its_prompts_model_and_weights(
    command: list[str], pet: Volume, model_file: Path, tmp_path: Path
) -> None:
    main([*command, "--output", str(tmp_path / "out.seg.nrrd")])
    _, (segment,) = read_segmentation(tmp_path / "out.seg.nrrd")
    saved = SavedPrompts.from_json(segment.tags["SegAnyPET.Prompts"])
    inside, outside = saved.on(Grid.of(pet))
    assert (inside.positive, outside.positive) == (True, False)
    assert inside.ras == pytest.approx(pet.point_ras(INSIDE))
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert segment.tags["SegAnyPET.Model"] == saved.model == "random"
    assert segment.tags["SegAnyPET.WeightsSHA256"] == saved.weights_sha256 == sha256
    assert saved.mask_sha256 == fingerprint(MaskPatch.cropped(segment.mask_kji), Grid.of(pet))


def test_a_given_mask_is_recorded_before_the_clicks(command: list[str], pet: Volume, tmp_path: Path) -> None:
    given = pet.array_kji > 5
    write_volume(pet.with_array(given.astype(np.uint8)), tmp_path / "mask.nrrd")
    output = tmp_path / "out.seg.nrrd"
    assert main([*command, "--mask", str(tmp_path / "mask.nrrd"), "--output", str(output)]) == 0
    _, (segment,) = read_segmentation(output)
    prompt, inside, outside = SavedPrompts.from_json(segment.tags["SegAnyPET.Prompts"]).prompts
    assert isinstance(prompt, MaskPrompt)
    assert np.array_equal(prompt.mask.to_array(pet.shape_kji), given)
    assert (inside.positive, outside.positive) == (True, False)


@pytest.mark.slow
def test_values_of_a_file_are_said_not_to_be_known_as_suv(
    command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main([*command, "--output", str(tmp_path / "out.nrrd")])
    out = capfd.readouterr().out
    assert "does not say that its values are SUV" in out
    assert "Research use only" in out


@pytest.mark.slow
def test_a_dicom_series_is_segmented_in_suv(
    model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "dicom", 1000 * counting_voxels((4, 3, 2)))
    output = tmp_path / "out.nii.gz"
    options = ["--model", str(model_file), "--point", "1,1,2", "--coordinates", "ijk", "--output", str(output)]
    assert main(["segment", str(tmp_path / "dicom"), *options]) == 0
    out = capfd.readouterr().out
    assert "does not say" not in out
    assert "assumed  reference time by SeriesTime (0008,0031), 60.0 min after the injection\n" in out
    assert read_labels(output).same_grid(read_pet(tmp_path / "dicom"))


#: Of 70 kg, 1.75 m, M: lean body mass by Janmahasatian, ideal weight, and surface in 1000 cm2.
SUV_FACTORS = {"lbm": 9270 / (6680 + 216 * 70 / 1.75**2), "ibw": (48.0 + 1.06 * 23) / 70, "bsa": 18.481 / 70}


@pytest.mark.slow
@pytest.mark.parametrize("suv_type", SUV_FACTORS)
def test_suv_is_shown_by_another_type_and_the_mask_stays(
    model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], suv_type: str
) -> None:
    def edit(image: Dataset, k: int) -> None:
        image.PatientSize, image.PatientSex = "1.75", "M"

    write_series(tmp_path / "dicom", 1000 * counting_voxels((4, 3, 2)), edit=edit)
    options = ["--model", str(model_file), "--point", "1,1,2", "--coordinates", "ijk"]
    tables, masks = [], []
    for kind in ("bw", suv_type):
        output = tmp_path / f"{kind}.nii.gz"
        main(["segment", str(tmp_path / "dicom"), *options, "--output", str(output), "--suv-type", kind])
        tables.append(dict(line.split(maxsplit=1) for line in capfd.readouterr().out.splitlines()))
        masks.append(read_labels(output).array_kji)
    assert np.array_equal(*masks)
    by_weight, shown = tables
    assert by_weight["SUV"] == "SUVbw, by body weight, in g/ml"
    assert shown["SUV"].startswith(f"SUV{suv_type}, by ")
    for name in ("SUVmax", "SUVmean", "SUVpeak"):
        assert float(shown[name]) == pytest.approx(SUV_FACTORS[suv_type] * float(by_weight[name]), abs=0.01)
    assert shown["TLG"].endswith(" cm2" if suv_type == "bsa" else " g")


@pytest.mark.slow
def test_another_type_of_suv_than_a_file_allows_is_refused(
    command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--output", str(tmp_path / "out.nrrd"), "--suv-type", "lbm"]) == 2
    assert "SUVlbm needs the patient's weight, size and sex" in capfd.readouterr().err
    assert not (tmp_path / "out.nrrd").exists()


@pytest.mark.slow
def test_an_image_in_becquerels_is_refused_or_converted_to_the_same_mask(
    command: list[str], pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    factor = 70e3 / (350e6 * 2 ** (-60 / 109.77))
    write_volume(pet.with_array(pet.array_kji / np.float32(factor)), tmp_path / "bq.nii.gz")
    in_bq = [*command, "--output", str(tmp_path / "bq.nrrd")]
    in_bq[1] = str(tmp_path / "bq.nii.gz")
    assert main(in_bq) == 2
    assert "bq.nii.gz cannot be in SUV" in capfd.readouterr().err
    numbers = ["--weight-kg", "70", "--dose-mbq", "350", "--uptake-min", "60"]
    assert main([*in_bq, "--units", "bqml", *numbers]) == 0
    out = capfd.readouterr().out
    assert "SUVmax   9.50" in out
    assert "does not say" not in out
    assert "note: only" in out  # a box of 15 cm holds little of a dose
    assert main([*command, "--output", str(tmp_path / "suv.nrrd")]) == 0
    assert np.array_equal(read_labels(tmp_path / "bq.nrrd").array_kji, read_labels(tmp_path / "suv.nrrd").array_kji)


def test_one_of_overlapping_segments_is_a_mask_by_its_name(
    command: list[str], pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hot = pet.array_kji > 5
    segments = [Segment("A", hot), Segment("B", hot)]
    write_segmentation(pet, segments, tmp_path / "both.seg.nrrd")
    given = [*command, "--mask", str(tmp_path / "both.seg.nrrd"), "--output", str(tmp_path / "out.nrrd")]
    assert main(given) == 2
    assert "segments that overlap; name the one to take" in capfd.readouterr().err
    assert main([*given, "--mask-segment", "B"]) == 0
    assert main([*given, "--mask-segment", "C"]) == 2
    assert "no segments named C; it holds A, B" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("frame", ["lps", "ijk"])
def test_a_click_gives_the_same_mask_in_every_frame(
    frame: str, pet: Volume, pet_file: Path, model_file: Path, tmp_path: Path
) -> None:
    r, a, s = pet.point_ras(INSIDE)
    given = {"ras": (r, a, s), "lps": (-r, -a, s), "ijk": INSIDE[::-1]}
    masks = []
    for name in ("ras", frame):
        output = tmp_path / f"{name}.nii.gz"
        point = ",".join(map(str, given[name]))
        options = ["--coordinates", name, f"--point={point}", "--model", str(model_file), "--output", str(output)]
        assert main(["segment", str(pet_file), *options]) == 0
        masks.append(read_labels(output).array_kji)
    assert np.array_equal(*masks)


def test_a_mask_alone_is_prompt_enough(pet: Volume, pet_file: Path, model_file: Path, tmp_path: Path) -> None:
    draft = np.zeros(pet.shape_kji, np.uint8)
    draft[5:9, 4:8, 9:13] = 1
    write_volume(pet.with_array(draft), tmp_path / "draft.nii.gz")
    options = ["--mask", str(tmp_path / "draft.nii.gz"), "--model", str(model_file)]
    assert main(["segment", str(pet_file), *options, "--output", str(tmp_path / "out.nii.gz")]) == 0
    assert read_labels(tmp_path / "out.nii.gz").array_kji.any()


@pytest.mark.slow
def test_a_result_replaces_an_older_one(command: list[str], tmp_path: Path) -> None:
    output = tmp_path / "out.nii.gz"
    output.write_bytes(b"older")
    assert main([*command, "--output", str(output)]) == 0
    assert read_labels(output).array_kji.any()


@pytest.mark.slow
def test_the_figure_is_written_beside_the_mask(command: list[str], tmp_path: Path) -> None:
    output, figure = tmp_path / "out.nii.gz", tmp_path / "out.png"
    assert main([*command, "--output", str(output), "--figure", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.nii.gz", "out.png", "pet.nii.gz"]


@pytest.mark.slow
def test_a_failure_while_writing_leaves_neither_mask_nor_figure(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise SegAnyPETError("the disk is full")

    monkeypatch.setattr("SegAnyPETLib.commands.segment.write_mask", fail)
    options = ["--output", str(tmp_path / "out.nii.gz"), "--figure", str(tmp_path / "out.png")]
    assert main([*command, *options]) == 1
    assert capfd.readouterr().err == "seganypet: error: the disk is full\n"
    assert [p.name for p in tmp_path.iterdir()] == ["pet.nii.gz"]


def test_three_clicks_find_the_tumour_of_a_real_scan(shared_data: Path, tmp_path: Path) -> None:
    """The bundled model on a whole-body FDG-PET from DICOM, against GTV_Mass of the RTSTRUCT."""
    folder, output = shared_data / "wholebody_fdg_dicom", tmp_path / "out.seg.nrrd"
    pet = read_pet(folder)
    tumour = mask_from_rtstruct(shared_data / "wholebody_fdg_rtstruct" / "gtv.dcm", "GTV_Mass", pet)
    user, clicks, found = RobotUser("ideal", seed=0), [], None
    best = 0.0
    for _ in range(3):
        point: Point | None = user.next_point(pet.with_array(tumour), found)
        assert point is not None
        clicks += ["--point" if point.positive else "--negative", ",".join(f"{c:.2f}" for c in point.ras)]
        assert main(["segment", str(folder), *clicks, "--output", str(output)]) == 0
        found = read_labels(output).array_kji > 0
        best = max(best, dice(found, tumour))
    assert best >= 0.75
