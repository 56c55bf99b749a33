"""Distinct colours of segments, visible on grey-inverted PET."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import vtk

Color = tuple[float, float, float]

#: Strong colours around the wheel: light ones vanish on white, dark ones on hot spots.
CANDIDATES: tuple[Color, ...] = tuple(
    colorsys.hsv_to_rgb(hue / 18, 1.0 if value > 0.7 else 0.75, value) for value in (0.95, 0.6) for hue in range(18)
)


def next_color(taken: Sequence[Color]) -> Color:
    """Return the candidate that differs most from all colours in use, by distance in CIE L*a*b*.

    Args:
        taken: red, green, blue, each 0 to 1.
    """
    if not taken:
        return CANDIDATES[0]
    used = np.array([_lab(color) for color in taken])
    apart = [np.linalg.norm(used - _lab(color), axis=1).min() for color in CANDIDATES]
    return CANDIDATES[int(np.argmax(apart))]


def _lab(color: Color) -> np.ndarray:
    lab = [0.0, 0.0, 0.0]
    vtk.vtkMath.RGBToLab(color, lab)
    return np.array(lab)
