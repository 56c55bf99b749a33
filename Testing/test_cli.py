"""The command line as a shell sees it: exit codes, one line on stderr, and what lies in the folder afterwards."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset

from SegAnyPETLib.cli import main
from SegAnyPETLib.commands.arguments.parser import parse
from SegAnyPETLib.commands.common.clicks import to_points
from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME, counting_voxels, write_series

IJK_TO_RAS = np.diag([4.0, 4.0, 4.0, 1.0])


def pet(array_kji: np.ndarray | None = None) -> Volume:
    """A warm cube of 8 voxels per side; its voxels lie at 0, 4, ... 28 mm."""
    if array_kji is None:
        array_kji = np.ones((8, 8, 8), np.float32)
        array_kji[3:5, 3:5, 3:5] = 5.0
    return Volume(array_kji.astype(np.float32), IJK_TO_RAS)


@pytest.fixture
def pet_file(tmp_path: Path) -> Path:
    path = tmp_path / "pet.nii.gz"
    write_volume(pet(), path)
    return path


def write_4d(path: Path) -> None:
    sitk.WriteImage(sitk.JoinSeries([sitk.Image(8, 8, 8, sitk.sitkFloat32) + 1.0] * 2), str(path))


def write_2d(path: Path) -> None:
    sitk.WriteImage(sitk.Image(8, 8, sitk.sitkFloat32) + 1.0, str(path))


def write_with(value: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        array = np.ones((8, 8, 8), np.float32)
        array[1, 2, 3] = value
        write_volume(pet(array), path)

    return write


def write_zeros(path: Path) -> None:
    write_volume(pet(np.zeros((8, 8, 8))), path)


def write_sheared(path: Path) -> None:
    write_volume(pet(), path)
    content = bytearray(path.read_bytes())
    # srow_x of the NIfTI-1 header: its second number is what j adds to x.
    content[284:288] = np.float32(2.0).tobytes()
    path.write_bytes(content)


def write_truncated(path: Path) -> None:
    write_volume(pet(), path)
    path.write_bytes(path.read_bytes()[:-20])


def refused(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command writes to stderr; it writes nothing to stdout and exits with 2."""
    code = main(arguments)
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("seganypet: error: ")
    assert err.count("\n") == 1
    return err


BAD_IMAGES = {
    "2-D": ("image.nii", write_2d, "2-D"),
    "4-D": ("image.nii", write_4d, "3-D"),
    "NaN in NIfTI": ("image.nii.gz", write_with(np.nan), "NaN"),
    "infinity in NIfTI": ("image.nii", write_with(np.inf), "infinity"),
    "NaN in NRRD": ("image.nrrd", write_with(np.nan), "NaN"),
    "infinity in MHA": ("image.mha", write_with(np.inf), "infinity"),
    "zero everywhere": ("image.nii", write_zeros, "zero"),
    "sheared": ("image.nii", write_sheared, "sheared"),
    "truncated NIfTI": ("image.nii", write_truncated, "truncated"),
    "truncated compressed NIfTI": ("image.nii.gz", write_truncated, "truncated"),
    "truncated NRRD": ("image.nrrd", write_truncated, "truncated"),
    "truncated MHA": ("image.mha", write_truncated, "truncated"),
    "text": ("image.nii.gz", lambda path: path.write_text("no image"), "image.nii.gz"),
    "unknown ending": ("image.jpg", lambda path: path.write_text("no image"), "ending"),
    "missing": ("image.nii.gz", lambda path: None, "not there"),
}


