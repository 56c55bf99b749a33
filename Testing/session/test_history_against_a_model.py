"""Any acts in any order, beside a plain model: lists of prompts, each segmented by a fresh session."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from SegAnyPETLib.errors import BackendError, InputError
from SegAnyPETLib.prompts import MaskPrompt, Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from Testing.session.hot_backend import HOT, WARM, HotBackend, at, box, pet

pytestmark = pytest.mark.slow

#: Two hot boxes, one of them longer than a window; what is warm around one belongs to it once it was marked.
VOLUME = pet((6, 6, 20), ((0, 0, 0), (5, 5, 7)), value=WARM)
VOLUME.array_kji[box((1, 1, 1), (3, 3, 4))] = HOT
VOLUME.array_kji[box((3, 2, 8), (4, 3, 19))] = HOT

#: Few places, so that clicks meet: in both boxes, in what is warm, in what is cold.
PLACES = st.sampled_from([(2, 2, 2), (3, 3, 4), (1, 1, 1), (3, 2, 9), (4, 3, 18), (4, 4, 6), (0, 5, 12)])
BOXES = st.sampled_from([((1, 1, 1), (2, 2, 2)), ((0, 0, 4), (3, 3, 6)), ((3, 2, 8), (4, 3, 12))])
#: The number of the prediction that fails, if any.
FAILS = st.sampled_from([None, None, None, 1, 2, 3])


class Acts(RuleBasedStateMachine):
    """What the user may do.

    Attributes:
        prompts: points and masks in force.
        past, undone: prompts and mask of the steps before and of those taken back.
    """

    model: dict

    def __init__(self):
        super().__init__()
        self.session = InteractiveSession(VOLUME, HotBackend(**self.model))
        self.prompts, self.past, self.undone = [], [], []

    @property
    def places(self):
        """Where the points are among the prompts."""
        return [place for place, prompt in enumerate(self.prompts) if isinstance(prompt, Point)]

    @property
    def points(self):
        return [self.prompts[place] for place in self.places]

    def step(self, act, prompts, fails=None):
        """An act that shall lead to prompts, with a backend that may fail amid it."""
        before = self.prompts, self.session.mask_kji
        self.session.backend.fail(fails, BackendError("gone"))
        try:
            act()
        except BackendError:
            return self.check(before[1])
        self.session.backend.fail(None, None)
        if prompts != self.prompts:
            self.past.append(before)
            self.undone.clear()
            self.prompts = prompts
        return self.check(segmented(prompts, self.model))

    def check(self, mask_kji):
        session = self.session
        assert (session.mask_kji == mask_kji).all()
        assert session.points == tuple(self.points)
        assert [isinstance(p, Point) for p in session.prompts] == [isinstance(p, Point) for p in self.prompts]
        assert (session.can_undo, session.can_redo) == (bool(self.past), bool(self.undone))

    @rule(place=PLACES, positive=st.booleans(), fails=FAILS)
    def click(self, place, positive, fails):
        point = at(VOLUME, place, positive)
        if positive or self.session.mask.voxels:
            self.step(lambda: self.session.add_point(point), [*self.prompts, point], fails)
        else:
            with pytest.raises(InputError):
                self.session.add_point(point)

    @rule(where=BOXES, value=st.booleans())
    def edit(self, where, value):
        drawn = self.session.mask_kji
        drawn[box(*where)] = value
        if (drawn == self.session.mask_kji).all():
            assert not self.session.set_mask(drawn)
        else:
            kept = [p for p in self.points if drawn[VOLUME.nearest_kji(p.ras)] == p.positive]
            self.step(lambda: self.session.set_mask(drawn), [*kept, MaskPrompt(MaskPatch.cropped(drawn))])

    @rule(where=BOXES, fails=FAILS)
    def refine(self, where, fails):
        given = np.zeros(VOLUME.shape_kji, dtype=bool)
        given[box(*where)] = True
        prompt = MaskPrompt(MaskPatch.cropped(given), refine=True)
        self.step(lambda: self.session.add_mask(given), [*self.points, prompt], fails)

    @precondition(lambda self: self.points)
    @rule(data=st.data(), place=PLACES, positive=st.booleans(), fails=FAILS)
    def move(self, data, place, positive, fails):
        number = data.draw(st.integers(0, len(self.points) - 1))
        point = at(VOLUME, place, positive)
        prompts = self.prompts.copy()
        del prompts[self.places[number]]
        drawn = [n for n, p in enumerate(prompts) if isinstance(p, MaskPrompt) and not p.refine]
        prompts.insert(max([self.places[number], *(n + 1 for n in drawn)]), point)
        self.step(lambda: self.session.move_point(number, point), prompts, fails)

    @precondition(lambda self: self.points)
    @rule(data=st.data(), fails=FAILS)
    def remove(self, data, fails):
        number = data.draw(st.integers(0, len(self.points) - 1))
        prompts = self.prompts.copy()
        del prompts[self.places[number]]
        self.step(lambda: self.session.remove_point(number), prompts, fails)

    @precondition(lambda self: self.past)
    @rule()
    def undo(self):
        self.undone.append((self.prompts, self.session.mask_kji))
        self.prompts, mask_kji = self.past.pop()
        self.session.undo()
        self.check(mask_kji)

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self):
        self.past.append((self.prompts, self.session.mask_kji))
        self.prompts, mask_kji = self.undone.pop()
        self.session.redo()
        self.check(mask_kji)


def segmented(prompts, model):
    """The mask to which a fresh session comes that is given prompts one by one."""
    mask_place = next((n for n, p in enumerate(prompts) if isinstance(p, MaskPrompt)), None)
    if mask_place is None:
        # Negative points before the first positive one wait for it.
        begin = next((n for n, p in enumerate(prompts) if p.positive), len(prompts))
        session = InteractiveSession(VOLUME, HotBackend(**model), prompts[:begin])
    else:
        begin, prompt = mask_place + 1, prompts[mask_place]
        session = InteractiveSession(VOLUME, HotBackend(**model), prompts[:mask_place])
        if prompt.refine:
            session.add_mask(prompt.mask)
        else:
            session = InteractiveSession(VOLUME, HotBackend(**model), prompts[:begin], prompt.mask)
    for n in range(begin, len(prompts)):
        if prompts[n].positive or session.mask.voxels:
            session.add_point(prompts[n])
        else:
            session = InteractiveSession(VOLUME, HotBackend(**model), (*session.prompts, prompts[n]), session.mask)
    return session.mask_kji


def machine(**model):
    case = type("Acts", (Acts,), {"model": model}).TestCase
    case.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
    return case


TestWithZoom = machine(size=8, spacing_mm=(1.0, 3.0))
TestWithMemory = machine(size=8, spacing_mm=(1.0,), feeds_back_logits=True)
