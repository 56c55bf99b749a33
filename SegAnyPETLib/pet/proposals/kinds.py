"""How much a candidate looks like disease, and like which organ: a sorting aid, not a diagnosis.

Each kind is a table of means and standard deviations of place, size and uptake (see `Appearance`), taken as
independent; what a scan does not show is left out. A candidate's score is the share of disease in the sum of all
densities, disease and physiology having equal weight as a whole. It knows no organ's outline, so disease within an
organ or beside it looks like that organ.

The tables were fitted by ``Testing/benchmarks/proposal_kinds.py`` to candidates in simulated scans of 45 real organ
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
        "bladder": Kind(0.0297, (-547, -2.09, -9.57, 1.88, 1.2, 0.423), (32.7, 17.2, 18.1, 0.748, 0.327, 0.139), 0.023),
        "bowel or other": Kind(
            0.64, (-414, 2.35, 21.6, 0.758, 0.535, 0.234), (109, 70.1, 38.2, 0.846, 0.147, 0.182), 0.27
        ),
        "brain": Kind(0.0881, (166, 0.348, 28.8, 1.45, 0.974, 0.294), (38.6, 34.1, 46.5, 0.844, 0.17, 0.141), 0.21),
        "heart": Kind(0.0579, (-165, 29.7, 22.6, 1.39, 0.772, 0.306), (34, 28.4, 22.7, 1.32, 0.238, 0.199), 0.051),
        "left head gland": Kind(
            0.0128, (97.8, 65.3, 30.9, 0.774, 0.573, 0.405), (27.1, 13.9, 27.6, 0.525, 0.15, 0.132), 0.55
        ),
        "left kidney": Kind(
            0.0274, (-311, 77.6, -37.9, 1.43, 0.739, 0.278), (32.1, 16, 17.2, 1.11, 0.134, 0.172), 0.49
        ),
        "lesion": Kind(1, (-362, 2.55, -6.63, 0.747, 0.971, 0.444), (299, 78.3, 54.9, 0.593, 0.292, 0.146), 0.023),
        "liver": Kind(0.065, (-255, -77.3, 0.482, 1.01, 0.554, 0.258), (53.2, 39.5, 40.3, 0.913, 0.104, 0.191), 0.1),
        "right head gland": Kind(
            0.0217, (74, -47.3, 38.5, 0.721, 0.551, 0.392), (35.4, 23.9, 24.4, 0.424, 0.179, 0.0863), 0.35
        ),
        "right kidney": Kind(
            0.0279, (-322, -71.3, -36.8, 1.46, 0.717, 0.278), (37.3, 14.8, 16.4, 1.06, 0.138, 0.136), 0.52
        ),
        "spleen": Kind(0.00709, (-241, 96.1, -45.6, 1.65, 0.538, 0.294), (30.1, 19.3, 23.2, 1.06, 0.121, 0.175), 0.21),
        "stomach": Kind(0.0226, (-259, 42.5, 34.6, 0.923, 0.611, 0.289), (30, 33.9, 33.8, 1.29, 0.112, 0.207), 0.069),
        "injection site": Kind(0.02, (-200.0, 0.0, 0.0, 0.5, 1.3, 0.3), (300.0, 350.0, 60.0, 0.6, 0.4, 0.15), 0.02),
        "ureter": Kind(0.02, (-430.0, 0.0, -20.0, 0.0, 0.8, 0.3), (70.0, 40.0, 20.0, 0.4, 0.2, 0.15), 0.2),
    },
    "psma": {
        "bladder": Kind(
            0.0183, (-548, -0.867, -9.91, 2.13, 1.39, 0.366), (30.5, 18.9, 18.4, 0.473, 0.302, 0.13), 0.025
        ),
        "bowel or other": Kind(
            0.756, (-426, 2.04, 26.2, 0.833, 0.664, 0.23), (103, 72.2, 36.1, 0.868, 0.252, 0.188), 0.24
        ),
        "heart": Kind(0.0155, (-150, 26.4, 17.8, 1.19, 0.374, 0.218), (35.8, 30.4, 25, 0.899, 0.103, 0.138), 0.05),
        "left head gland": Kind(
            0.0212, (99.4, 66.6, 35, 0.965, 1.09, 0.406), (25.6, 26.4, 24.1, 0.371, 0.21, 0.0909), 0.67
        ),
        "left kidney": Kind(
            0.0218, (-307, 79, -36.5, 2.33, 1.59, 0.292), (28.4, 14.3, 13.9, 0.294, 0.185, 0.0723), 0.59
        ),
        "lesion": Kind(1, (-358, 0.998, -5.79, 0.798, 0.972, 0.43), (307, 78.1, 55.2, 0.646, 0.314, 0.156), 0.029),
        "liver": Kind(0.0755, (-245, -81.2, -3.18, 0.975, 0.744, 0.259), (40, 36.8, 41.6, 0.916, 0.183, 0.152), 0.052),
        "right head gland": Kind(
            0.0512, (89.3, -46.2, 49, 0.69, 1.03, 0.41), (45.6, 24.2, 29.9, 0.523, 0.235, 0.104), 0.28
        ),
        "right kidney": Kind(
            0.0218, (-313, -71.1, -30.9, 2.38, 1.58, 0.281), (36.1, 12.4, 17.7, 0.394, 0.188, 0.0844), 0.59
        ),
        "spleen": Kind(0.0115, (-249, 103, -51.9, 1.41, 0.873, 0.314), (31.9, 14.4, 16.8, 1.23, 0.308, 0.172), 0.15),
        "stomach": Kind(0.00742, (-232, 51.9, 28.6, 1.04, 0.606, 0.25), (37.3, 34.4, 30, 1.42, 0.175, 0.141), 0.061),
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