@pytest.mark.parametrize(("name", "write", "reason"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_segment_refuses_an_image_that_cannot_be_used(
    name: str, write: Callable[[Path], None], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / name)
    before = sorted(tmp_path.iterdir())
    line = refused(
        ["segment", str(tmp_path / name), "--point", "12,12,12", "--output", str(tmp_path / "out.nii.gz")], capfd
    )
    assert reason in line
    assert sorted(tmp_path.iterdir()) == before


def write_two_series(folder: Path) -> None:
    write_series(folder, counting_voxels(), series="one")
    write_series(folder, counting_voxels(), series="two")


def write_gap(folder: Path) -> None:
    write_series(folder, counting_voxels((6, 3, 2)))[2].unlink()


def write_without(*keywords: str) -> Callable[[Path], None]:
    def edit(image: FileDataset, k: int) -> None:
        dose = image.RadiopharmaceuticalInformationSequence[0]
        for keyword in keywords:
            del (dose if keyword in dose else image)[keyword]

    return lambda folder: write_series(folder, counting_voxels(), edit=edit) and None


def write_cut_slice(folder: Path) -> None:
    path = write_series(folder, counting_voxels())[1]
    path.write_bytes(path.read_bytes()[:-20])


BAD_FOLDERS = {
    "two series": (write_two_series, "2 PET series"),
    "a missing slice": (write_gap, "lacks a slice"),
    "no weight": (write_without("PatientWeight"), "PatientWeight"),
    "no dose": (write_without("RadionuclideTotalDose"), "RadionuclideTotalDose"),
    "no half-life": (write_without("RadionuclideHalfLife"), "RadionuclideHalfLife"),
    "no injection time": (write_without("RadiopharmaceuticalStartTime"), "RadiopharmaceuticalStart"),
    "no units": (write_without("Units"), "Units"),
    "a truncated slice": (write_cut_slice, "truncated"),
    "no DICOM": (lambda folder: folder.mkdir(), "no DICOM PET"),
}


@pytest.mark.parametrize(("write", "reason"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_segment_refuses_a_dicom_folder_that_cannot_be_used(
    write: Callable[[Path], None], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "dicom")
    arguments = ["segment", str(tmp_path / "dicom"), "--point", "0,0,0", "--output", str(tmp_path / "out.seg.nrrd")]
    line = refused(arguments, capfd)
    assert reason in line
    assert PATIENT_NAME not in line
    assert PATIENT_ID not in line
    assert [p.name for p in tmp_path.iterdir()] == ["dicom"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--point", "500,0,0"], "outside"),
        (["--point", "12,12,12", "--negative", "12,12,-40"], "outside"),
        (["--point", "8,0,0", "--coordinates", "ijk"], "outside"),
        (["--point", "12,12,12", "--coordinates", "lps"], "outside"),
        (["--point", "nan,0,0"], "finite"),
        (["--point", "1e999,0,0"], "finite"),
        (["--point", "1e308,-1e308,1e308", "--coordinates", "ijk"], "finite"),
        (["--point", "1e308,-1e308,1e308"], "outside"),
        (["--point", "1,2"], "three numbers"),
        (["--point", "a,b,c"], "three numbers"),
        (["--point", "1,2,3,4"], "three numbers"),
        (["--point"], "--point"),
        ([], "--point"),
        (["--negative", "12,12,12"], "--point"),
        (["--point", "12,12,12", "--threads", "0"], "--threads"),
        (["--point", "12,12,12", "--threads", "1000000"], "--threads"),
        (["--point", "12,12,12", "--model", "unknown"], "unknown"),
        (["--point", "12,12,12", "--device", "abacus"], "abacus"),
        (["--point", "12,12,12", "--nonsense"], "--nonsense"),
        (["--point", "12,12,12", "--figure", f"{'x' * 300}.png"], "shorter names"),
        (["--point", "12,12,12", "--mask", "."], ". has an unknown ending"),
    ],
)
def test_segment_refuses_prompts_and_options_it_cannot_use(
    arguments: list[str], reason: str, pet_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = pet_file.with_name("out.nii.gz")
    assert reason in refused(["segment", str(pet_file), "--output", str(output), *arguments], capfd)
    assert not output.exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("out.jpg", "ending"), ("out", "ending"), ("absent/out.nii.gz", "does not exist"), ("pet.nii.gz", "must not")],
)
def test_segment_refuses_an_output_before_any_work(
    name: str, reason: str, pet_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = pet_file.read_bytes()
    output = str(pet_file.with_name("x").parent / name)
    assert reason in refused(["segment", str(pet_file), "--point", "12,12,12", "--output", output], capfd)
    assert pet_file.read_bytes() == before
    assert list(pet_file.parent.iterdir()) == [pet_file]


def test_segment_refuses_a_figure_that_is_no_png(pet_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = pet_file.parent
    output, figure = str(folder / "out.nii.gz"), str(folder / "figure.gif")
    arguments = ["segment", str(pet_file), "--point", "12,12,12", "--output", output, "--figure", figure]
    assert ".png" in refused(arguments, capfd)
    assert list(folder.iterdir()) == [pet_file]


def grid(shift_mm: float = 0.0) -> np.ndarray:
    matrix = IJK_TO_RAS.copy()
    matrix[0, 3] = shift_mm
    return matrix


BAD_MASKS = {
    "another voxel size": (Volume(np.ones((7, 7, 7), np.uint8), grid() @ np.diag([1, 1, 1.5, 1])), "grid"),
    "beyond the image": (Volume(np.ones((9, 8, 8), np.uint8), grid()), "beyond the image"),
    "another place": (Volume(np.ones((8, 8, 8), np.uint8), grid(shift_mm=2.0)), "grid"),
    "without a voxel": (Volume(np.zeros((8, 8, 8), np.uint8), grid()), "no voxel"),
    "fractions": (Volume(np.full((8, 8, 8), 0.5, np.float32), grid()), "whole numbers"),
    "several labels": (Volume(np.arange(512, dtype=np.uint16).reshape(8, 8, 8) % 3, grid()), "several labels"),
}


@pytest.mark.parametrize(("mask", "reason"), BAD_MASKS.values(), ids=BAD_MASKS)
def test_segment_refuses_a_mask_that_is_no_prompt(
    mask: Volume, reason: str, pet_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mask_file, output = pet_file.with_name("mask.nii.gz"), pet_file.with_name("out.nii.gz")
    write_volume(mask, mask_file)
    assert reason in refused(["segment", str(pet_file), "--mask", str(mask_file), "--output", str(output)], capfd)
    assert not output.exists()


def test_an_output_that_is_the_pet_under_another_name_is_refused(
    pet_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = pet_file.read_bytes()
    other = pet_file.with_name("other.nii.gz")
    other.hardlink_to(pet_file)
    arguments = ["segment", str(pet_file), "--point", "12,12,12", "--output", str(other)]
    assert "must not" in refused(arguments, capfd)
    assert pet_file.read_bytes() == before


def test_a_link_to_itself_is_no_pet(pet_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loop = pet_file.with_name("loop.nii.gz")
    loop.symlink_to(loop.name)
    output = str(pet_file.with_name("out.nii.gz"))
    assert "not there" in refused(["segment", str(loop), "--point", "12,12,12", "--output", output], capfd)


@pytest.mark.parametrize("clicks", ["0", "-1", "1e9", "1000000000", "٣", "9" * 5000])
def test_clicks_that_nobody_gives_are_refused(clicks: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--manifest", "cases.json", "--output", str(tmp_path / "report.json"), f"--clicks={clicks}"]
    assert "--clicks" in refused(["evaluate", *options], capfd)


def test_a_refused_command_leaves_an_existing_output_as_it_is(
    pet_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = pet_file.with_name("out.nii.gz")
    output.write_bytes(b"yesterday's work")
    refused(["segment", str(pet_file), "--point", "500,0,0", "--output", str(output)], capfd)
    assert output.read_bytes() == b"yesterday's work"
    assert sorted(p.name for p in pet_file.parent.iterdir()) == ["out.nii.gz", "pet.nii.gz"]


@pytest.mark.parametrize("arguments", [["--point", "-12,3,4"], ["--point=-12,3,4"], ["--point", "-12.0,3,4.0"]])
def test_a_point_may_begin_with_a_minus_sign(arguments: list[str]) -> None:
    _, options = parse(["segment", "pet", "--output", "out", *arguments])
    assert options.clicks == (((-12.0, 3.0, 4.0), True),)


def test_clicks_keep_the_order_in_which_they_are_given() -> None:
    given = "segment pet --point 1,2,3 --negative -4,5,6 --point -7,8,9 --output out"
    _, options = parse(given.split())
    assert options.clicks == (((1, 2, 3), True), ((-4, 5, 6), False), ((-7, 8, 9), True))


@pytest.mark.parametrize(("frame", "given"), [("ras", (4, 8, 12)), ("lps", (-4, -8, 12)), ("ijk", (1, 2, 3))])
def test_coordinates_name_the_same_voxel_in_every_frame(frame: str, given: tuple[float, float, float]) -> None:
    (point,) = to_points([(given, True)], frame, Volume(np.zeros((8, 8, 8)), np.diag([4.0, 4.0, 4.0, 1.0])))
    assert point.ras == (4.0, 8.0, 12.0)


@pytest.mark.parametrize("arguments", [[], ["paint"], ["segment"], ["train"]])
def test_wrong_usage_is_bad_input(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert "--help" in refused(arguments, capfd)


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (InputError("give\nanother file"), 2, "seganypet: error: give another file\n"),
        (SegAnyPETError("the disk is full"), 1, "seganypet: error: the disk is full\n"),
        (OSError("no rights"), 1, "seganypet: error: no rights\n"),
        (KeyboardInterrupt(), 130, "seganypet: error: interrupted\n"),
        (ModuleNotFoundError("", name="torch"), 1, "pip install '.[models]'"),
    ],
)
def test_every_end_has_its_exit_code_and_one_line(
    raised: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise raised

    monkeypatch.setattr("SegAnyPETLib.commands.info.run", fail)
    assert main(["info"]) == code
    err = capfd.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_a_reader_that_has_gone_is_no_reason_for_noise(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in ``seganypet info | head -1``."""
    end, begin = os.pipe()
    os.close(end)
    monkeypatch.setattr("SegAnyPETLib.commands.info.run", lambda arguments: print("printed"))
    with os.fdopen(begin, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["info"]) == 1
    assert capfd.readouterr().err == ""


def test_a_command_needs_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(arguments: object) -> None:
        print("a result")
        sys.stderr.write("a progress bar")

    monkeypatch.setattr("SegAnyPETLib.commands.info.run", run)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["info"]) == 0


def test_a_name_that_the_terminal_cannot_show_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    monkeypatch.setattr("SegAnyPETLib.commands.info.run", lambda arguments: print("läsion.nrrd"))
    assert main(["info"]) == 0
    assert shown.getvalue() == b"l\\xe4sion.nrrd\n"


def test_a_mistake_in_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("SegAnyPETLib.commands.info.run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["info"])


@pytest.mark.slow
def test_the_shell_sees_the_exit_code(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "SegAnyPETLib.cli",
        "segment",
        "none.nii.gz",
        "--point",
        "1,2,3",
        "--output",
        "o.nrrd",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []
