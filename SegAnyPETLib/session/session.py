"""One target, segmented prompt by prompt, with undo and redo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import MaskPrompt, Point, Prompt
from SegAnyPETLib.session.growth import Watch
from SegAnyPETLib.session.segmenter import Segmenter
from SegAnyPETLib.session.state import State, StepResult
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume


class InteractiveSession:
    """Prompts of one target in one volume, and the mask that they led to.

    The state is the volume, the prompts and the mask; a session that is given those of an earlier one goes on where
    that one was. Each act is one step of undo, and whatever makes it fail, the session is as it was before: a prompt
    that is refused, a backend that fails, a cancelled prediction, also amid many windows or many points. Acts that
    change the target clear what `redo` would bring.

    A session is for one thread at a time. `Backend.cancel` may be called from any.

    Args:
        volume: PET in SUV; it must not be changed while the session lives.
        backend: runs the model.
        prompts: the `prompts` of an earlier session, in their order. Its points without its masks are allowed, but
            moving one of them then segments the target from the points only.
        mask_kji: the mask that they led to, as for `add_mask`. If it contradicts points, or they could not have led to
            a mask, it counts as drawn by hand, see `set_mask`. A mask that is known to have been edited since may be
            the last of the prompts.
        watch: called with the number of windows looked through while a target larger than a window is followed; the
            target is followed no further once it returns False.

    Raises:
        InputError: a point lies outside the volume or on a voxel without a finite value, or a mask on another grid.
    """

    def __init__(
        self,
        volume: Volume,
        backend: Backend,
        prompts: Sequence[Prompt] = (),
        mask_kji: NDArray[np.bool_] | MaskPatch | None = None,
        watch: Watch = lambda windows: True,
    ) -> None:
        self._segmenter = Segmenter(volume, backend, watch)
        self._now = self._restored(tuple(prompts), mask_kji)
        self._past: list[State] = []
        self._undone: list[State] = []

    @property
    def volume(self) -> Volume:
        """What is segmented."""
        return self._segmenter.volume

    @property
    def backend(self) -> Backend:
        """What runs the model; it may be replaced by another one, of another model too."""
        return self._segmenter.backend

    @backend.setter
    def backend(self, backend: Backend) -> None:
        self._segmenter.backend = backend

    @property
    def watch(self) -> Watch:
        """The callback while a target larger than a window is followed."""
        return self._segmenter.watch

    @watch.setter
    def watch(self, watch: Watch) -> None:
        self._segmenter.watch = watch

    @property
    def neighbours(self) -> tuple[MaskPatch, ...]:
        """Masks of finished targets beside this one, which the model is shown as not belonging to it at later clicks.

        One that a positive point of the target lies in is left out. A model without such a map passes them over.
        """
        return self._segmenter.neighbours

    @neighbours.setter
    def neighbours(self, masks: Sequence[MaskPatch]) -> None:
        self._segmenter.neighbours = tuple(masks)

    @property
    def mask(self) -> MaskPatch:
        """The mask so far."""
        return self._now.mask

    @property
    def mask_kji(self) -> NDArray[np.bool_]:
        """The mask so far on the whole grid."""
        return self.mask.to_array(self.volume.shape_kji)

    @property
    def points(self) -> tuple[Point, ...]:
        """The clicks so far."""
        return self._now.points

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The clicks so far, and the mask among them that took the place of what earlier ones led to."""
        return self._now.prompts

    @property
    def history(self) -> tuple[StepResult, ...]:
        """What each prompt in force led to, oldest first; those that the model was not asked about are not there."""
        return self._now.steps

    @property
    def alternatives(self) -> tuple[StepResult, ...]:
        """The masks that the last click may mean, from the smallest to the largest, the current one among them.

        A click in a hot spot may mean its core, the lesion or a conglomerate. A model with several masks finds them at
        the click; for others, and in a session that continues from a saved click, `find_sizes` looks for them. Empty
        until then, and after other prompts.
        """
        return self._now.alternatives

    @property
    def chosen(self) -> int:
        """Index of the current mask in `alternatives`."""
        return self._now.chosen

    @property
    def has_smaller(self) -> bool:
        """Return whether there is a smaller one of the alternatives, or it is not known yet."""
        return self.chosen > 0 or self._sizes_unknown

    @property
    def has_larger(self) -> bool:
        """Return whether there is a larger one of the alternatives, or it is not known yet."""
        return self.chosen + 1 < len(self.alternatives) or self._sizes_unknown

    @property
    def can_undo(self) -> bool:
        """Return whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Return whether a step was taken back that may be done again."""
        return bool(self._undone)

    def add_point(self, point: Point, made_on: Volume | None = None) -> StepResult:
        """Click on the target, or on what does not belong to it.

        Args:
            point: the click.
            made_on: the volume that was clicked, where the caller knows it.

        Raises:
            InputError: the point lies outside the volume or on a voxel without a finite value, was made on another
                volume than the session's, or the first prompt of a target is a negative point.
            SegAnyPETError: the backend failed or was cancelled.
        """
        self._check(point, made_on)
        if not point.positive and self.mask.voxels == 0:
            raise InputError("a target begins with a positive point or a mask; add one before negative points")
        return self._step(self._segmenter.apply(self._now, point)).steps[-1]

    def add_mask(self, mask_kji: NDArray[np.bool_] | MaskPatch) -> StepResult:
        """Take a mask from elsewhere as the target so far, and let the model refine it.

        Args:
            mask_kji: bool array on the volume's grid, or the part of it that holds the mask.

        Raises:
            InputError: the mask lies on another grid or has no voxel.
            SegAnyPETError: the backend failed or was cancelled.
        """
        given = self._patch(mask_kji)
        if given.voxels == 0:
            raise InputError("the mask has no voxel; give a mask that marks the target")
        return self._step(self._segmenter.apply(self._now, MaskPrompt(given, refine=True))).steps[-1]

    def set_mask(self, mask_kji: NDArray[np.bool_] | MaskPatch) -> bool:
        """Take over a mask that was drawn or corrected by hand, as it is; the model is not asked.

        It is the mask that the model is shown at the next click. Points that it contradicts are dropped, else they
        would win over the hand at that click.

        Args:
            mask_kji: as for `add_mask`; it may be without a voxel.

        Returns:
            Whether the mask is another one than before; if not, this is no step.

        Raises:
            InputError: the mask lies on another grid.
        """
        mask = self._patch(mask_kji)
        if _same(mask, self.mask):
            return False
        self._step(self._segmenter.apply(self._now, MaskPrompt(mask)))
        return True

    def find_sizes(self) -> None:
        """Look for the alternatives of the only click if they are not known; this is no step, the mask stays as it is.

        A mask that another model made is none of them, and stays without alternatives until `smaller` or `larger`.

        Raises:
            SegAnyPETError: the backend failed or was cancelled.
        """
        if self._sizes_unknown:
            sized = self._sized()
            if _same(sized.mask, self.mask):
                self._now = sized

    def smaller(self) -> StepResult:
        """Take the next smaller one of the alternatives, which the next click will refine; see `find_sizes`.

        Raises:
            InputError: there is none.
            SegAnyPETError: the backend failed or was cancelled.
        """
        return self._resize(-1, "smaller")

    def larger(self) -> StepResult:
        """Take the next larger one of the alternatives, as `smaller` does.

        Raises:
            InputError: there is none.
            SegAnyPETError: the backend failed or was cancelled.
        """
        return self._resize(+1, "larger")

    def move_point(self, number: int, point: Point, made_on: Volume | None = None) -> None:
        """Replace one of `points` by another point, and segment the target again.

        All is as if the point had been clicked there at first: what came before it stays, what came after it is
        repeated in its order. A point that is older than an edit by hand counts as clicked right after it, for the
        edited mask stays as it was drawn.

        Args:
            number: of the point in `points`, from 0.
            point: what takes its place.
            made_on: as for `add_point`.

        Raises:
            InputError: as for `add_point`, or there is no such point.
            SegAnyPETError: the backend failed or was cancelled.
        """
        self._check(point, made_on)
        place = self._place_of(number)
        others = (*self.prompts[:place], *self.prompts[place + 1 :])
        drawn = [n for n, prompt in enumerate(others) if isinstance(prompt, MaskPrompt) and not prompt.refine]
        place = max([place, *(n + 1 for n in drawn)])
        self._replay((*others[:place], point, *others[place:]))

    def remove_point(self, number: int) -> None:
        """Remove one of `points`, and segment the target again from the remaining prompts.

        What came before it stays, what came after it is repeated in its order; a mask drawn by hand after it stays as
        it was drawn. Negative points wait for a positive one if nothing is left to remove from.

        Args:
            number: of the point in `points`, from 0.

        Raises:
            InputError: there is no such point.
            SegAnyPETError: the backend failed or was cancelled.
        """
        place = self._place_of(number)
        self._replay((*self.prompts[:place], *self.prompts[place + 1 :]))

    def undo(self) -> None:
        """Take the last step back: prompts and mask are those before it. The model is not asked.

        Raises:
            InputError: there is no step.
        """
        if not self._past:
            raise InputError("there is nothing to undo")
        self._undone.append(self._now)
        self._now = self._past.pop()

    def redo(self) -> None:
        """Do again what `undo` took back last. The model is not asked.

        Raises:
            InputError: nothing was taken back since the last prompt.
        """
        if not self._undone:
            raise InputError("there is nothing to redo")
        self._past.append(self._now)
        self._now = self._undone.pop()

    def _restored(self, prompts: tuple[Prompt, ...], mask_kji: NDArray[np.bool_] | MaskPatch | None) -> State:
        for prompt in prompts:
            if isinstance(prompt, Point):
                self._check(prompt)
            else:
                self._patch(prompt.mask)
        if mask_kji is None:
            return State(prompts)
        mask = self._patch(mask_kji)
        state = State(prompts, mask)
        holds_mask = len(state.points) < len(prompts)
        possible = holds_mask or not mask.voxels or (state.points != () and state.points[0].positive)
        return state if possible and state.agrees(self.volume) else state.redrawn(self.volume, mask)

    def _step(self, state: State) -> State:
        self._past.append(self._now)
        self._undone.clear()
        self._now = state
        return state

    def _resize(self, step: int, word: str) -> StepResult:
        self.find_sizes()
        sized = self._sized() if self._sizes_unknown else self._now
        if not 0 <= sized.chosen + step < len(sized.alternatives):
            raise InputError(f"there is no {word} mask for this click; correct the mask with a click")
        return self._step(self._segmenter.resized(sized, step)).steps[-1]

    def _sized(self) -> State:
        """Return what the only click leads to in this backend, with its alternatives."""
        (click,) = self.points
        first = self._now
        if click.size_step or not first.steps or first.view is None or first.view.backend is not self.backend:
            first = self._segmenter.apply(State(), replace(click, size_step=0))
        if not first.alternatives:
            first = self._segmenter.with_alternatives(first)
        return self._segmenter.resized(first, click.size_step)

    @property
    def _sizes_unknown(self) -> bool:
        """Return whether a single click led to the mask and its alternatives were not sought."""
        return len(self.prompts) == 1 and bool(self.points) and self.mask.voxels > 0 and not self.alternatives

    def _replay(self, prompts: tuple[Prompt, ...]) -> None:
        """Step to where prompts lead, from the latest state that some of them led to already."""
        known = [s for s in (self._now, *reversed(self._past)) if s.prompts == prompts[: len(s.prompts)]]
        state = max(known, key=lambda s: len(s.prompts), default=State())
        if state is self._now:
            return
        begin = max((n for n, prompt in enumerate(prompts) if isinstance(prompt, MaskPrompt)), default=0)
        if len(state.prompts) < begin:  # what earlier points led to does not matter, the mask takes its place
            state = State(prompts[:begin], steps=state.steps)
        for prompt in prompts[len(state.prompts) :]:
            state = self._segmenter.apply(state, prompt)
        self._step(state)

    def _place_of(self, number: int) -> int:
        """Where a point is among the prompts."""
        places = [place for place, prompt in enumerate(self.prompts) if isinstance(prompt, Point)]
        if not 0 <= number < len(places):
            raise InputError(f"the target has {len(places)} points, there is no point number {number}")
        return places[number]

    def _check(self, point: Point, made_on: Volume | None = None) -> None:
        if made_on is not None and made_on is not self.volume:
            raise InputError("the point was made on another volume; choose the target's own volume, or a new target")
        if not np.isfinite(self.volume.array_kji[self.volume.nearest_kji(point.ras)]):
            raise InputError("the point lies on a voxel without a finite value; click elsewhere")

    def _patch(self, mask_kji: NDArray | MaskPatch) -> MaskPatch:
        """Crop a mask to its smallest patch."""
        shape = self.volume.shape_kji
        if isinstance(mask_kji, MaskPatch):
            patch = mask_kji
            fits = Box.whole(shape).encloses(patch.box)
        else:
            patch, fits = MaskPatch(mask_kji, (0, 0, 0)), mask_kji.shape == shape
        if not fits:
            raise InputError("the mask lies on another grid than the volume; resample it to the volume's grid")
        return MaskPatch.cropped(patch.array_kji.astype(bool), patch.offset_kji)


def _same(one: MaskPatch, other: MaskPatch) -> bool:
    """Return whether two masks, each cropped to its smallest patch, hold the same voxels."""
    return one.offset_kji == other.offset_kji and np.array_equal(one.array_kji, other.array_kji)
