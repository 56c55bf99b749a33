"""The panel with a volume of 400 x 400 x 326 voxels, for benchmarks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHAPE_KJI, SPACING_MM = (326, 400, 400), 2.0
RADIUS_MM = 20.0
#: Centres of the lesions.
CENTERS_KJI = tuple((60 + 40 * n, 200, 120 + 25 * n) for n in range(6))


def pet_array() -> np.ndarray:
    """Hot balls in a warm body, SUV."""
    array = np.ones(SHAPE_KJI, np.float32)
    reach = int(RADIUS_MM / SPACING_MM)
    grid = np.indices((2 * reach + 1,) * 3) - reach
    ball = (grid**2).sum(axis=0) <= reach**2
    for center in CENTERS_KJI:
        box = tuple(slice(c - reach, c + reach + 1) for c in center)
        array[box][ball] = 8.0
    return array


def ras(index_kji: tuple[int, int, int]) -> tuple[float, float, float]:
    """The place of a voxel in the world, mm."""
    k, j, i = index_kji
    return SPACING_MM * i, SPACING_MM * j, SPACING_MM * k


@contextmanager
def large_panel() -> Iterator[tuple[Any, dict[str, Any]]]:
    """A user at the panel, and slice views that show the volume."""
    from Testing.module.conftest import MODULE, ModuleUser
    from Testing.slicer_harness.bootstrap import SlicerHarness
    from Testing.slicer_harness.core import slicer_core
    from Testing.slicer_harness.slice_views import slice_views

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        harness = SlicerHarness(slicer_core(), patch, Path(folder))
        views = slice_views(harness.core)
        harness.app.layoutManager().views = views
        user = ModuleUser(harness, harness.load("SegAnyPET", MODULE))
        volume = user.add_pet(array=pet_array(), ijk_to_ras=np.diag([SPACING_MM] * 3 + [1.0]))
        for view in views.values():
            view.show(volume)
            view.render()
        user.rest()
        try:
            yield user, views
        finally:
            user.widget.cleanup()
            for view in views.values():
                view.close()
            harness.close()
