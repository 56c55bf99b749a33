"""Check that a well-formed request fits a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SegAnyPETLib.backend.messages.requests import PredictRequest
from SegAnyPETLib.backend.protocol import TargetPrompts
from SegAnyPETLib.errors import InputError

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec

#: Relative tolerance on a window's voxel size, for rounding only.
SPACING_TOLERANCE = 1e-3


def check_fits(request: PredictRequest, spec: ModelSpec) -> None:
    """Check that a request fits a model.

    Raises:
        InputError: its window has another size or voxel size, or a mask or previous logits are on another grid.
    """
    finest, coarsest = min(spec.spacing_mm), max(spec.spacing_mm)
    if not finest * (1 - SPACING_TOLERANCE) <= request.spacing_mm <= coarsest * (1 + SPACING_TOLERANCE):
        raise InputError(
            f"windows of {spec.name} have voxels of {finest:g} to {coarsest:g} mm, not {request.spacing_mm:g} mm"
        )
    if request.image is not None and len(request.image.voxels_kji) != spec.size:
        raise InputError(
            f"windows of {spec.name} have {spec.size} voxels per side, not {len(request.image.voxels_kji)}"
        )
    for target in request.targets:
        _check_target(target, spec)


def _check_target(target: TargetPrompts, spec: ModelSpec) -> None:
    for mask in (target.mask, target.not_target):
        if mask is not None and mask.size != spec.size:
            raise InputError(f"masks for {spec.name} have a grid of {spec.size} voxels per side, not {mask.size}")
    if target.previous_logits is not None and len(target.previous_logits) != spec.previous_logits_size:
        raise InputError(f"{spec.name} did not answer the logits that were sent with the prompts")
