"""PERCIST 1.0: which lesions are measurable, and the category of a change.

Wahl et al. 2009, doi 10.2967/jnumed.108.057307; O and Wahl 2016, doi 10.1148/radiol.2016142043. PERCIST is defined for
SUL, SUV by lean body mass; by body weight the minimum of 0.8 units is reached sooner. The category is a suggestion for
research: whether a new lesion is disease, and what lies at the level of blood, only a reader can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from SegAnyPETLib.pet.burden.lesions import Lesion
from SegAnyPETLib.pet.proposals.liver import LiverReference

#: Relative and absolute change of the hottest lesion's SUVpeak from which on it counts, both needed.
MIN_RELATIVE_CHANGE = 0.30
MIN_CHANGE = 0.8
#: Growth of total lesion glycolysis that is progression.
MAX_TLG_GROWTH = 0.75


class Category(StrEnum):
    """Metabolic response."""

    COMPLETE = "CMR"
    PARTIAL = "PMR"
    STABLE = "SMD"
    PROGRESSIVE = "PMD"


@dataclass(frozen=True)
class Response:
    """A category with what led to it.

    Attributes:
        category: of the change.
        reason: one line.
    """

    category: Category
    reason: str


def measurable(lesions: Sequence[Lesion], liver: LiverReference) -> tuple[Lesion, ...]:
    """Return the lesions whose SUVpeak reaches 1.5 times the liver's mean and 2 SD."""
    return tuple(lesion for lesion in lesions if lesion.measured.suv_peak >= liver.percist_minimum)


def response(before: Sequence[Lesion], after: Sequence[Lesion], new: int) -> Response:
    """Suggest the PERCIST category of a change.

    Args:
        before: lesions of the first scan, at least one.
        after: lesions of the second scan.
        new: how many of them have no counterpart in the first scan.
    """
    if not after:
        return Response(Category.COMPLETE, "no lesion is left")
    if new:
        return Response(Category.PROGRESSIVE, f"{new} new lesion{'s' if new > 1 else ''}")
    peaks = [max(lesion.measured.suv_peak for lesion in lesions) for lesions in (before, after)]
    glycolysis = [sum(lesion.measured.tlg for lesion in lesions) for lesions in (before, after)]
    change = peaks[1] - peaks[0]
    peak = f"SUVpeak of the hottest lesion {peaks[0]:.2f} to {peaks[1]:.2f} ({100 * change / peaks[0]:+.0f} %)"
    counts = abs(change) >= MIN_CHANGE and abs(change) >= MIN_RELATIVE_CHANGE * peaks[0]
    if counts and change > 0:
        return Response(Category.PROGRESSIVE, peak)
    if glycolysis[1] - glycolysis[0] > MAX_TLG_GROWTH * glycolysis[0]:
        growth = 100 * (glycolysis[1] / glycolysis[0] - 1)
        return Response(Category.PROGRESSIVE, f"total lesion glycolysis grew by {growth:.0f} %")
    return Response(Category.PARTIAL if counts else Category.STABLE, peak)
