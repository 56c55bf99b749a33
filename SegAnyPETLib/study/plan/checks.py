"""Refusal of designs that cannot answer their question."""

from __future__ import annotations

from collections.abc import Sequence

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Manifest, Plan

#: With fewer pairs the two-sided p-value of Wilcoxon's signed rank test cannot fall below 0.05: 2 / 2**5 is 0.0625.
MIN_CASES = 6
#: Two weeks, below which readers remember cases.
MIN_WASHOUT_DAYS = 14


def check_study(plan: Plan, manifest: Manifest) -> None:
    """Refuse a plan that cannot answer its question with these cases.

    Raises:
        InputError: with what to change.
    """
    _check_codes(plan, manifest)
    _check_arms(plan)
    _check_design(plan, manifest)
    _check_references(plan, manifest)


def _check_codes(plan: Plan, manifest: Manifest) -> None:
    if not plan.readers:
        raise InputError("the plan has no readers; give each a code, such as R1")
    for what, codes in (
        ("reader", plan.readers),
        ("arm", [arm.name for arm in plan.arms]),
        ("case", [case.id for case in manifest.cases]),
    ):
        _check_unique(what, codes)
    for case in manifest.cases:
        _check_unique(f"target of case {case.id}", case.targets)


def _check_unique(what: str, codes: Sequence[str]) -> None:
    twice = sorted({code for code in codes if list(codes).count(code) > 1})
    if twice:
        raise InputError(f"the {what} {twice[0]} occurs twice; give each its own code")


def _check_arms(plan: Plan) -> None:
    references = [arm.name for arm in plan.arms if arm.reference]
    if len(references) != 1:
        raise InputError(
            f"a saving is measured against one arm, and {len(references)} are marked; set reference: true for one arm"
        )
    ways = [(frozenset(arm.tools), arm.model) for arm in plan.arms]
    for arm, way in zip(plan.arms, ways, strict=True):
        if not arm.tools:
            raise InputError(f"the arm {arm.name} has no tools; list at least one")
        if ways.count(way) > 1:
            raise InputError(f"the arm {arm.name} has the tools and model of another arm; there is nothing to compare")


def _check_design(plan: Plan, manifest: Manifest) -> None:
    arms, design = len(plan.arms), plan.design
    if design.kind == "crossover" and arms != 2:
        raise InputError(f"a crossover compares two arms and the plan has {arms}; use latin_square or other arms")
    if design.kind == "latin_square" and arms < 3:
        raise InputError(f"a Latin square needs three arms or more and the plan has {arms}; use crossover")
    if design.kind == "parallel" and arms < 2:
        raise InputError("a comparison needs two arms; add one")
    needed = MIN_CASES * (arms if design.kind == "parallel" else 1)
    if len(manifest.analysed) < needed:
        raise InputError(
            f"{len(manifest.analysed)} cases cannot show a difference at the 5 % level; add cases until there are at "
            f"least {needed} besides training"
        )
    if plan.simulated:
        return
    if design.kind != "parallel" and design.washout_days < MIN_WASHOUT_DAYS:
        raise InputError(
            f"after {design.washout_days} days readers remember cases; set washout_days to {MIN_WASHOUT_DAYS} or more"
        )
    if not manifest.training:
        raise InputError("without training the first cases measure learning; mark one case or more with training: true")
    if not plan.blinded and design.kind != "parallel":
        raise InputError("a reader who sees the other arm's masks is not timed by his own work; set blinded: true")


def _check_references(plan: Plan, manifest: Manifest) -> None:
    lacking = [case.id for case in manifest.analysed if not case.reference]
    if plan.quality and lacking:
        raise InputError(
            f"non-inferiority needs reference masks, and {len(lacking)} cases have none, {lacking[0]} first; add them "
            "or remove quality from the plan"
        )
    _check_unique("quality", [one.quantity for one in plan.quality])
