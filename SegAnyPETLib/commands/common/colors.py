"""Colours of many segments in one picture."""

from __future__ import annotations

from colorsys import hsv_to_rgb


def distinct_color(n: int, count: int) -> tuple[float, float, float]:
    """Red, green and blue, 0 to 1, of number ``n`` of ``count`` colours: hues around the circle, as far as they go."""
    return hsv_to_rgb(n / count, 0.75, 0.95)
