import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import (
    MaskPrompt,
    Point,
    prompts_from_json,
    prompts_to_json,
)
from SegAnyPETLib.volume.patch import MaskPatch

NUMBERS = st.floats(-1e6, 1e6)
RAS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
MASK = MaskPatch.cropped(np.eye(3, dtype=bool)[None], (4, 5, 6))


@pytest.mark.slow
@given(st.lists(st.builds(Point, RAS, st.booleans(), st.none() | RAS)))
def test_points_come_back_from_json(points):
    assert prompts_from_json(prompts_to_json(points)) == points


def test_points_of_earlier_releases_are_read():
    text = '[{"ras": [1.5, -2, 3], "positive": true}, {"ras": [0, 0, 0], "positive": false}]'
    assert prompts_from_json(text) == [Point((1.5, -2.0, 3.0)), Point((0.0, 0.0, 0.0), positive=False)]


def test_a_point_that_was_not_moved_is_written_as_in_earlier_releases():
    assert json.loads(prompts_to_json([Point((1, 2, 3))])) == [{"ras": [1.0, 2.0, 3.0], "positive": True}]


@pytest.mark.slow
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=5)), st.booleans())
def test_masks_come_back_from_json_in_their_order_among_points(mask_kji, refine):
    mask = MaskPatch.cropped(mask_kji, (7, 8, 9))
    first, last = Point((1, 2, 3)), Point((4, 5, 6), positive=False)
    before, prompt, after = prompts_from_json(prompts_to_json([first, MaskPrompt(mask, refine), last]))
    assert (before, after, prompt.refine, prompt.mask.offset_kji) == (first, last, refine, mask.offset_kji)
    assert np.array_equal(prompt.mask.array_kji, mask.array_kji)


def damaged(**changes):
    (item,) = json.loads(prompts_to_json([MaskPrompt(MASK)]))
    return json.dumps([item | {"mask": item["mask"] | changes}])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "7",
        "[7]",
        '["mask"]',
        '[["ras"]]',
        "[{}]",
        '[{"ras": [1, 2], "positive": true}]',
        '[{"ras": [1, 2, 3], "positive": true, "clicked_ras": [1]}]',
        '[{"ras": [1, 2, 1e999], "positive": true}]',
        f'[{{"ras": [1, 2, 1{"0" * 400}], "positive": true}}]',
        "[" * 100_000,
        damaged(bits="!"),
        damaged(bits="AAAA"),
        damaged(bits=base64.b64encode(zlib.compress(b"\0" * 1000)).decode()),
        damaged(bits=base64.b64encode(zlib.compress(b"")).decode()),
        damaged(shape_kji=[1, 2, 300]),
        damaged(shape_kji=[10**30, 10**30, 1]),
        damaged(shape_kji=[1, 3]),
        damaged(offset_kji=[-1, 0, 0]),
        damaged(offset_kji=[0.5, 0, 0]),
    ],
)
def test_what_is_not_a_list_of_prompts_is_refused(text):
    with pytest.raises(InputError):
        prompts_from_json(text)


def test_where_a_point_was_clicked_must_be_finite_too():
    with pytest.raises(InputError, match="finite"):
        Point((0, 0, 0), True, (0, 0, float("nan")))
