import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SegAnyPETLib.backend.messages.frame import MAX_HEADER_BYTES, pack, unpack
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import (
    PROTOCOL,
    PredictRequest,
    pack_predictions,
    pack_request,
    unpack_predictions,
    unpack_request,
)
from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage, mask_prompt
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.crop import Crop

SIZE, LIMITS = 4, Limits(targets=3, points=5)
seeds = st.integers(0, 2**32 - 1)


def image(seed=0, spacing_mm=2.0):
    return WindowImage.of(np.random.default_rng(seed).uniform(0, 9, (SIZE,) * 3).astype(np.float32), spacing_mm)


def target(points=((1.0, 2.0, 3.0),), mask=None, previous_logits=None):
    return TargetPrompts(np.array(points, np.float32).reshape(-1, 3), np.ones(len(points), bool), mask, previous_logits)


def request(*targets, window=None, upload=True, model="lite"):
    window = window or image()
    return PredictRequest(
        model, "a" * 64, window.sha256, window.spacing_mm, window if upload else None, targets or (target(),)
    )


@st.composite
def targets(draw, most_points=2):
    count = draw(st.integers(0, most_points))
    rng = np.random.default_rng(draw(seeds))
    occupancy = np.where(rng.uniform(size=(SIZE,) * 3) < draw(st.floats(0, 1)), rng.uniform(size=(SIZE,) * 3), 0)
    return TargetPrompts(
        points_kji=(rng.normal(size=(count, 3)) * 10.0 ** rng.uniform(-9, 5)).astype(np.float32),
        positive=rng.uniform(size=count) < 0.5,
        mask=mask_prompt(occupancy.astype(np.float32)) if draw(st.booleans()) else None,
        previous_logits=rng.normal(size=(2, 2, 2)).astype(np.float16) if draw(st.booleans()) else None,
        not_target=Crop.around(occupancy > 0.5, occupancy > 0.5) if draw(st.booleans()) else None,
    )


def same_array(a, b):
    if a is None or b is None:
        return a is b
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def same_crop(a, b):
    if a is None or b is None:
        return a is b
    return (a.size, a.offset_kji) == (b.size, b.offset_kji) and same_array(a.array_kji, b.array_kji)


@given(
    st.lists(targets(most_points=1), min_size=1, max_size=3),
    st.booleans(),
    seeds,
    st.floats(0.1, 100),
    st.text("aö é_."),
)
def test_a_request_arrives_bit_for_bit(asked, upload, seed, spacing_mm, name):
    sent = request(*asked, window=image(seed, spacing_mm), upload=upload, model="m" + name)
    read = unpack_request(pack_request(sent), LIMITS)
    assert named(read) == named(sent)
    if upload:
        assert same_array(read.image.voxels_kji, sent.image.voxels_kji)
        assert (read.image.unit, read.image.spacing_mm) == (sent.image.unit, sent.image.spacing_mm)
    else:
        assert read.image is None
    for a, b in zip(read.targets, sent.targets, strict=True):
        assert same_array(a.points_kji, b.points_kji)
        assert same_array(a.positive, b.positive)
        assert same_crop(a.mask, b.mask)
        assert same_array(a.previous_logits, b.previous_logits)
        assert same_crop(a.not_target, b.not_target)


def named(sent):
    return (sent.model, sent.weights_sha256, sent.window_sha256, sent.spacing_mm)


@given(st.lists(st.tuples(seeds, st.sampled_from([1, 2, 4]), st.booleans(), st.floats(0, 1)), min_size=1, max_size=3))
def test_answers_arrive_bit_for_bit(kinds):
    sent = [
        Prediction.of(
            np.random.default_rng(s).normal(-1, 2, (n,) * 3).astype(np.float32), SIZE, quality, feeds_back_logits
        )
        for s, n, feeds_back_logits, quality in kinds
    ]
    read = unpack_predictions(pack_predictions(sent), len(sent), SIZE)
    for a, b in zip(read, sent, strict=True):
        assert same_crop(a.logits, b.logits)
        assert (a.size, a.quality, a.feeds_back_logits) == (b.size, b.quality, b.feeds_back_logits)
        assert same_array(a.logits_kji, b.logits_kji)
        assert same_array(a.previous_logits, b.previous_logits)


