"""The masks of a study: one label map for each reading."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.study.plan.folder import MASKS, Study
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume


def mask_path(study: Study, reader: str, arm: str, case: str) -> Path:
    """Return where the result of a reading lies: labels in the order of the case's targets, from 1."""
    return study.folder / MASKS / reader / arm / f"{case}.nii.gz"


def mask_sha256(labels_kji: NDArray) -> str:
    """Return the checksum of a label map or mask, as logs hold it: of its shape and its values as bytes."""
    digest = hashlib.sha256(np.array(labels_kji.shape, "<i8").tobytes())
    digest.update(np.ascontiguousarray(labels_kji, np.uint8).data)
    return digest.hexdigest()


def write_case_mask(study: Study, reader: str, arm: str, case: str, labels: Volume) -> str:
    """Write the result of a reading; return its checksum.

    Raises:
        SegAnyPETError: the file cannot be written.
    """
    path = mask_path(study, reader, arm, case)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(labels, path)
    return mask_sha256(labels.array_kji)
