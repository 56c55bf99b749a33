"""What the user tells the model: points and masks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegAnyPETLib.errors import InputError


@dataclass(frozen=True)
class Point:
    """A click in patient space.

    Attributes:
        ras: right, anterior, superior in millimetres.
        positive: True where the target is, False where it is not.

    Raises:
        InputError: the coordinates are not three finite numbers.
    """

    ras: tuple[float, float, float]
    positive: bool = True

    def __post_init__(self) -> None:
        try:
            r, a, s = (float(c) for c in self.ras)
        except (TypeError, ValueError):
            raise InputError(f"a point needs three numbers R,A,S, got {self.ras!r}") from None
        if not np.isfinite([r, a, s]).all():
            raise InputError("a point's coordinates must be finite numbers")
        object.__setattr__(self, "ras", (r, a, s))


def points_to_json(points: list[Point]) -> str:
    """Points as JSON: ``[{"ras": [r, a, s], "positive": true}, ...]``."""
    return json.dumps([{"ras": list(p.ras), "positive": p.positive} for p in points])


def points_from_json(text: str) -> list[Point]:
    """Read what `points_to_json` wrote.

    Raises:
        InputError: the text is not such a list.
    """
    try:
        items: list[dict[str, Any]] = json.loads(text)
        return [Point(tuple(item["ras"]), bool(item["positive"])) for item in items]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"not a list of points: {error}") from error
