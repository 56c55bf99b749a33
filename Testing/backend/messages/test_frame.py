import json
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from SegAnyPETLib.backend.messages.frame import MAX_HEADER_BYTES, pack, unpack
from SegAnyPETLib.errors import InputError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.text("abc.019_é", min_size=1, max_size=8)
any_array = st.sampled_from([np.uint8, np.float16]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
)


def framed(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(kind: object = "U8", shape: object = (4,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": offsets}


def with_json(text: str = "{}", **tensors: object) -> dict[str, object]:
    return {"__metadata__": {"message": text}, **tensors}


@pytest.mark.slow
@given(st.dictionaries(st.text(), json_values, max_size=4), st.dictionaries(names, any_array, max_size=4))
def test_a_message_comes_out_as_it_went_in(fields, tensors):
    read_fields, read = unpack(pack(fields, tensors))
    assert read_fields == fields
    assert read.keys() == tensors.keys()
    for name, array in tensors.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::2, ::-1], lambda a: a.astype(">f2")])
def test_an_array_keeps_its_voxels_however_it_lies_in_memory(view):
    array = view(np.arange(24, dtype=np.float16).reshape(2, 3, 4))
    (read,) = unpack(pack({}, {"a": array}))[1].values()
    assert read.dtype == np.dtype("<f2")
    assert np.array_equal(read, array)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_does_not_know_is_not_sent(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"a": number}, {})


