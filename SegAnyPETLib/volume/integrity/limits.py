"""How large an image may be that a file claims to hold, before memory is given to it."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path

from SegAnyPETLib.errors import InputError

#: Voxels of the largest image that is read: 1,024 along each axis.
MAX_VOXELS = 1 << 30
#: Images of fewer bytes are unpacked whatever they say.
SMALL_BYTES = 1 << 27
#: Deflate packs zeros up to 1,032 times; what a PET is packed to is beyond 1/20, and label maps are small.
MAX_PACKING = 200


def damaged(name: str) -> InputError:
    """Build the error for a file whose bytes are not all there or not all right."""
    return InputError(f"{name} is truncated or damaged; copy or export it again")


def check_voxels(sizes: Iterable[int], name: str) -> int:
    """Return the number of voxels of an image.

    Args:
        sizes: along its axes.
        name: of the file, for messages.

    Raises:
        InputError: an axis has no voxel, or there are more than can be read.
    """
    lengths = list(sizes)
    if not lengths or min(lengths) < 1:
        raise damaged(name)
    voxels = prod(lengths)
    if voxels > MAX_VOXELS:
        raise InputError(f"{name} claims {voxels:.3g} voxels, more than can be read ({MAX_VOXELS:.3g}); give the PET")
    return voxels


def check_packing(path: Path, size_bytes: int) -> None:
    """Refuse a small file that claims to unpack to a large image.

    Args:
        path: the file.
        size_bytes: of its voxels when they are unpacked.

    Raises:
        InputError: the file is packed as no image is.
    """
    if size_bytes > SMALL_BYTES and size_bytes > MAX_PACKING * stored_bytes(path):
        packed = f"{size_bytes / 2**20:.0f} MB of voxels in {stored_bytes(path) / 2**20:.1f} MB"
        raise InputError(f"{path.name} claims {packed}, as no scan is packed; export it again")


def stored_bytes(path: Path) -> int:
    """Return how many bytes of a file the disk holds: holes of sparse files do not count."""
    status = path.stat()
    blocks = getattr(status, "st_blocks", None)  # absent on Windows
    return status.st_size if blocks is None else min(status.st_size, max(blocks * 512, 4096))
