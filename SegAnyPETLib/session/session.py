"""One target, segmented click by click."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend, Prediction, TargetPrompts, WindowImage, mask_prompt
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.growth import Box, Watch, grow
from SegAnyPETLib.session.parts import part_at
from SegAnyPETLib.session.settle import cleared, settle
from SegAnyPETLib.session.zoom import DOUBT, OTHER_LOOKS_MM, first_window, fitting_window, shows_click, still_fits
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
        windows: number of windows that the model looked through for the mask; more than one for a target that no
            window holds.
        open: whether the mask still reaches the border of what the model saw, so that more of the target may lie
            beyond; another click there goes on.
    """

    mask: MaskPatch
    point: Point | None
    window: Window
    quality: float
    seconds: float
    windows: int = 1
    open: bool = False


@dataclass(frozen=True, eq=False)
class _Look:
    """What the model made of a prompt, and what of the grid it saw for that."""

    proposal: MaskPatch
    window: Window
    quality: float
    memory: NDArray[np.float16] | None
    seen: tuple[Box, ...]
    open: bool = False


class InteractiveSession:
    """Prompts of one target in one volume, and the mask that they led to.

    The state is the volume, the points and the mask; a session that is given the points and the mask of an earlier one
    goes on where that one was.

    Args:
        volume: PET in SUV.
        backend: runs the model.
        points: clicks of an earlier session.
        mask_kji: bool array on the volume's grid, the mask that they led to.
        watch: called with the number of windows looked through while a target larger than a window is followed; where
            it answers False the target is not followed any further.

    Raises:
        InputError: a point lies outside the volume, or the mask on another grid.
    """

    def __init__(
        self,
        volume: Volume,
        backend: Backend,
        points: tuple[Point, ...] = (),
        mask_kji: NDArray[np.bool_] | None = None,
        watch: Watch = lambda windows: True,
    ) -> None:
        self.volume = volume
        self.backend = backend
        self.watch = watch
        self._mask = MaskPatch.empty() if mask_kji is None else self._patch(mask_kji)
        for point in points:
            volume.nearest_kji(point.ras)
        self._points = points
        self._shown: tuple[Window, WindowImage] | None = None
        self._last: _Look | None = None
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
        look = self._look_anew(points) if self._mask.voxels == 0 else self._look_again(points)
        mask = settle(self.volume, self._mask, look.proposal, points, look.seen)
        self._points = points
        return self._keep(mask, point, look, begin)

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
        look = self._look(window, self._points, given)
        mended = given.to_array(self.volume.shape_kji)
        if look.proposal.voxels:
            mended[window.box_in(self.volume)] = False  # what lies beyond the window stays as it was given
            mended[look.proposal.slices] |= look.proposal.array_kji
        everywhere = [whole_grid(self.volume.shape_kji)]
        mask = settle(self.volume, MaskPatch.empty(), MaskPatch.cropped(mended), self._points, everywhere)
        return self._keep(mask, None, look, begin)

    def _look_anew(self, points: tuple[Point, ...]) -> _Look:
        """First looks at a target for its size, and then one at the zoom that it needs; one look without zoom."""
        click, nothing = points[-1], MaskPatch.empty()
        look = self._look(first_window(self.volume, self.backend, click), points, nothing)
        if look.quality < DOUBT and self.backend.spec.zooms:
            others = (first_window(self.volume, self.backend, click, spacing) for spacing in OTHER_LOOKS_MM)
            looks = [look, *(self._look(window, points, nothing) for window in others)]
            look = max(looks, key=lambda each: each.quality)
        if look.proposal.voxels and self.backend.spec.zooms:
            closer = fitting_window(self.volume, self.backend, look.proposal, points)
            look = self._look(closer, points, look.proposal)
        return self._followed(look, points)

    def _look_again(self, points: tuple[Point, ...]) -> _Look:
        """The same window while it shows the part that the click is about, so that nothing else changes.

        A positive click far from the mask begins a new part, which is looked at like a new target.
        """
        click = points[-1]
        part = part_at(self.volume, self._mask, click)
        if click.positive and not part.voxels:
            return self._look_anew((click,))
        window = self._window_of(click, part)
        if click.positive:
            return self._followed(self._look(window, points, self._mask), points)
        remembers = self._last is not None and self._last.memory is not None
        return self._look(window, points, self._mask if remembers else cleared(self.volume, self._mask, points))

    def _window_of(self, click: Point, part: MaskPatch) -> Window:
        window = None if self._last is None else self._last.window
        if self.backend.spec.zooms:
            if window is None or not still_fits(window, self.volume, part, (click,)):
                return fitting_window(self.volume, self.backend, part, (click,))
        elif window is None or not shows_click(window, click):
            return fitting_window(self.volume, self.backend, part, (click,))
        return window

    def _followed(self, look: _Look, points: tuple[Point, ...]) -> _Look:
        """A look whose proposal was followed beyond the window's border."""

        def beyond(window: Window, mask: MaskPatch) -> MaskPatch:
            inside = tuple(p for p in points if window.contains(p.ras))
            return self._look(window, inside, mask).proposal

        grown = grow(self.volume, look.window, look.proposal, self._mask, beyond, self.watch)
        return replace(look, proposal=grown.mask, seen=grown.seen, open=grown.open)

    def _look(self, window: Window, points: tuple[Point, ...], mask: MaskPatch) -> _Look:
        prediction = self._predict(window, points, mask)
        proposal = window.paste(prediction.logits_kji, self.volume)
        return _Look(proposal, window, prediction.quality, prediction.memory, (window.box_in(self.volume),))

    def _predict(self, window: Window, points: tuple[Point, ...], mask: MaskPatch) -> Prediction:
        ras = np.array([p.ras for p in points], dtype=float).reshape(-1, 3)
        last = self._last
        memory = last.memory if last is not None and last.window is window and mask is self._mask else None
        prompts = TargetPrompts(
            points_kji=window.index_kji(ras).astype(np.float32),
            positive=np.array([p.positive for p in points], dtype=bool),
            mask=mask_prompt(window.sample(mask.as_volume(self.volume))) if mask.voxels and memory is None else None,
            memory=memory,
        )
        (prediction,) = self.backend.predict(self._image(window), [prompts])
        return prediction

    def _image(self, window: Window) -> WindowImage:
        """The voxels of a window; those of the last one are kept."""
        if self._shown is None or self._shown[0] is not window:
            self._shown = window, WindowImage.of(window.sample(self.volume), window.spacing_mm)
        return self._shown[1]

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

    def _keep(self, mask: MaskPatch, point: Point | None, look: _Look, begin: float) -> StepResult:
        self._mask, self._last = mask, look
        seconds = time.perf_counter() - begin
        self._history.append(StepResult(mask, point, look.window, look.quality, seconds, len(look.seen), look.open))
        return self._history[-1]
