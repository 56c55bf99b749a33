"""One target, segmented click by click."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend, Prediction, Request
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.parts import part_at
from SegAnyPETLib.session.settle import settle
from SegAnyPETLib.session.zoom import first_window, fitting_window, still_fits
from SegAnyPETLib.volume.patch import MaskPatch, whole_grid
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window


@dataclass(frozen=True)
class StepResult:
    """What one prompt led to.

    Attributes:
        mask: of the target, on the volume's grid.
        point: the click, None for a mask prompt.
        window: the model's last look.
        quality: the Dice that the model expects of its mask, 0 to 1.
        seconds: from the prompt to the mask.
    """

    mask: MaskPatch
    point: Point | None
    window: Window
    quality: float
    seconds: float


class InteractiveSession:
    """Prompts of one target in one volume, and the mask that they led to.

    The state is the volume, the points and the mask; a session that is given the points and the mask of an earlier one
    goes on where that one was.

    Args:
        volume: PET in SUV.
        backend: runs the model.
        points: clicks of an earlier session.
        mask_kji: bool array on the volume's grid, the mask that they led to.

    Raises:
        InputError: a point lies outside the volume, or the mask on another grid.
    """

    def __init__(
        self,
        volume: Volume,
        backend: Backend,
        points: tuple[Point, ...] = (),
        mask_kji: NDArray[np.bool_] | None = None,
    ) -> None:
        self.volume = volume
        self.backend = backend
        self._mask = MaskPatch.empty() if mask_kji is None else self._patch(mask_kji)
        for point in points:
            volume.nearest_kji(point.ras)
        self._points = points
        self._window: Window | None = None
        self._history: list[StepResult] = []

    @property
    def mask(self) -> MaskPatch:
        """The mask so far."""
        return self._mask

    @property
    def mask_kji(self) -> NDArray[np.bool_]:
        """The mask so far on the whole grid."""
        return self._mask.to_array(self.volume.shape_kji)

    @property
    def points(self) -> tuple[Point, ...]:
        """The clicks so far."""
        return self._points

    @property
    def history(self) -> tuple[StepResult, ...]:
        """What each prompt led to, oldest first."""
        return tuple(self._history)

    def add_point(self, point: Point) -> StepResult:
        """Click on the target, or on what does not belong to it.

        Raises:
            InputError: the point lies outside the volume or on a voxel without a finite value, or the first prompt of
                a target is a negative point.
        """
        begin = time.perf_counter()
        self._check(point)
        points = (*self._points, point)
        if self._mask.voxels == 0:
            proposal, window, quality = self._look_twice(points)
        else:
            proposal, window, quality = self._look_again(points)
        mask = settle(self.volume, self._mask, proposal, points, window.box_in(self.volume))
        self._points, self._window = points, window
        return self._keep(mask, point, window, quality, begin)

    def add_mask(self, mask_kji: NDArray[np.bool_]) -> StepResult:
        """Take a mask from elsewhere as the target so far, and let the model mend it.

        Args:
            mask_kji: bool array on the volume's grid.

        Raises:
            InputError: the mask has another shape or no voxel.
        """
        begin = time.perf_counter()
        given = self._patch(mask_kji)
        if given.voxels == 0:
            raise InputError("the mask has no voxel; give a mask that marks the target")
        window = fitting_window(self.volume, self.backend, given, self._points)
        prediction = self._predict(window, self._points, given)
        proposal = window.paste(prediction.logits_kji, self.volume)
        mended = given.to_array(self.volume.shape_kji)
        if proposal.voxels:
            mended[window.box_in(self.volume)] = False  # what lies beyond the window stays as it was given
            mended[proposal.slices] |= proposal.array_kji
        seen = whole_grid(self.volume.shape_kji)
        mask = settle(self.volume, MaskPatch.empty(), MaskPatch.cropped(mended), self._points, seen)
        self._window = window
        return self._keep(mask, None, window, prediction.quality, begin)

    def _look_twice(self, points: tuple[Point, ...]) -> tuple[MaskPatch, Window, float]:
        """A first look from afar for the target's size, then one at the zoom that it needs."""
        window = first_window(self.volume, self.backend, points[-1])
        proposal, quality = self._proposal(window, points, MaskPatch.empty())
        if not proposal.voxels:
            return proposal, window, quality
        closer = fitting_window(self.volume, self.backend, proposal, points)
        proposal, quality = self._proposal(closer, points, proposal)
        return proposal, closer, quality

    def _look_again(self, points: tuple[Point, ...]) -> tuple[MaskPatch, Window, float]:
        """The same window while it shows the part that the click is about, so that nothing else changes.

        A positive click far from the mask begins a new part, which is looked at like a new target.
        """
        click = points[-1]
        part = part_at(self.volume, self._mask, click)
        if click.positive and not part.voxels:
            return self._look_twice((click,))
        window = self._window
        if window is None or not still_fits(window, self.volume, part, (click,)):
            window = fitting_window(self.volume, self.backend, part, (click,))
        proposal, quality = self._proposal(window, points, self._mask)
        return proposal, window, quality

    def _proposal(self, window: Window, points: tuple[Point, ...], mask: MaskPatch) -> tuple[MaskPatch, float]:
        prediction = self._predict(window, points, mask)
        return window.paste(prediction.logits_kji, self.volume), prediction.quality

    def _predict(self, window: Window, points: tuple[Point, ...], mask: MaskPatch) -> Prediction:
        ras = np.array([p.ras for p in points], dtype=float).reshape(-1, 3)
        return self.backend.predict(
            Request(
                image_kji=window.sample(self.volume),
                spacing_mm=window.spacing_mm,
                points_kji=window.index_kji(ras).astype(np.float32),
                positive=np.array([p.positive for p in points], dtype=bool),
                mask_kji=window.sample(mask.as_volume(self.volume)) if mask.voxels else None,
            )
        )

    def _patch(self, mask_kji: NDArray) -> MaskPatch:
        if mask_kji.shape != self.volume.shape_kji:
            raise InputError("the mask lies on another grid than the volume; resample it to the volume's grid")
        return MaskPatch.cropped(mask_kji.astype(bool))

    def _check(self, point: Point) -> None:
        index = self.volume.nearest_kji(point.ras)
        if not np.isfinite(self.volume.array_kji[index]):
            raise InputError("the point lies on a voxel without a finite value; click elsewhere")
        if not point.positive and self._mask.voxels == 0:
            raise InputError("a target begins with a positive point or a mask; add one before negative points")

    def _keep(self, mask: MaskPatch, point: Point | None, window: Window, quality: float, begin: float) -> StepResult:
        self._mask = mask
        self._history.append(StepResult(mask, point, window, quality, time.perf_counter() - begin))
        return self._history[-1]
