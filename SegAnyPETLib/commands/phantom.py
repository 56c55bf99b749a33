"""``seganypet phantom``: a simulated PET with its truth, ready to be evaluated on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from SegAnyPETLib.commands.arguments.phantom import PhantomOptions
from SegAnyPETLib.commands.common.outputs import filling, write_json
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.simulation.phantom import Phantom, make_phantom
from SegAnyPETLib.simulation.tissues import ORGANS
from SegAnyPETLib.volume.io import check_voxel_size, read_labels, write_volume

PET = "pet.nii.gz"
ORGAN_MAP = "organs.nii.gz"
LESION_MAP = "lesions.nii.gz"


def run(options: PhantomOptions) -> None:
    """Make a phantom, write it and list its lesions.

    Raises:
        InputError: the organ map or the folder cannot be used.
        SegAnyPETError: a file cannot be written.
    """
    organ_map = None
    if options.organ_map is not None:
        organ_map = read_labels(options.organ_map)
        check_voxel_size(organ_map, "organ map")
    phantom = make_phantom(options.seed, organ_map, options.tracer)
    write_phantom(phantom, options.output)
    print("lesion     ml    SUV   click R,A,S")
    for lesion in phantom.truth:
        click = ",".join(f"{c:.1f}" for c in lesion.click_ras)
        print(f"{lesion.label:6} {lesion.volume_ml:6.1f} {lesion.suv:6.1f}   {click}")
    print(f"written to {options.output}: {PET}, {ORGAN_MAP}, {LESION_MAP}, truth.json, manifest.json")
    print(f"Simulated, no patient. {NOTICE}")


def write_phantom(phantom: Phantom, folder: Path) -> None:
    """Write a phantom: volumes, truth, and a manifest for ``seganypet evaluate``; all of it or nothing.

    Raises:
        InputError: the path is a file.
        SegAnyPETError: a file cannot be written.
    """
    with filling(folder) as new:
        _write_files(phantom, new)


def _write_files(phantom: Phantom, folder: Path) -> None:
    write_volume(phantom.image, folder / PET)
    write_volume(phantom.organs, folder / ORGAN_MAP)
    write_volume(phantom.lesions, folder / LESION_MAP)
    organs = {int(organ): organ.name.lower().replace("_", " ") for organ in ORGANS}
    write_json({"organs": organs, "lesions": [asdict(lesion) for lesion in phantom.truth]}, folder / "truth.json")
    cases = [{"id": name, "image": PET, "label": label} for name, label in _label_maps(phantom)]
    write_json({"cases": cases}, folder / "manifest.json")


def _label_maps(phantom: Phantom) -> list[tuple[str, str]]:
    maps = [("lesions", LESION_MAP, phantom.lesions), ("organs", ORGAN_MAP, phantom.organs)]
    return [(name, file) for name, file, labels in maps if labels.array_kji.any()]
