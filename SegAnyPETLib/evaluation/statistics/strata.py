"""Groups of targets that are easy or hard in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from SegAnyPETLib.evaluation.results import TargetFacts

#: Lesions below this volume are reported apart.
SMALL_ML = 5.0


@dataclass(frozen=True)
class Stratum:
    """A group of targets.

    Attributes:
        kind: what it is a group by.
        name: of the group.
        holds: whether a target belongs to it.
    """

    kind: str
    name: str
    holds: Callable[[TargetFacts], bool]


ALL = Stratum("all", "all targets", lambda target: True)

STRATA = (
    Stratum("volume", "< 1 ml", lambda target: target.volume_ml < 1),
    Stratum("volume", "1 to 2 ml", lambda target: 1 <= target.volume_ml < 2),
    Stratum("volume", "2 to 5 ml", lambda target: 2 <= target.volume_ml < 5),
    Stratum("volume", "5 to 20 ml", lambda target: 5 <= target.volume_ml < 20),
    Stratum("volume", "≥ 20 ml", lambda target: target.volume_ml >= 20),
    Stratum("neighbours", "touching another target", lambda target: target.touching),
    Stratum("neighbours", "touching none", lambda target: not target.touching),
    Stratum("contrast", "contrast < 2", lambda target: target.contrast < 2),
    Stratum("contrast", "contrast 2 to 4", lambda target: 2 <= target.contrast <= 4),
    Stratum("contrast", "contrast > 4", lambda target: target.contrast > 4),
)
