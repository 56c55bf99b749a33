"""Volumes in patient space: geometry, masks, files."""

from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.io import read_image, read_labels, write_volume
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.segmentation import Segment, read_segmentation, write_mask, write_segmentation
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

__all__ = [
    "Grid",
    "MaskPatch",
    "Segment",
    "Volume",
    "Window",
    "read_image",
    "read_labels",
    "read_segmentation",
    "write_mask",
    "write_segmentation",
    "write_volume",
]
