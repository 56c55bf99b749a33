"""Takes a target from one state to the next: which windows the model looks through, and what mask comes of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend, Prediction, TargetPrompts, WindowImage, mask_prompt
from SegAnyPETLib.prompts import MaskPrompt, Point, Prompt
from SegAnyPETLib.session.candidates import LOOKS_MM, Candidate, by_size, steps_from
from SegAnyPETLib.session.growth import Watch, grow
from SegAnyPETLib.session.neighbours import not_target
from SegAnyPETLib.session.parts import part_at
from SegAnyPETLib.session.settle import cleared, settle
from SegAnyPETLib.session.state import State, StepResult, View
from SegAnyPETLib.session.zoom import (
    DOUBT,
    FIRST_LOOK_MM,
    OTHER_LOOKS_MM,
    first_window,
    fitting_window,
    shows_click,
    still_fits,
)
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window


@dataclass(frozen=True, eq=False)
class _Look:
    """What the model made of a prompt, what of the grid it saw for that, and what else the prompt may mean."""

    proposal: MaskPatch
    window: Window
    quality: float
    previous_logits: NDArray[np.float16] | None
    seen: tuple[Box, ...]
    open: bool = False
    smaller: tuple[_Look, ...] = ()
    larger: tuple[_Look, ...] = ()


class Segmenter:
    """A model on a volume.

    Attributes:
        volume: PET in SUV.
        backend: runs the model.
        watch: as that of `InteractiveSession`.
        neighbours: as that of `InteractiveSession`.
    """

    def __init__(self, volume: Volume, backend: Backend, watch: Watch) -> None:
        self.volume = volume
        self.backend = backend
        self.watch = watch
        self.neighbours: tuple[MaskPatch, ...] = ()
        self._shown: tuple[Window, WindowImage] | None = None

    def apply(self, state: State, prompt: Prompt) -> State:
        """Return the state that a prompt leads to.

        Raises:
            SegAnyPETError: what the backend raises.
        """
        if isinstance(prompt, Point):
            return self._clicked(state, prompt)
        return self._refined(state, prompt) if prompt.refine else state.redrawn(self.volume, prompt.mask)

    def resized(self, state: State, steps: int) -> State:
        """Return the state with a smaller or larger one of its alternatives; the model is not asked.

        Args:
            state: its last prompt is a click that has alternatives.
            steps: number of steps to larger ones, or if negative to smaller ones; the last one is taken if there are
                fewer.
        """
        number = int(np.clip(state.chosen + steps, 0, len(state.alternatives) - 1))
        if number == state.chosen:
            return state
        *earlier, click = state.prompts
        assert isinstance(click, Point)
        resized = replace(click, size_step=click.size_step + number - state.chosen)
        result = replace(state.alternatives[number], point=resized)
        return State(
            (*earlier, resized),
            result.mask,
            View(result.window, None, self.backend),
            (*state.steps[:-1], result),
            state.alternatives,
            number,
        )

    def with_alternatives(self, state: State) -> State:
        """Return the state with the smaller and larger masks that its only click may mean, sought at all voxel sizes.

        Args:
            state: what the click led to in this backend, without alternatives.

        Raises:
            SegAnyPETError: what the backend raises.
        """
        points, result, nothing = state.points, state.steps[-1], MaskPatch.empty()
        candidates = self._candidates(points, Candidate.all_of(*self._first_look(points)))
        volume_mm3 = state.mask.voxels * self.volume.voxel_ml * 1000.0
        smaller, larger = (
            [self._as_result(result, nothing, points, self._made_of(c.prediction, c.window)) for c in side]
            for side in steps_from(volume_mm3, candidates)
        )
        return _among(state, smaller, larger)

    def _clicked(self, state: State, click: Point) -> State:
        begin = time.perf_counter()
        size_step, click = click.size_step, replace(click, size_step=0)
        before = replace(state, prompts=(*state.prompts, click))
        if not click.positive and not state.mask.voxels:
            return before  # there is nothing to take away yet; later looks will know
        points = before.points
        look = self._look_again(state, points) if state.mask.voxels else self._look_anew(points, state.mask)
        clicked = self._next(before, self._settled(state.mask, points, look), click, look, begin)
        if look.smaller or look.larger:
            smaller, larger = (
                [self._as_result(clicked.steps[-1], state.mask, points, each) for each in side]
                for side in (look.smaller, look.larger)
            )
            clicked = _among(clicked, smaller, larger)
        elif size_step and len(clicked.prompts) == 1:
            clicked = self.with_alternatives(clicked)
        return self.resized(clicked, size_step) if size_step and clicked.alternatives else clicked

    def _as_result(self, result: StepResult, before: MaskPatch, points: tuple[Point, ...], look: _Look) -> StepResult:
        """Return what a click would have led to if a look had been chosen."""
        mask = self._settled(before, points, look)
        return replace(result, mask=mask, window=look.window, quality=look.quality, windows=1, open=False)

    def _settled(self, before: MaskPatch, points: tuple[Point, ...], look: _Look) -> MaskPatch:
        return settle(self.volume, before, look.proposal, points, look.seen)

    def _refined(self, state: State, prompt: MaskPrompt) -> State:
        begin = time.perf_counter()
        given, points = prompt.mask, state.points
        window = fitting_window(self.volume, self.backend, given, points)
        look = self._look(window, points, given)
        refined = given.to_array(self.volume.shape_kji)
        if look.proposal.voxels:
            refined[window.box_in(self.volume).slices] = False  # what lies beyond the window stays as it was given
            refined[look.proposal.slices] |= look.proposal.array_kji
        everywhere = [Box.whole(self.volume.shape_kji)]
        mask = settle(self.volume, MaskPatch.empty(), MaskPatch.cropped(refined), points, everywhere)
        return self._next(replace(state, prompts=(*points, prompt)), mask, None, look, begin)

    def _next(self, before: State, mask: MaskPatch, point: Point | None, look: _Look, begin: float) -> State:
        seconds = time.perf_counter() - begin
        step = StepResult(mask, point, look.window, look.quality, seconds, len(look.seen), look.open)
        return State(before.prompts, mask, View(look.window, look.previous_logits, self.backend), (*before.steps, step))

    def _first_look(self, points: tuple[Point, ...]) -> tuple[Prediction, Window]:
        """Look at a target of unknown size, and ask for all that the click may mean."""
        window = first_window(self.volume, self.backend, points[-1])
        return self._predict(window, points, MaskPatch.empty(), alternatives=True), window

    def _look_anew(self, points: tuple[Point, ...], known: MaskPatch) -> _Look:
        """First looks at a target for its size, and then one at the zoom that it needs; one look without zoom."""
        click, nothing = points[-1], MaskPatch.empty()
        prediction, window = self._first_look(points)
        if prediction.alternatives:
            return self._followed(self._look_for_sizes(points, Candidate.all_of(prediction, window)), points, known)
        look = self._made_of(prediction, window)
        if look.quality < DOUBT and self.backend.spec.zooms:
            others = (first_window(self.volume, self.backend, click, spacing) for spacing in OTHER_LOOKS_MM)
            looks = [look, *(self._look(window, points, nothing) for window in others)]
            look = max(looks, key=lambda each: each.quality)
        if look.proposal.voxels and self.backend.spec.zooms:
            closer = fitting_window(self.volume, self.backend, look.proposal, points)
            look = self._look(closer, points, look.proposal)
        return self._followed(look, points, known)

    def _look_for_sizes(self, points: tuple[Point, ...], candidates: tuple[Candidate, ...]) -> _Look:
        """Look at all voxel sizes; the mask that the model expects most of is meant, and others are kept beside it.

        Args:
            points: the only one that the model was shown is the last one.
            candidates: what the first look found.
        """
        candidates = self._candidates(points, candidates)
        ladder = by_size(candidates)
        if ladder is None:
            return self._made_of(candidates[0].prediction, candidates[0].window)
        looks = [self._made_of(c.prediction, c.window) for c in ladder.candidates]
        smaller, larger = tuple(looks[: ladder.chosen]), tuple(looks[ladder.chosen + 1 :])
        return replace(looks[ladder.chosen], smaller=smaller, larger=larger)

    def _candidates(self, points: tuple[Point, ...], found: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Return the candidates of the first look and, for a model that zooms, of looks at the other voxel sizes."""
        for spacing_mm in LOOKS_MM if self.backend.spec.zooms else ():
            if spacing_mm != FIRST_LOOK_MM:
                window = first_window(self.volume, self.backend, points[-1], spacing_mm)
                prediction = self._predict(window, points, MaskPatch.empty(), alternatives=True)
                found = (*found, *Candidate.all_of(prediction, window))
        return found

    def _look_again(self, state: State, points: tuple[Point, ...]) -> _Look:
        """Look at the same window while it shows the part that the click is about, so that nothing else changes.

        A positive click far from the mask begins a new part, which is looked at like a new target.
        """
        click = points[-1]
        part = part_at(self.volume, state.mask, click)
        if click.positive and not part.voxels:
            return self._look_anew((click,), state.mask)
        view = state.view if state.view is not None and state.view.backend is self.backend else None
        window = self._window_of(None if view is None else view.window, click, part)
        previous_logits = view.previous_logits if view is not None and view.window is window else None
        if click.positive:
            return self._followed(self._look(window, points, state.mask, previous_logits), points, state.mask)
        feeds_back_logits = view is not None and view.previous_logits is not None
        mask = state.mask if feeds_back_logits else cleared(self.volume, state.mask, points)
        return self._look(window, points, mask, previous_logits)

    def _window_of(self, window: Window | None, click: Point, part: MaskPatch) -> Window:
        """Return the last window while it serves, else one that fits."""
        if self.backend.spec.zooms:
            if window is None or not still_fits(window, self.volume, part, (click,)):
                return fitting_window(self.volume, self.backend, part, (click,))
        elif window is None or not shows_click(window, click):
            return fitting_window(self.volume, self.backend, part, (click,))
        return window

    def _followed(self, look: _Look, points: tuple[Point, ...], known: MaskPatch) -> _Look:
        """Follow the proposal of a look beyond the window's border."""

        def beyond(window: Window, mask: MaskPatch) -> MaskPatch:
            inside = tuple(p for p in points if window.contains(p.ras))
            return self._look(window, inside, mask).proposal

        grown = grow(self.volume, look.window, look.proposal, known, beyond, self.watch)
        return replace(look, proposal=grown.mask, seen=grown.seen, open=grown.open)

    def _look(
        self,
        window: Window,
        points: tuple[Point, ...],
        mask: MaskPatch,
        previous_logits: NDArray[np.float16] | None = None,
    ) -> _Look:
        return self._made_of(self._predict(window, points, mask, previous_logits), window)

    def _made_of(self, prediction: Prediction, window: Window) -> _Look:
        """Bring a prediction to the volume's grid."""
        proposal = window.paste(prediction.logits_kji, self.volume)
        return _Look(proposal, window, prediction.quality, prediction.previous_logits, (window.box_in(self.volume),))

    def _predict(
        self,
        window: Window,
        points: tuple[Point, ...],
        mask: MaskPatch,
        previous_logits: NDArray[np.float16] | None = None,
        alternatives: bool = False,
    ) -> Prediction:
        ras = np.array([p.ras for p in points], dtype=float).reshape(-1, 3)
        shows_mask = mask.voxels and previous_logits is None
        prompts = TargetPrompts(
            points_kji=window.index_kji(ras).astype(np.float32),
            positive=np.array([p.positive for p in points], dtype=bool),
            mask=mask_prompt(window.sample(mask.as_volume(self.volume))) if shows_mask else None,
            previous_logits=previous_logits,
            alternatives=alternatives,
            not_target=not_target(self.volume, window, self.neighbours, points, mask),
        )
        (prediction,) = self.backend.predict(self._image(window), [prompts])
        return prediction

    def _image(self, window: Window) -> WindowImage:
        """Sample the voxels of a window; those of the last one are kept."""
        if self._shown is None or self._shown[0] is not window:
            # Beyond the field of view some scanners write "not a number": nothing was measured there.
            array_kji = np.nan_to_num(window.sample(self.volume), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            self._shown = window, WindowImage.of(array_kji, window.spacing_mm)
        return self._shown[1]


def _among(state: State, smaller: list[StepResult], larger: list[StepResult]) -> State:
    """Return the state with smaller and larger alternatives around what it is."""
    return replace(state, alternatives=(*smaller, state.steps[-1], *larger), chosen=len(smaller))
