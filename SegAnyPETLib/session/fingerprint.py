"""A checksum of a mask, by which an edit by hand is noticed."""

from __future__ import annotations

import hashlib

import numpy as np

from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch


def fingerprint(mask: MaskPatch, grid: Grid) -> str:
    """Return the SHA-256 of a mask's voxels and their position on its grid, in hexadecimal.

    Equal masks have the same fingerprint, however they are cropped and whichever program loaded the image.
    """
    upright = grid.right_handed(mask)
    tight = MaskPatch.cropped(upright.array_kji, upright.offset_kji)
    digest = hashlib.sha256(np.array([tight.offset_kji, tight.array_kji.shape], "<i8").tobytes())
    digest.update(np.packbits(tight.array_kji).tobytes())
    return digest.hexdigest()
