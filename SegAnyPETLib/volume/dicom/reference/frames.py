"""The segments of a DICOM SEG, frame by frame (DICOM PS3.3, A.51 and C.8.20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.reference.region import Region, Regions
from SegAnyPETLib.volume.integrity.limits import check_voxels
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.sitk_bridge import LPS_FLIP
from SegAnyPETLib.volume.volume import Volume, apply_matrix

#: How far, in voxels, a frame may lie from the voxels of the PET within a slice, through rounding.
PLACE_TOLERANCE = 0.1
#: How far, as a share of the distance of slices, along them: scanners place slices unevenly.
SLICE_TOLERANCE = 0.3
#: From this share on, a fraction counts as belonging to a segment.
HALF = 0.5


@dataclass(frozen=True, eq=False)
class _Frames:
    """The frames of a segmentation.

    Attributes:
        dataset: the segmentation.
        image: the PET.
        name: of the file.
    """

    dataset: Dataset
    image: Volume
    name: str

    def __post_init__(self) -> None:
        count, rows, columns = self.shape
        check_voxels(self.shape, self.name)
        groups = self.dataset.get("PerFrameFunctionalGroupsSequence") or []
        if len(groups) != count:
            raise InputError(f"{self.name} describes {len(groups)} of its {count} frames; export it again")
        if self._packed and len(self.dataset.PixelData) * 8 < count * rows * columns:
            raise InputError(f"{self.name} is truncated or damaged; copy or export it again")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        return int(self.dataset.NumberOfFrames), int(self.dataset.Rows), int(self.dataset.Columns)

    @property
    def _packed(self) -> bool:
        """Whether eight voxels share a byte."""
        syntax = self.dataset.file_meta.TransferSyntaxUID
        return int(self.dataset.BitsAllocated) == 1 and not syntax.is_encapsulated

    @cached_property
    def _values(self) -> NDArray:
        """Stored values (frame, row, column) where a voxel has a byte or more."""
        return self.dataset.pixel_array.reshape(self.shape)

    def plane(self, frame: int) -> NDArray:
        """Return the stored values (row, column) of a frame."""
        if not self._packed:
            return self._values[frame]
        _, rows, columns = self.shape
        first, last = frame * rows * columns, (frame + 1) * rows * columns
        held = np.frombuffer(self.dataset.PixelData, np.uint8)[first // 8 : -(-last // 8)]
        bits = np.unpackbits(held, bitorder="little")
        return bits[first % 8 : first % 8 + rows * columns].reshape(rows, columns)

    def group(self, frame: int, keyword: str) -> Dataset | None:
        """Return a functional group of a frame, its own or that of all; None if there is none."""
        own = self.dataset.PerFrameFunctionalGroupsSequence[frame]
        shared = self.dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
        items = own.get(keyword) or shared[0].get(keyword)
        return items[0] if items else None

    def segment(self, frame: int) -> int | None:
        """Return the number of the segment of a frame."""
        group = self.group(frame, "SegmentIdentificationSequence")
        return None if group is None else int(group.ReferencedSegmentNumber)

    def paint(self, frame: int, plane: NDArray[np.bool_], mask_kji: NDArray[np.bool_]) -> None:
        """Set what a plane (row, column) of a frame holds in a mask on the PET's grid."""
        rows, columns = np.nonzero(plane)
        if not rows.size:
            return
        place = self.image.ras_to_ijk @ self._matrix(frame)
        exact = apply_matrix(place, np.stack([columns, rows, np.zeros_like(rows)], axis=1))
        index_ijk = np.rint(exact).astype(int)
        off = np.abs(exact - index_ijk).max(axis=0)
        turn = np.rint(place[:3, :2])
        allowed = (PLACE_TOLERANCE, PLACE_TOLERANCE, SLICE_TOLERANCE)
        if (off > allowed).any() or (np.abs(turn).sum(axis=0) != 1).any():
            raise InputError(f"{self.name} lies on another grid than the image; resample it to the image's grid")
        if (index_ijk < 0).any() or (index_ijk >= self.image.shape_kji[::-1]).any():
            raise InputError(f"{self.name} reaches beyond the image; give the segments of this image")
        mask_kji[tuple(index_ijk[:, ::-1].T)] = True

    def _matrix(self, frame: int) -> NDArray[np.float64]:
        """From (column, row, 0) of a frame to RAS mm."""
        position = self.group(frame, "PlanePositionSequence")
        orientation = self.group(frame, "PlaneOrientationSequence")
        measures = self.group(frame, "PixelMeasuresSequence")
        if position is None or orientation is None or measures is None:
            raise InputError(f"{self.name} does not say where its frames lie; export it again")
        cosines = np.array(orientation.ImageOrientationPatient, float).reshape(2, 3)
        row_spacing, column_spacing = (float(part) for part in measures.PixelSpacing)
        to_lps = np.eye(4)
        to_lps[:3, 0] = cosines[0] * column_spacing
        to_lps[:3, 1] = cosines[1] * row_spacing
        to_lps[:3, 2] = np.cross(*cosines)
        to_lps[:3, 3] = np.array(position.ImagePositionPatient, float)
        if not np.isfinite(to_lps).all():
            raise InputError(f"{self.name} does not say where its frames lie; export it again")
        return LPS_FLIP @ to_lps


def segments_of(dataset: Dataset, image: Volume, name: str) -> Regions:
    """Return the segments.

    Args:
        dataset: the segmentation, binary, fractional or a label map.
        image: the PET.
        name: of the file, for messages.

    Raises:
        InputError: there is none, or the segmentation is damaged.
    """
    frames = _Frames(dataset, image, name)
    kind = str(dataset.get("SegmentationType", ""))
    regions = [
        Region(str(item.get("SegmentLabel", "")), partial(_mask, frames, int(item.SegmentNumber), kind))
        for item in dataset.get("SegmentSequence") or []
        if int(item.SegmentNumber) > 0  # 0 is the background of a label map
    ]
    if not regions:
        raise InputError(f"{name} names no segments; export it again")
    return Regions(regions, str(dataset.get("FrameOfReferenceUID", "")), _notes(kind, name))


def _notes(kind: str, name: str) -> tuple[Note, ...]:
    if kind != "FRACTIONAL":
        return ()
    return (Note(NoteKind.LABELS, f"{name} holds fractions; a voxel counts from one half on"),)


def _mask(frames: _Frames, number: int, kind: str) -> NDArray[np.bool_]:
    mask_kji = np.zeros(frames.image.shape_kji, bool)
    for frame in _frames_of(frames, number, kind):
        frames.paint(frame, _belonging(frames, frame, number, kind), mask_kji)
    return mask_kji


def _frames_of(frames: _Frames, number: int, kind: str) -> Sequence[int]:
    every = range(frames.shape[0])
    return every if kind == "LABELMAP" else [frame for frame in every if frames.segment(frame) == number]


def _belonging(frames: _Frames, frame: int, number: int, kind: str) -> NDArray[np.bool_]:
    values = frames.plane(frame)
    if kind == "LABELMAP":
        return values == number
    if kind == "FRACTIONAL":
        return values >= HALF * float(frames.dataset.MaximumFractionalValue)
    return values != 0
