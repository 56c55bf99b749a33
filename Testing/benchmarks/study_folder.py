"""How long it takes to find the PET series in a study folder of 2,000 files of six series.

    python Testing/benchmarks/study_folder.py
    python Testing/benchmarks/study_folder.py --folder STUDY

Writes the study to a temporary folder: two PET series, a dynamic one, two of CT, one of secondary captures, in
subfolders and without endings, each header with as many elements as scanners write. The first reading warms the disk's
cache; the times are those of the readings after it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, CTImageStorage, SecondaryCaptureImageStorage

from SegAnyPETLib.volume.dicom.study import find_series
from Testing.dicom_fixtures import set_storage_class, write_series

#: Rows and columns of a slice.
SIDE = 128
#: Elements besides those that are needed, and items of a sequence of them.
PRIVATE_ELEMENTS, ITEMS = 120, 4
READINGS = 5


def main() -> None:
    """Write the study or take a given one, find its series, print times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a study to read instead")
    folder = parser.parse_args().folder
    with TemporaryDirectory() as temporary:
        if folder is None:
            folder = Path(temporary)
            write_study(folder)
        files = sum(path.is_file() for path in folder.rglob("*"))
        seconds = [_timed(lambda: find_series(folder)) for _ in range(READINGS + 1)][1:]
        study = find_series(folder)
    print(f"{files} files; {study.listing}; besides {study.others}")
    print(f"found in {np.median(seconds):.2f} s (from {min(seconds):.2f} to {max(seconds):.2f} s)")


def write_study(folder: Path) -> None:
    """Write six series of 2,000 files."""
    kinds: tuple[tuple[str, int, Callable[[FileDataset, int], None]], ...] = (
        ("ac", 350, _edit("PET WB AC")),
        ("nac", 350, _edit("PET WB NAC", corrections=["DECY"])),
        ("dynamic", 240, _dynamic),
        ("ct", 600, _other(CTImageStorage, "CT")),
        ("lung", 440, _other(CTImageStorage, "CT")),
        ("captures", 20, _other(SecondaryCaptureImageStorage, "OT")),
    )
    for name, count, edit in kinds:
        stored_kji = np.ones((count, SIDE, SIDE), np.int16)
        for path in write_series(folder / name, stored_kji, series=name, edit=edit):
            path.rename(path.with_suffix(""))


def _edit(description: str, corrections: list[str] | None = None) -> Callable[[FileDataset, int], None]:
    def edit(image: FileDataset, k: int) -> None:
        _fill(image, k)
        image.SeriesDescription = description
        image.CorrectedImage = corrections or ["DECY", "ATTN", "SCAT"]

    return edit


def _dynamic(image: FileDataset, k: int) -> None:
    _fill(image, k)
    image.SeriesType = ["DYNAMIC", "IMAGE"]
    image.ImagePositionPatient = [-10.0, -20.0, 3.0 * (k // 24)]


def _other(storage: UID, modality: str) -> Callable[[FileDataset, int], None]:
    def edit(image: FileDataset, k: int) -> None:
        _fill(image, k)
        set_storage_class(image, storage)
        image.Modality = modality

    return edit


def _fill(image: FileDataset, k: int) -> None:
    """Give an image an identifier of its own and elements that nobody reads, before and after those that are read."""
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"{image.SeriesInstanceUID[:50]}.{k + 1}"
    for group in (0x0009, 0x0029):
        block = image.private_block(group, "BENCHMARK", create=True)
        for offset in range(PRIVATE_ELEMENTS // 2):
            block.add_new(offset, "LO", f"value {offset}")
        items = []
        for _ in range(ITEMS):
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "C-B1031", "SRT", "Fluorodeoxyglucose"
            items.append(item)
        block.add_new(0xF0, "SQ", items)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
