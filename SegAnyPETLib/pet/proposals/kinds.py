"""How much a candidate looks like disease, and like which organ: a sorting aid, not a diagnosis.

Each kind is a table of means and standard deviations of place, size and uptake (see `Appearance`), taken as
independent; what a scan does not show is left out. A candidate's score is the share of disease in the sum of all
densities, disease and physiology having equal weight as a whole. It knows no organ's outline, so disease within an
organ or beside it looks like that organ.

The tables were fitted by ``Testing/benchmarks/proposal_kinds.py`` to candidates in simulated scans of 34 real organ
maps; injection sites and ureters, which the simulation lacks, are set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Appearance:
    """What of a candidate is looked at.

    Attributes:
        above_shoulders_mm: height, None if it is not known.
        left_mm: distance from the midline to the left.
        anterior_mm: distance in front of the body's middle.
        log_volume_ml: decadic logarithm of the volume.
        log_suv_max: decadic logarithm of SUVmax.
        fill: share of its box that it fills.
        paired: whether there is another one at the mirrored place.
    """

    above_shoulders_mm: float | None
    left_mm: float
    anterior_mm: float
    log_volume_ml: float
    log_suv_max: float
    fill: float
    paired: bool


@dataclass(frozen=True)
class Kind:
    """What candidates of one kind look like.

    Attributes:
        weight: share among the candidates that are physiology.
        means: of the numbers of `Appearance` in their order.
        sds: their standard deviations.
        paired: share of those with a partner.
    """

    weight: float
    means: tuple[float, float, float, float, float, float]
    sds: tuple[float, float, float, float, float, float]
    paired: float

    def log_density(self, appearance: Appearance) -> float:
        """Return the logarithm of the density at an appearance."""
        numbers = (
            appearance.above_shoulders_mm,
            appearance.left_mm,
            appearance.anterior_mm,
            appearance.log_volume_ml,
            appearance.log_suv_max,
            appearance.fill,
        )
        density = np.log(self.paired if appearance.paired else 1.0 - self.paired)
        for number, mean, sd in zip(numbers, self.means, self.sds, strict=True):
            if number is not None:
                density -= 0.5 * ((number - mean) / sd) ** 2 + np.log(sd)
        return float(density)


#: Tracer -> name -> what it looks like. Injection site and ureter are set by hand.
KINDS: dict[str, dict[str, Kind]] = {
    "fdg": {
        "bladder": Kind(
            0.0612, (-540, 0.346, -12.1, 1.88, 1.13, 0.388), (36.4, 14.5, 21.8, 0.735, 0.327, 0.127), 0.0093
        ),
        "bowel or other": Kind(
            0.621, (-412, 2.67, 21.8, 0.346, 0.48, 0.334), (113, 67.7, 38.5, 0.812, 0.177, 0.201), 0.2
        ),
        "brain": Kind(0.0716, (155, 4.74, 30.6, 1.83, 0.999, 0.395), (28.5, 31.3, 39.3, 1.07, 0.178, 0.164), 0.16),
        "heart": Kind(0.0433, (-153, 26.3, 22.6, 2.15, 0.856, 0.28), (26.9, 17.1, 16.6, 1.14, 0.223, 0.126), 0.013),
        "left head gland": Kind(
            0.0225, (105, 67.5, 41.9, 0.736, 0.588, 0.421), (12.2, 11.6, 28.8, 0.466, 0.138, 0.118), 0.59
        ),
        "left kidney": Kind(
            0.0444, (-303, 73.9, -37.2, 1.66, 0.777, 0.302), (31.1, 14.1, 16.5, 1.06, 0.128, 0.14), 0.56
        ),
        "lesion": Kind(1, (-348, -2.55, 2.5, 0.786, 0.987, 0.462), (262, 79.1, 53.8, 0.609, 0.291, 0.142), 0.023),
        "liver": Kind(0.03, (-257, -73.6, 4.84, 0.512, 0.599, 0.277), (43.9, 38.3, 39.8, 1.13, 0.0916, 0.202), 0.17),
        "right head gland": Kind(
            0.0427, (81.3, -48.6, 41.7, 0.648, 0.578, 0.439), (41.3, 24.1, 30.2, 0.51, 0.119, 0.122), 0.33
        ),
        "right kidney": Kind(
            0.0404, (-312, -73.4, -35.2, 1.94, 0.792, 0.277), (35, 10.5, 13.8, 0.77, 0.118, 0.0829), 0.65
        ),
        "stomach": Kind(0.0225, (-252, 21.9, 31.3, 1.15, 0.667, 0.216), (25.6, 36.3, 34.3, 1.24, 0.0696, 0.122), 0.024),
        "injection site": Kind(0.02, (-200.0, 0.0, 0.0, 0.5, 1.3, 0.3), (300.0, 350.0, 60.0, 0.6, 0.4, 0.15), 0.02),
        "ureter": Kind(0.02, (-430.0, 0.0, -20.0, 0.0, 0.8, 0.3), (70.0, 40.0, 20.0, 0.4, 0.2, 0.15), 0.2),
    },
    "psma": {
        "bladder": Kind(0.0257, (-540, 0.776, -9.97, 2.1, 1.31, 0.338), (36.4, 13.7, 19.6, 0.517, 0.336, 0.138), 0.01),
        "bowel or other": Kind(
            0.787, (-422, 1.97, 28.1, 0.496, 0.64, 0.305), (98, 71.7, 37, 0.965, 0.198, 0.225), 0.26
        ),
        "heart": Kind(0.0082, (-136, 12.2, 11.5, 0.746, 0.3, 0.321), (28.1, 24.3, 25.2, 0.962, 0.0662, 0.208), 0.16),
        "left head gland": Kind(
            0.029, (106, 63, 44.6, 0.868, 1.09, 0.438), (40, 30.1, 31.8, 0.532, 0.213, 0.122), 0.49
        ),
        "left kidney": Kind(0.0279, (-301, 77.5, -37.5, 2.37, 1.61, 0.298), (31, 12.6, 13.8, 0.256, 0.2, 0.085), 0.62),
        "lesion": Kind(1, (-341, -2.97, 3.35, 0.837, 0.988, 0.442), (271, 78.9, 54, 0.645, 0.307, 0.15), 0.022),
        "liver": Kind(0.0205, (-250, -66.9, 14.4, 0.578, 0.63, 0.319), (42.1, 42.4, 46.3, 1.34, 0.188, 0.211), 0.13),
        "right head gland": Kind(
            0.0598, (84.5, -45, 50.3, 0.771, 1.06, 0.435), (47.5, 23.6, 32.7, 0.488, 0.225, 0.102), 0.24
        ),
        "right kidney": Kind(
            0.0279, (-308, -71.4, -30.7, 2.41, 1.61, 0.298), (36.1, 11.1, 19.4, 0.335, 0.206, 0.0811), 0.62
        ),
        "spleen": Kind(0.0104, (-231, 98, -41.6, 1.94, 0.912, 0.279), (36.3, 23.9, 24, 0.96, 0.241, 0.0767), 0.025),
        "stomach": Kind(
            0.00383, (-250, 38.9, 17.5, 0.652, 0.602, 0.342), (37.6, 45.1, 29.8, 1.28, 0.135, 0.196), 0.062
        ),
        "injection site": Kind(0.02, (-200.0, 0.0, 0.0, 0.5, 1.3, 0.3), (300.0, 350.0, 60.0, 0.6, 0.4, 0.15), 0.02),
        "ureter": Kind(0.05, (-430.0, 0.0, -20.0, 0.0, 1.1, 0.3), (70.0, 40.0, 20.0, 0.4, 0.2, 0.15), 0.2),
    },
}


def kind_scores(appearance: Appearance, tracer: str) -> dict[str, float]:
    """Return the share of each kind in the sum of all densities; "lesion" is disease.

    Args:
        appearance: of a candidate.
        tracer: "fdg" or "psma".
    """
    kinds = KINDS[tracer]
    logs = {name: np.log(kind.weight) + kind.log_density(appearance) for name, kind in kinds.items()}
    highest = max(logs.values())
    parts = {name: float(np.exp(log - highest)) for name, log in logs.items()}
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}