BAD_JSON = "its JSON cannot be read"
BAD_ARRAY = "type, shape and bytes do not belong together"
HOSTILE = {
    "nothing": (b"", "ends too early"),
    "fewer bytes than a length": (b"\x02\0\0\0", "ends too early"),
    "a header longer than the message": (framed(b"{}")[:9], "ends too early"),
    "a header of 2^63 bytes": (b"\xff" * 7 + b"\x7f" + b"{}", "header is too long"),
    "a header beyond the cap": (framed(b" " * (MAX_HEADER_BYTES + 1)), "header is too long"),
    "no JSON": (framed(b"{"), BAD_JSON),
    "not UTF-8": (framed(b'{"\xff": 1}'), BAD_JSON),
    "UTF-16": (framed(json.dumps(with_json()).encode("utf-16")), BAD_JSON),
    "deep nesting": (framed(b"[" * 200_000), BAD_JSON),
    "deep nesting inside": (framed(with_json("[" * 200_000)), BAD_JSON),
    "NaN": (framed(with_json('{"a": NaN}')), BAD_JSON),
    "Infinity": (framed(with_json('{"a": -Infinity}')), BAD_JSON),
    "a number of 5000 digits": (framed(with_json('{"a": 1%s}' % ("0" * 5000))), BAD_JSON),
    "a key twice": (framed(with_json('{"a": 1, "a": 2}')), BAD_JSON),
    "a tensor twice": (
        framed(
            b'{"__metadata__": {"message": "{}"}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, '
            b'"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}',
            b"1234",
        ),
        BAD_JSON,
    ),
    "a list for a header": (framed([]), "its header is not an object"),
    "no metadata": (framed({}), "metadata has no JSON"),
    "metadata of another kind": (framed({"__metadata__": "{}"}), "metadata has no JSON"),
    "metadata without the message": (framed({"__metadata__": {"format": "pt"}}), "metadata has no JSON"),
    "a message that is no text": (framed({"__metadata__": {"message": 1}}), "metadata has no JSON"),
    "a list for a message": (framed(with_json("[]")), "its JSON is not an object"),
    "a tensor that is no object": (framed(with_json(a=1)), BAD_ARRAY),
    "a tensor without a shape": (framed(with_json(a={"dtype": "U8", "data_offsets": [0, 4]}), b"1234"), BAD_ARRAY),
    "a tensor without a type": (framed(with_json(a={"shape": [4], "data_offsets": [0, 4]}), b"1234"), BAD_ARRAY),
    "three offsets": (framed(with_json(a=entry(offsets=[0, 4, 4])), b"1234"), BAD_ARRAY),
    "a shape that is a text": (framed(with_json(a=entry(shape="4")), b"1234"), BAD_ARRAY),
    "a shape that is a number": (framed(with_json(a=entry(shape=4)), b"1234"), BAD_ARRAY),
    "a side that is true": (framed(with_json(a=entry(shape=[True], offsets=[0, 1])), b"1"), BAD_ARRAY),
    "a side with a fraction": (framed(with_json(a=entry(shape=[4.0])), b"1234"), BAD_ARRAY),
    "a negative side": (framed(with_json(a=entry(shape=[-2, -2])), b"1234"), BAD_ARRAY),
    "a side of 2^62": (framed(with_json(a=entry(shape=[2**62, 4])), b"1234"), BAD_ARRAY),
    "more voxels than bytes": (framed(with_json(a=entry(shape=[2**30])), b"1234"), BAD_ARRAY),
    "five dimensions": (framed(with_json(a=entry(shape=[1, 1, 1, 1, 4])), b"1234"), BAD_ARRAY),
    "float32": (framed(with_json(a=entry("F32", [1])), b"1234"), BAD_ARRAY),
    "float64": (framed(with_json(a=entry("F64", [1], [0, 8])), b"12345678"), BAD_ARRAY),
    "an unknown type": (framed(with_json(a=entry("O", [4])), b"1234"), BAD_ARRAY),
    "a type that is a list": (framed(with_json(a=entry([])), b"1234"), BAD_ARRAY),
    "offsets backwards": (framed(with_json(a=entry(offsets=[4, 0])), b"1234"), BAD_ARRAY),
    "declared far beyond the end": (framed(with_json(a=entry(shape=[2**39], offsets=[0, 2**39])), b"1234"), "not a me"),
    "overlapping arrays": (framed(with_json(a=entry(), b=entry(offsets=[2, 6])), b"123456"), "not a message"),
    "a gap between arrays": (framed(with_json(a=entry(), b=entry(offsets=[5, 9])), b"123456789"), "not a message"),
    "bytes after the arrays": (framed(with_json(a=entry()), b"12345"), "not a message"),
    "bytes without an array": (framed(with_json(), b"1"), "not a message"),
    "an array cut short": (framed(with_json(a=entry()), b"123"), "not a message"),
    "an empty array of absurd sides": (
        framed(with_json(a=entry(shape=[0, 2**39, 2**39, 2**39], offsets=[0, 0]))),
        "not a message",
    ),
    "half a character in a name": (framed(with_json(**{"\ud800": entry()}), b"1234"), "not a message"),
}


@pytest.mark.parametrize(("data", "saying"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_message_is_refused_in_one_short_line(data, saying):
    with pytest.raises(InputError, match=re.escape(saying)) as refusal:
        unpack(data)
    assert len(str(refusal.value)) < 300


def test_what_an_array_merely_claims_to_hold_is_not_allocated():
    size = 2**38
    data = framed(with_json(a=entry(shape=[size], offsets=[0, size])), b"1234")
    tracemalloc.start()
    with pytest.raises(InputError):
        unpack(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.slow
@settings(max_examples=300)
@given(st.data())
def test_a_damaged_message_is_read_or_refused_and_nothing_else(data):
    message = bytearray(pack({"a": [1, 2.5, "x"], "b": {}}, {"m": np.arange(8, dtype=np.uint8).reshape(2, 2, 2)}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message)))
        message[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        fields, tensors = unpack(bytes(message))
    except InputError:
        return
    assert isinstance(fields, dict)
    assert sum(a.nbytes for a in tensors.values()) <= len(message)


@given(st.binary(max_size=60))
@example(b"\x02\0\0\0\0\0\0\0{}")
def test_any_other_bytes_are_refused(data):
    with pytest.raises(InputError):
        unpack(data)