def test_alternatives_travel_where_they_are_asked_for():
    logits = np.random.default_rng(0).normal(-1, 2, (3, SIZE, SIZE, SIZE)).astype(np.float32)
    others = tuple(Prediction.of(one, SIZE, q) for one, q in zip(logits[1:], (0.25, 0.75), strict=True))
    sent = Prediction.of(logits[0], SIZE, 0.5, alternatives=others)
    (read,) = unpack_predictions(pack_predictions([sent]), 1, SIZE)
    assert [a.quality for a in read.alternatives] == [0.25, 0.75]
    for a, b in zip((read, *read.alternatives), (sent, *others), strict=True):
        assert same_crop(a.logits, b.logits)


def test_a_client_that_does_not_ask_for_alternatives_sends_what_earlier_releases_send():
    fields, _ = unpack(pack_request(request(target())))
    assert "alternatives" not in fields["targets"][0]
    asking = request(replace(target(), alternatives=True))
    assert unpack_request(pack_request(asking), LIMITS).targets[0].alternatives
    assert not unpack_request(pack_request(request(target())), LIMITS).targets[0].alternatives


def test_the_longest_request_that_is_allowed_has_a_header_below_the_cap():
    limits = Limits()
    points = np.random.default_rng(0).uniform(-1e5, 1e5, (limits.points // limits.targets, 3)).astype(np.float32)
    sent = request(*[target(points, mask_prompt(np.ones((SIZE,) * 3, np.float32)))] * limits.targets)
    data = pack_request(sent)
    assert int.from_bytes(data[:8], "little") < MAX_HEADER_BYTES
    assert len(unpack_request(data, limits).targets) == limits.targets


# --- refusals: one place of a valid message is changed


def changed(sent, change):
    """A valid message after `change(fields, arrays)`."""
    fields, arrays = unpack(sent)
    change(fields, arrays)
    return pack(fields, arrays)


def full_request():
    cube = np.zeros((SIZE,) * 3, np.float32)
    cube[1:3, 1:3, 1:3] = 1.0
    asked = target(mask=mask_prompt(cube), previous_logits=np.zeros((2, 2, 2), np.float16))
    return pack_request(request(replace(asked, not_target=Crop.around(cube > 0, cube > 0))))


def put(*path_and_value):
    """Sets fields[...][...] = value."""
    *path, last, value = path_and_value

    def change(fields, arrays):
        for step in path:
            fields = fields[step]
        fields[last] = value

    return change


def put_array(name, array):
    def change(fields, arrays):
        arrays[name] = array

    return change


def drop(*path):
    def change(fields, arrays):
        for step in path[:-1]:
            fields = fields[step]
        del fields[path[-1]]

    return change


def half(*shape):
    return np.zeros(shape, np.float16)


VERSIONS = "version 2 of the protocol, this one version 1; install the same release on both"
POINTS = "points_kji must be a list of 0 to 5"
FORM = "is not of the form that is expected"
CUBE = "must be a cube of at most 256"
REFUSED_REQUESTS = {
    "another version": (put("protocol", 2), VERSIONS),
    "no version": (drop("protocol"), "does not state its version"),
    "version true": (put("protocol", True), "does not state its version"),
    "version 1.0": (put("protocol", 1.0), "does not state its version"),
    "version of half a character": (put("protocol", "\ud800"), "does not state its version"),
    "version of 4000 digits": (put("protocol", 10**4000), "the other side speaks version 10000000000000000000 of"),
    "no spacing": (drop("spacing_mm"), "spacing_mm must be a number from 0.001 to 100"),
    "spacing 0": (put("spacing_mm", 0), "spacing_mm must be a number"),
    "spacing of 1e400": (put("spacing_mm", 10**400), "spacing_mm must be a number"),
    "spacing true": (put("spacing_mm", True), "spacing_mm must be a number"),
    "another spacing than that of the checksum": (put("spacing_mm", 2.5), "not the one that its SHA-256 names"),
    "another unit than that of the checksum": (put("unit", 2.0), "not the one that its SHA-256 names"),
    "no unit": (put("unit", None), "unit must be a number"),
    "a unit that is no power of two": (put("unit", 3.0), "a power of two"),
    "a unit beyond float32": (put("unit", 2.0**113), "unit must be a number"),
    "a unit of zero": (put("unit", 0), "unit must be a number"),
    "checksum in capitals": (put("window", "A" * 64), f"window {FORM}"),
    "checksum with a line break": (put("window", "a" * 64 + "\n"), f"window {FORM}"),
    "checksum of a number": (put("window", 7), f"window {FORM}"),
    "checksum of another window": (put("window", "0" * 64), "not the one that its SHA-256 names"),
    "other voxels": (put_array("voxels", half(SIZE, SIZE, SIZE)), "not the one that its SHA-256 names"),
    "voxels of uint8": (put_array("voxels", np.zeros((SIZE,) * 3, np.uint8)), "voxels must be float16"),
    "voxels of two dimensions": (put_array("voxels", half(8, 8)), CUBE),
    "voxels of four dimensions": (put_array("voxels", half(4, 4, 2, 2)), CUBE),
    "voxels that are no cube": (put_array("voxels", half(4, 4, 2)), CUBE),
    "no voxel": (put_array("voxels", half(0, 0, 0)), CUBE),
    "a window of 257 voxels": (put_array("voxels", half(257, 257, 257)), CUBE),
    "voxels that are no numbers": (put_array("voxels", np.full((2, 2, 2), np.nan, np.float16)), "not finite"),
    "voxels without end": (put_array("voxels", np.full((2, 2, 2), -np.inf, np.float16)), "not finite"),
    "no model": (drop("model"), f"model {FORM}"),
    "a model without a name": (put("model", ""), f"model {FORM}"),
    "a model of many letters": (put("model", "m" * 201), f"model {FORM}"),
    "a model with a line break": (put("model", "lite\nroot logged in"), f"model {FORM}"),
    "a model of half a character": (put("model", "\udfff"), f"model {FORM}"),
    "a model with a control sequence": (put("model", "\x1b[2J"), f"model {FORM}"),
    "weights that are no checksum": (put("weights", "g" * 64), f"weights {FORM}"),
    "no targets": (drop("targets"), "targets must be a list of 1 to 3"),
    "zero targets": (put("targets", []), "targets must be a list of 1 to 3"),
    "too many targets": (put("targets", [{}] * 4), "targets must be a list of 1 to 3"),
    "targets in an object": (put("targets", {}), "targets must be a list"),
    "a target that is no object": (put("targets", 0, 1), "points_kji is missing"),
    "no points": (drop("targets", 0, "points_kji"), POINTS),
    "points in a text": (put("targets", 0, "points_kji", "123"), POINTS),
    "too many points": (put("targets", 0, "points_kji", [[0, 0, 0]] * 6), POINTS),
    "a point of two numbers": (put("targets", 0, "points_kji", [[0, 0]]), "a point needs three numbers"),
    "a point of texts": (put("targets", 0, "points_kji", [["0", "0", "0"]]), "a point needs three numbers"),
    "a point of truths": (put("targets", 0, "points_kji", [[True, 0, 0]]), "a point needs three numbers"),
    "a point that is no list": (put("targets", 0, "points_kji", [0]), "a point needs three numbers"),
    "a point far away": (put("targets", 0, "points_kji", [[1e6, 0, 0]]), "too far from its window"),
    "a point of 400 digits": (put("targets", 0, "points_kji", [[-(10**400), 0, 0]]), "too far from its window"),
    "a point too many to be positive": (put("targets", 0, "positive", [True, True]), "positive needs 1"),
    "a point positive by a number": (put("targets", 0, "positive", [1]), "positive must hold true or false"),
    "a mask that is no object": (put("targets", 0, "mask", [1]), "grid is missing"),
    "a mask without a grid": (drop("targets", 0, "mask", "grid"), "grid must be a whole number from 1 to 256"),
    "a mask on a huge grid": (put("targets", 0, "mask", "grid", 257), "grid must be a whole number"),
    "a mask on a grid of true": (put("targets", 0, "mask", "grid", True), "grid must be a whole number"),
    "a mask with a corner of two": (put("targets", 0, "mask", "corner_kji", [0, 0]), "corner_kji needs 3"),
    "a mask with a broken corner": (put("targets", 0, "mask", "corner_kji", [0.0, 0, 0]), "three whole numbers"),
    "a mask beside its grid": (put("targets", 0, "mask", "corner_kji", [0, 0, 3]), "beyond its cube"),
    "a mask before its grid": (put("targets", 0, "mask", "corner_kji", [-1, 0, 0]), "beyond its cube"),
    "a mask very far from its grid": (put("targets", 0, "mask", "corner_kji", [0, 10**300, 0]), "beyond its cube"),
    "a mask of two dimensions": (put_array("mask.0", np.zeros((2, 2), np.uint8)), "three dimensions"),
    "a mask of no dimension": (put_array("mask.0", np.zeros((4, 2, 2, 2), np.uint8)), "three dimensions"),
    "a mask of float16": (put_array("mask.0", half(2, 2, 2)), "no array mask.0 of type uint8"),
    "a mask that is not spoken of": (put("targets", 0, "mask", None), "an array that nothing in it speaks of"),
    "a memory that is not spoken of": (put("targets", 0, "memory", False), "an array that nothing in it speaks of"),
    "a memory by a number": (put("targets", 0, "memory", 1), "memory must be true or false"),
    "no word of a memory": (drop("targets", 0, "memory"), "memory must be true or false"),
    "a memory of uint8": (put_array("memory.0", np.zeros((2, 2, 2), np.uint8)), "no array memory.0 of type float16"),
    "a memory that is no cube": (put_array("memory.0", half(2, 2, 1)), CUBE),
    "a memory that is no number": (put_array("memory.0", np.full((2, 2, 2), np.nan, np.float16)), "not finite"),
    "neighbours without a shape": (drop("targets", 0, "not_target", "shape_kji"), "shape_kji needs 3"),
    "neighbours of a huge shape": (put("targets", 0, "not_target", "shape_kji", [257, 1, 1]), "three whole numbers"),
    "neighbours of a negative shape": (put("targets", 0, "not_target", "shape_kji", [-2, -2, 2]), "whole numbers"),
    "neighbours of another shape": (
        put("targets", 0, "not_target", "shape_kji", [4, 4, 4]),
        "another number of voxels",
    ),
    "neighbours beside their grid": (put("targets", 0, "not_target", "corner_kji", [0, 0, 3]), "beyond its cube"),
    "neighbours of no base64": (put("targets", 0, "not_target", "bits", "/w=é"), "bits must be in base64"),
    "neighbours of a number": (put("targets", 0, "not_target", "bits", 7), "bits must be in base64"),
    "neighbours that are a list": (put("targets", 0, "not_target", [1]), "shape_kji is missing"),
    "an array of nobody": (put_array("mask.1", np.zeros((2, 2, 2), np.uint8)), "an array that nothing in it speaks of"),
}


@pytest.mark.parametrize(("change", "saying"), REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS.keys())
def test_a_request_that_is_wrong_in_one_place_is_refused_and_told_why(change, saying):
    sent = full_request()
    unpack_request(sent, LIMITS)
    with pytest.raises(InputError, match=re.escape(saying)) as refusal:
        unpack_request(changed(sent, change), LIMITS)
    said = str(refusal.value)
    assert len(said) < 300
    assert said.isprintable()


def test_a_mask_or_memory_that_does_not_come_along_is_missed():
    for name, kind in (("mask.0", "uint8"), ("memory.0", "float16")):
        with pytest.raises(InputError, match=f"no array {name} of type {kind}"):
            unpack_request(changed(full_request(), lambda _, arrays, name=name: arrays.pop(name)), LIMITS)


def test_points_count_over_all_targets():
    three = target([(0, 0, 0)] * 3)
    with pytest.raises(InputError, match="more than 5 points in one request"):
        unpack_request(pack_request(request(three, three)), LIMITS)


def full_answer():
    logits = np.full((SIZE,) * 3, -2.0, np.float32)
    logits[1, 2, 1] = 3.0
    return pack_predictions(
        [Prediction.of(logits, SIZE, 0.5), Prediction.of(logits, SIZE, 0.7, feeds_back_logits=True)]
    )


def answered(number, *path_and_value):
    return put("predictions", number, *path_and_value)


REFUSED_ANSWERS = {
    "another version": (put("protocol", 2), VERSIONS),
    "too few": (put("predictions", []), "predictions needs 2"),
    "no object": (answered(0, 1), "grid is missing"),
    "another size": (answered(0, "size", 8), "for another window"),
    "a grid that does not divide the size": (answered(0, "grid", 3), "beyond its cube"),
    "a grid finer than the window": (answered(0, "grid", 8), "for another window"),
    "quality above one": (answered(0, "quality", 1.5), "quality must be a number from 0 to 1"),
    "quality that is no number": (answered(0, "quality", "good"), "quality must be a number"),
    "remembers by a number": (answered(0, "remembers", 1), "remembers must be true or false"),
    "a part of what is to be remembered": (answered(0, "remembers", True), "lacks a part"),
    "logits of uint8": (put_array("logits.0", np.zeros((1, 1, 1), np.uint8)), "no array logits.0 of type float16"),
    "logits that are no numbers": (put_array("logits.0", np.full((1, 1, 1), np.nan, np.float16)), "not finite"),
    "logits of one dimension": (put_array("logits.0", half(1)), "three dimensions"),
    "logits beside their grid": (put_array("logits.0", half(1, 1, 5)), "beyond its cube"),
    "logits of nobody": (put_array("logits.2", half(1, 1, 1)), "an array that nothing in it speaks of"),
}


@pytest.mark.parametrize(("change", "saying"), REFUSED_ANSWERS.values(), ids=REFUSED_ANSWERS.keys())
def test_an_answer_that_is_wrong_in_one_place_is_refused_and_told_why(change, saying):
    sent = full_answer()
    unpack_predictions(sent, 2, SIZE)
    with pytest.raises(InputError, match=re.escape(saying)):
        unpack_predictions(changed(sent, change), 2, SIZE)


def test_answers_to_another_number_of_targets_are_refused():
    with pytest.raises(InputError, match="predictions needs 1"):
        unpack_predictions(full_answer(), 1, SIZE)


def refusal_of(read):
    """What is said where a message is refused, "" where it is read."""
    try:
        read()
    except InputError as refusal:
        return str(refusal)
    return ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """The paths to all values within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, part in inner for p in [(*path, key), *places(part, (*path, key))]]


@pytest.mark.slow
@settings(max_examples=300)
@given(st.data(), st.booleans())
def test_any_json_in_any_place_is_read_or_refused_and_nothing_else(data, is_request):
    fields, arrays = unpack(full_request() if is_request else full_answer())
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(places(fields)))
        part = fields
        for step in path:
            part = part[step]
        part[last] = data.draw(json_values)
    message = pack(fields, arrays)
    said = refusal_of(lambda: unpack_request(message, LIMITS) if is_request else unpack_predictions(message, 2, SIZE))
    assert said.isprintable()


@settings(max_examples=200)
@given(
    st.sampled_from(["voxels", "mask.0", "memory.0", "mask.9"]),
    st.sampled_from([np.uint8, np.float16]),
    st.lists(st.integers(0, 5), max_size=4),
    seeds,
)
def test_any_array_in_any_place_is_read_or_refused_and_nothing_else(name, kind, shape, seed):
    array = np.frombuffer(np.random.default_rng(seed).bytes(5**4 * 2), kind)[: int(np.prod(shape, dtype=int))]
    fields, arrays = unpack(full_request())
    arrays[name] = array.reshape(shape) if shape else array[:1]
    assert refusal_of(lambda: unpack_request(pack(fields, arrays), LIMITS)).isprintable()


def test_the_version_is_that_of_this_release():
    assert unpack(full_request())[0]["protocol"] == PROTOCOL == 1
