"""Headers of a small PET series whose tags a test changes."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from Testing.dicom_fixtures import pet_slice


def headers(count: int = 2, **tags: object) -> list[Dataset]:
    """Headers of slices 3 mm apart in Bq/ml; tags of the injection begin with "Radio"."""
    found: list[Dataset] = [pet_slice(np.ones((2, 2)), (0, 0, 3.0 * k)) for k in range(count)]
    for header in found:
        for keyword, value in tags.items():
            target = dose(header) if keyword.startswith("Radio") and keyword not in header else header
            setattr(target, keyword, value)
    return found


def dose(header: Dataset) -> Dataset:
    """The injection of a header."""
    item: Dataset = header.RadiopharmaceuticalInformationSequence[0]
    return item


def add_private(header: Dataset, owner: tuple[int, str], offset: int, vr: str, value: object) -> None:
    """Add a private element to its owner's block."""
    header.private_block(*owner, create=True).add_new(offset, vr, value)
