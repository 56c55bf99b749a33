import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import MaskPrompt, Point
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend

SHAPE = (6, 7, 8)
OBLIQUE = np.array([[0, -3, 0, 1], [2, 0, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]], dtype=float)
MASKS = [MaskPatch(np.ones((n, 2, 3), bool), (1, 2, 3)) for n in (1, 2, 3)]
GRID = Grid(SHAPE, tuple(map(tuple, OBLIQUE.tolist())))
CLICKS = (Point((1, 2, 3)), Point((4.25, -5.5, 1e-3), False, (4, -5, 0)), MaskPrompt(MASKS[2]))

number = st.floats(-1e6, 1e6)


def prompts_after(clicks: int) -> SavedPrompts:
    return SavedPrompts(
        CLICKS[:clicks], "lite", "0" * 64, fingerprint(MASKS[clicks - 1], GRID), GRID, "segAnyPETVolume1"
    )


@pytest.mark.slow
@given(st.lists(st.builds(Point, st.tuples(number, number, number), st.booleans())), st.text())
@example([], "a|b\n")
def test_any_prompts_are_read_as_they_were_written(points: list[Point], model: str) -> None:
    prompts = SavedPrompts(tuple(points), model, "a" * 64, "b" * 64, GRID, "segAnyPETVolume12")
    text = prompts.to_json()
    assert SavedPrompts.from_json(text) == prompts
    assert prompts.on(GRID) == prompts.prompts
    assert not set(text) & set("|\n\r")  # which end a tag in a .seg.nrrd file
    assert text.isascii()


def test_further_keys_are_passed_over() -> None:
    text = json.dumps(json.loads(prompts_after(1).to_json()) | {"later": 1})
    assert SavedPrompts.from_json(text) == prompts_after(1)


def test_prompts_of_another_image_are_refused() -> None:
    shifted = OBLIQUE.copy()
    shifted[0, 3] += 0.5
    for other in (Grid((6, 7, 9), GRID.ijk_to_ras), Grid(SHAPE, tuple(map(tuple, shifted.tolist())))):
        with pytest.raises(InputError, match="another image"):
            prompts_after(1).on(other)


def test_another_release_is_named() -> None:
    text = json.dumps(json.loads(prompts_after(1).to_json()) | {"version": 2})
    with pytest.raises(InputError, match="another release"):
        SavedPrompts.from_json(text)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "1", "null", "[" * 100000, '{"version": 1}', '{"version": 1' + "0" * 5000]
)
def test_text_that_is_not_such_json_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        SavedPrompts.from_json(text)


@given(st.data())
def test_a_text_cut_short_is_damaged(data) -> None:
    text = prompts_after(3).to_json()
    with pytest.raises(InputError, match="damaged"):
        SavedPrompts.from_json(text[: data.draw(st.integers(0, len(text) - 1))])


@pytest.mark.parametrize(
    "change",
    [
        {"prompts": None},
        {"prompts": [{"ras": [1, 2], "positive": True}]},
        {"prompts": [{"ras": [1, 2, float("nan")], "positive": True}]},
        {"prompts": {"ras": [1, 2, 3]}},
        {"model": 3},
        {"weights_sha256": "0" * 63},
        {"mask_sha256": None},
        {"volume": "vtkMRMLScalarVolumeNode1"},
        {"grid": 3},
        {"grid": {"shape_kji": [1, 2], "ijk_to_ras": np.eye(4).tolist()}},
        {"grid": {"shape_kji": [1, 2, 0], "ijk_to_ras": np.eye(4).tolist()}},
        {"grid": {"shape_kji": [1, 2, 2.5], "ijk_to_ras": np.eye(4).tolist()}},
        {"grid": {"shape_kji": [1, 2, 3], "ijk_to_ras": np.zeros((4, 4)).tolist()}},
        {"grid": {"shape_kji": [1, 2, 3], "ijk_to_ras": [[1, 2], [3]]}},
    ],
)
def test_damaged_content_is_refused_in_one_line(change: dict) -> None:
    text = json.dumps(json.loads(prompts_after(1).to_json()) | change)
    with pytest.raises(InputError, match="damaged"):
        SavedPrompts.from_json(text)


def test_a_record_without_a_reference_to_a_node_is_read() -> None:
    content = json.loads(prompts_after(1).to_json())
    del content["volume"]
    assert SavedPrompts.from_json(json.dumps(content)).volume_role == ""


def test_the_plain_list_of_the_first_release_is_read_and_fits_any_grid() -> None:
    text = '[{"ras": [1, 2, 3], "positive": true}, {"ras": [4, 5, 6], "positive": false}]'
    saved = SavedPrompts.from_json(text)
    assert saved == SavedPrompts((Point((1, 2, 3)), Point((4, 5, 6), False)))
    assert saved.on(GRID) == saved.prompts
    assert (saved.mask_sha256, saved.grid) == ("", None)


def test_the_first_release_recorded_no_prompts_for_a_mask() -> None:
    assert SavedPrompts.from_json("[]") == SavedPrompts(())


def test_a_session_continues_from_its_record_and_its_mask() -> None:
    array = np.ones(SHAPE, np.float32)
    array[1:4, 2:4, 3:6] = 5.0
    volume = Volume(array, OBLIQUE)
    session = InteractiveSession(volume, HotBackend(8))
    session.add_mask(array > 4)
    session.add_point(Point(tuple(volume.point_ras((2, 3, 4)))))
    saved = SavedPrompts.from_json(SavedPrompts.of(session).to_json())
    prompt, point = saved.on(Grid.of(volume))
    assert isinstance(prompt, MaskPrompt)
    assert np.array_equal(prompt.mask.to_array(SHAPE), array > 4)
    assert point == session.points[0]
    assert saved.mask_sha256 == fingerprint(session.mask, Grid.of(volume))
    assert saved.model == session.backend.spec.name
    again = InteractiveSession(volume, HotBackend(8), saved.on(Grid.of(volume)), session.mask)
    assert np.array_equal(again.mask_kji, session.mask_kji)
    assert len(again.prompts) == 2
