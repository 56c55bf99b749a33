"""The ways to say which uptake of a whole scan may be disease."""

from __future__ import annotations

from collections.abc import Callable

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.contrast import Contrast
from SegAnyPETLib.pet.proposals.liver import LiverReference
from SegAnyPETLib.pet.proposals.regions import Cut

#: Fraction of a lesion's own maximum (Boellaard et al. 2015, doi 10.1007/s00259-014-2961-x), and the maximum that it
#: must have to be looked for in a whole scan.
RELATIVE_FRACTION = 0.41
RELATIVE_MIN_MAX = 4.0

#: Name -> what is hot. SUV 4.0 is what lymphoma was found easiest to read with (Burggraaff et al. 2020), SUV 2.5 the
#: older threshold, SUV 3 that of bone in PSMA PET (Gafita et al. 2019).
FIXED: dict[str, Cut] = {
    "suv4": Cut(4.0),
    "suv2.5": Cut(2.5),
    "41%": Cut(RELATIVE_FRACTION * RELATIVE_MIN_MAX, RELATIVE_FRACTION, RELATIVE_MIN_MAX),
    "psma3": Cut(3.0),
}

#: Name -> threshold by the liver. PERCIST: 1.5 x mean + 2 SD; Deauville: above the liver's maximum, as scores 4 and 5
#: are; qPSMA: Gafita et al. 2019, doi 10.2967/jnumed.118.224055, for soft tissue.
BY_LIVER: dict[str, Callable[[LiverReference], float]] = {
    "percist": lambda liver: liver.percist_minimum,
    "deauville": lambda liver: liver.maximum,
    "qpsma": lambda liver: 4.30 / liver.mean * (liver.mean + liver.sd),
}

#: What stands out from its surroundings. Of simulated lesions above 1 ml in FDG it found 93 %, SUV 4.0 found 72 %.
BY_CONTRAST: dict[str, Contrast] = {
    "contrast": Contrast(floor=1.5, min_max=1.0, min_share=0.8, fraction=0.36, min_contrast=0.4, large=FIXED["41%"]),
}

CRITERIA = (*BY_CONTRAST, *FIXED, *BY_LIVER)


def cut_of(criterion: str, liver: LiverReference | None = None) -> Cut | Contrast:
    """Return what a criterion calls hot.

    Args:
        criterion: one of `CRITERIA`.
        liver: for the criteria by the liver.

    Raises:
        InputError: the criterion is not known, or needs a liver.
    """
    if criterion in FIXED:
        return FIXED[criterion]
    if criterion in BY_CONTRAST:
        return BY_CONTRAST[criterion]
    if criterion not in BY_LIVER:
        raise InputError(f"the criterion {criterion} is not known; use one of {', '.join(CRITERIA)}")
    if liver is None:
        raise InputError(f"the criterion {criterion} needs the liver; give the middle of its right lobe")
    return Cut(BY_LIVER[criterion](liver))
