"""How much a candidate looks like disease, and like which organ: a sorting aid, not a diagnosis.

Each kind is a table of means and standard deviations of place, size and uptake (see `Appearance`), taken as
independent; what a scan does not show is left out. A candidate's score is the share of disease in the sum of all
densities, disease and physiology having equal weight as a whole. It knows no organ's outline, so disease within an
organ or beside it looks like that organ.

The tables were fitted by ``Testing/benchmarks/proposal_kinds.py`` to candidates in simulated scans of 133 real organ
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
            0.0377, (-542, -1.03, -7.94, 2.03, 1.23, 0.382), (29.1, 17.6, 18.7, 0.645, 0.356, 0.141), 0.0024
        ),
        "bowel or other": Kind(0.633, (-402, 3.62, 21, 0.166, 0.57, 0.336), (109, 68.6, 39, 0.84, 0.117, 0.238), 0.3),
        "brain": Kind(0.0325, (160, 0.0965, 27.4, 2.18, 0.992, 0.456), (25.7, 22.1, 35.1, 1.12, 0.167, 0.103), 0.06),
        "heart": Kind(0.0491, (-162, 22.8, 26.6, 1.13, 0.714, 0.317), (30.4, 27.4, 23.3, 1.48, 0.273, 0.193), 0.056),
        "left head gland": Kind(
            0.00946, (99.5, 61.3, 34.7, 0.611, 0.619, 0.401), (20.3, 15.9, 27.2, 0.569, 0.0984, 0.135), 0.49
        ),
        "left kidney": Kind(
            0.0314, (-307, 77.6, -36.3, 1.3, 0.692, 0.297), (30.8, 15.8, 16.1, 1.21, 0.159, 0.169), 0.43
        ),
        "lesion": Kind(1, (-343, -5.99, -1.26, 0.82, 0.999, 0.432), (275, 78.2, 53.8, 0.681, 0.282, 0.149), 0.011),
        "liver": Kind(0.121, (-240, -71.8, 11.8, -0.207, 0.519, 0.393), (43.9, 43.8, 41.9, 0.626, 0.105, 0.247), 0.091),
        "right head gland": Kind(
            0.0172, (82.6, -49.7, 42.7, 0.483, 0.611, 0.382), (33.3, 19.2, 28.9, 0.523, 0.113, 0.106), 0.28
        ),
        "right kidney": Kind(
            0.0319, (-309, -70.2, -33, 1.47, 0.702, 0.274), (34.4, 14, 18.9, 1.21, 0.165, 0.149), 0.42
        ),
        "spleen": Kind(0.0157, (-242, 101, -40.9, 0.101, 0.484, 0.36), (37, 25.8, 22.6, 0.967, 0.0903, 0.227), 0.088),
        "stomach": Kind(0.021, (-259, 48.6, 28.4, 0.303, 0.593, 0.328), (41.6, 32.2, 31.1, 1.08, 0.107, 0.225), 0.074),
        "injection site": Kind(0.02, (-200.0, 0.0, 0.0, 0.5, 1.3, 0.3), (300.0, 350.0, 60.0, 0.6, 0.4, 0.15), 0.02),
        "ureter": Kind(0.02, (-430.0, 0.0, -20.0, 0.0, 0.8, 0.3), (70.0, 40.0, 20.0, 0.4, 0.2, 0.15), 0.2),
    },
    "psma": {
        "bladder": Kind(0.0284, (-540, -0.943, -6.93, 2.07, 1.37, 0.34), (31.1, 18, 19.9, 0.717, 0.412, 0.155), 0.0052),
        "bowel or other": Kind(
            0.758, (-423, 4.95, 28.6, 0.621, 0.763, 0.268), (95.1, 71.9, 35.3, 0.95, 0.185, 0.209), 0.27
        ),
        "heart": Kind(0.00133, (-184, 19.9, 29.2, -0.129, 0.524, 0.472), (27.5, 23.8, 27.5, 0.487, 0.0195, 0.26), 0.15),
        "left head gland": Kind(
            0.0314, (98.3, 65, 37.1, 0.934, 1.07, 0.432), (37.3, 28.1, 26.1, 0.421, 0.188, 0.105), 0.62
        ),
        "left kidney": Kind(
            0.0301, (-302, 78.5, -33.8, 2.43, 1.6, 0.276), (27.6, 14.4, 14.1, 0.355, 0.171, 0.0893), 0.45
        ),
        "lesion": Kind(1, (-336, -6.57, -0.568, 0.831, 1.04, 0.428), (282, 78, 53.7, 0.731, 0.286, 0.155), 0.013),
        "liver": Kind(0.0345, (-241, -64.7, 14.7, 0.298, 0.663, 0.361), (40.9, 45.9, 37.3, 1.18, 0.139, 0.219), 0.03),
        "right head gland": Kind(
            0.0666, (81.6, -45.8, 49.1, 0.706, 1.04, 0.429), (82.9, 23.3, 30.6, 0.536, 0.203, 0.12), 0.3
        ),
        "right kidney": Kind(
            0.0294, (-301, -72.2, -23.7, 2.58, 1.6, 0.268), (36.8, 13.4, 20.2, 0.434, 0.171, 0.0802), 0.43
        ),
        "spleen": Kind(0.0139, (-234, 100, -48.6, 1.45, 0.863, 0.298), (25.2, 16.6, 15.3, 1.19, 0.229, 0.13), 0.016),
        "stomach": Kind(
            0.00605, (-258, 50.5, 30.7, -0.0967, 0.588, 0.344), (44.5, 32.4, 36.6, 0.744, 0.0885, 0.185), 0.012
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
