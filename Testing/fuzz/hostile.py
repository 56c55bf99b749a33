"""Hostile requests: valid ones, and valid ones after damage of every kind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE, pack, unpack
from SegAnyPETLib.backend.messages.requests import PredictRequest, pack_request
from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage, mask_prompt
from Testing.backend.server.engines import SIZE
from Testing.fuzz.served import LIMITS, TOKEN

#: Name, weights, voxel size and memory of the two engines.
MODELS = [("lite", "1" * 64, 2.0, None), ("sam", "2" * 64, 1.5, 4)]
#: What is accepted as the header Authorization.
TOKEN_HEADERS = [f"{scheme}{TOKEN}".encode() for scheme in ("Bearer ", "bearer ", "BEARER  ")]

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Hostile:
    """A request.

    Attributes:
        headers: names in lower case, as servers hand them on.
        parts: of its body, as they arrive.
        leaves: whether the client closes the connection when it has sent them.
    """

    method: str = "POST"
    path: str = "/v1/predict"
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts: tuple[bytes, ...] = (b"",)
    leaves: bool = False

    @property
    def authorized(self) -> bool:
        """Whether it carries the token."""
        given = [value.strip() for name, value in self.headers if name == b"authorization"]
        return len(given) == 1 and given[0] in TOKEN_HEADERS

    @property
    def hurries(self) -> bool:
        """Whether it asks for a deadline."""
        return any(name == b"x-deadline-s" for name, _ in self.headers)


def valid(message: bytes) -> Hostile:
    """A request as clients send it."""
    return Hostile(headers=tuple(_headers(len(message))), parts=(message,))


def canary() -> bytes:
    """The message whose answer must stay the same."""
    voxels = np.random.default_rng(99).uniform(0, 5, (SIZE,) * 3).astype(np.float32)
    image, point = WindowImage.of(voxels, 2.0), np.array([[8, 7, 6]], np.float32)
    mask = mask_prompt(voxels / np.float32(5))
    asked = [TargetPrompts(point, np.array([True])), TargetPrompts(point, np.array([False]), mask)]
    return pack_request(PredictRequest("lite", "1" * 64, image.sha256, 2.0, image, tuple(asked)))


def _headers(length: int) -> Headers:
    return [
        (b"host", b"127.0.0.1"),
        (b"authorization", TOKEN_HEADERS[0]),
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(length).encode()),
        (b"x-client", b"0123456789abcdef"),
        (b"serve_multiplexed_model_id", b"0" * 64),
    ]


# --- messages


_coordinates = st.integers(0, SIZE - 1) | st.floats(-9e5, 9e5, width=32)


@st.composite
def _targets(draw: Any, previous_logits_size: int | None) -> TargetPrompts:
    points = draw(st.lists(st.tuples(*[_coordinates] * 3), max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    mask = previous_logits = None
    if draw(st.booleans()):
        occupancy = np.where(rng.uniform(size=(SIZE,) * 3) < draw(st.sampled_from([0, 0.01, 1])), 1, 0)
        mask = mask_prompt(occupancy.astype(np.float32))
    if previous_logits_size is not None and draw(st.booleans()):
        scale = draw(st.sampled_from([0.0, 1.0, 65504.0]))
        previous_logits = (rng.uniform(-1, 1, (previous_logits_size,) * 3) * scale).astype(np.float16)
    positive = np.array(draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points))), bool)
    return TargetPrompts(np.array(points, np.float32).reshape(-1, 3), positive, mask, previous_logits)


@st.composite
def _windows(draw: Any, spacing_mm: float) -> WindowImage:
    """From a few patients, of sane and absurd values."""
    rng = np.random.default_rng(draw(st.integers(0, 5)))
    low, high = draw(st.sampled_from([(0, 5), (0, 0), (-5, -1), (0, 1e6), (-1e30, 1e30), (0, 1.6e38), (0, 1e-38)]))
    return WindowImage.of(rng.uniform(low, high, (SIZE,) * 3).astype(np.float32), spacing_mm)


@st.composite
def valid_messages(draw: Any) -> bytes:
    """Requests to one of the two engines, with voxels or without."""
    model, weights, spacing_mm, previous_logits_size = draw(st.sampled_from(MODELS))
    image = draw(_windows(spacing_mm))
    asked = draw(st.lists(_targets(previous_logits_size), min_size=1, max_size=LIMITS.targets))
    upload = draw(st.booleans())
    return pack_request(
        PredictRequest(model, weights, image.sha256, spacing_mm, image if upload else None, tuple(asked))
    )


_numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, -0.0])
_texts = st.text(max_size=8) | st.sampled_from(
    ["\ud800", "\r\nSet-Cookie: a=b", "\x1b[2J", "%s%n", "../../etc", "x" * 500]
)
_json = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, part in inner for p in [(*path, key), *_places(part, (*path, key))]]


def _damaged_json(draw: Any, value: Any) -> Any:
    """A JSON value with something in it replaced, left out, doubled or deeply nested."""
    value = copy.deepcopy(value)
    places = _places(value)
    for _ in range(draw(st.integers(1, 3))):
        if not places:
            break
        *path, last = draw(st.sampled_from(places))
        part = value
        for step in path:
            part = part[step]
        match draw(st.sampled_from(["replace", "leave out", "double", "nest"])):
            case "replace":
                part[last] = draw(_json)
            case "leave out":
                del part[last]
            case "double":
                part[last] = [part[last]] * draw(st.integers(2, 40))
            case "nest":
                for _ in range(draw(st.sampled_from([1, 50, 2000]))):
                    part[last] = [part[last]]
                break  # what lies so deep is not looked into again
        places = _places(value)
    return value


def _text_of(value: Any) -> bytes:
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 5000 + b"]" * 5000


def _damaged_fields(draw: Any, message: bytes) -> bytes:
    header, data = _opened(message)
    header["__metadata__"]["message"] = _text_of(_damaged_json(draw, unpack(message)[0])).decode()
    return _closed(_text_of(header), data)


def _damaged_header(draw: Any, message: bytes) -> bytes:
    header, data = _opened(message)
    return _closed(_text_of(_damaged_json(draw, header)), data)


def _damaged_arrays(draw: Any, message: bytes) -> bytes:
    fields, arrays = unpack(message)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from([*sorted(arrays), "voxels", "mask.0", "memory.0", "mask.3", "\n", "x" * 300]))
        if name in arrays and draw(st.booleans()):
            del arrays[name]
            continue
        kind = draw(st.sampled_from([np.uint8, np.float16, np.float32, np.int64]))
        shape = draw(st.lists(st.sampled_from([0, 1, 2, 4, SIZE, SIZE + 1]), max_size=3))
        fill = draw(st.sampled_from([0, 1, -1, 255, np.nan, np.inf])) if kind in (np.float16, np.float32) else 1
        arrays[name] = np.full(shape, fill, kind)
    return pack(fields, arrays)


def _damaged_bytes(draw: Any, message: bytes) -> bytes:
    damaged = bytearray(message)
    for _ in range(draw(st.integers(1, 5))):
        # Most bytes are voxels; the beginning is more worth damaging.
        at = draw(st.integers(0, min(len(damaged), draw(st.sampled_from([16, 800, len(message)])))))
        damaged[at : at + draw(st.sampled_from([0, 1, 2, 50]))] = draw(st.binary(max_size=4))
    return bytes(damaged)


def _damaged_length(draw: Any, message: bytes) -> bytes:
    match draw(st.sampled_from(["cut", "more", "twice", "claim", "huge", "nothing"])):
        case "cut":
            return message[: draw(st.integers(0, len(message)))]
        case "more":
            return message + draw(st.binary(min_size=1, max_size=20))
        case "twice":
            return message + message
        case "claim":
            return draw(st.integers(0, 2**64 - 1)).to_bytes(8, "little") + message[8:]
        case "huge":
            return message + bytes(LIMITS.body_bytes)
    return b""


def _untouched(draw: Any, message: bytes) -> bytes:
    return message


def _opened(message: bytes) -> tuple[dict[str, Any], bytes]:
    end = 8 + int.from_bytes(message[:8], "little")
    return json.loads(message[8:end]), message[end:]


def _closed(header: bytes, data: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def _replaced(draw: Any, message: bytes) -> bytes:
    return draw(st.binary(max_size=200))


_DAMAGES: list[Callable[[Any, bytes], bytes]] = [
    _untouched,
    _untouched,
    _untouched,
    _untouched,
    _replaced,
    _damaged_fields,
    _damaged_header,
    _damaged_arrays,
    _damaged_bytes,
    _damaged_length,
]


@st.composite
def messages(draw: Any) -> bytes:
    """Bodies: valid messages, mostly damaged, or any bytes."""
    return draw(st.sampled_from(_DAMAGES))(draw, draw(valid_messages()))


# --- requests


_any_bytes = st.binary(max_size=40)
_HEADER_VALUES: dict[bytes, st.SearchStrategy[bytes]] = {
    b"host": st.sampled_from([b"localhost", b"evil.example", b"", b"127.0.0.1:99999"]) | _any_bytes,
    b"authorization": st.sampled_from(
        [
            b"",
            b"Bearer",
            b"Bearer ",
            TOKEN.encode(),
            b"Basic " + TOKEN.encode(),
            b"Bearer " + TOKEN.upper().encode(),
            b"Bearer " + TOKEN[:-1].encode(),
            b"Bearer " + TOKEN.encode() + b"x",
            b"Bearer " + TOKEN.encode() + b"\xc3",
            b"Bearer x, Bearer " + TOKEN.encode(),
            *TOKEN_HEADERS,
        ]
    )
    | _any_bytes,
    b"content-type": st.sampled_from(
        [
            b"application/json",
            b"",
            MEDIA_TYPE.upper().encode(),
            MEDIA_TYPE.encode() + b"; charset=x",
            b"multipart/form-data",
        ]
    )
    | _any_bytes,
    b"content-encoding": st.sampled_from([b"gzip", b"identity", b"br, deflate", b""]),
    b"content-length": st.sampled_from([b"-1", b"0", b"1", b"9" * 30, b"1e3", b"0x10", b" 5", b"5, 5", b"\xd9\xa3"])
    | _any_bytes,
    b"x-deadline-s": st.sampled_from([b"1e-9", b"0", b"-1", b"nan", b"inf", b"1e999", b"60", b"1_0", b"\xd9\xa3", b"x"])
    | _any_bytes,
    b"x-client": st.sampled_from([b"", b"a" * 64, b"b" * 65, b"c" * 9000, b"../..", b"\x00"])
    | st.text("0123456789abcdef", min_size=8, max_size=8).map(str.encode)
    | _any_bytes,
    b"serve_multiplexed_model_id": _any_bytes,
    b"expect": st.just(b"100-continue"),
    b"transfer-encoding": st.sampled_from([b"chunked", b"identity", b"gzip, chunked"]),
    b"x-forwarded-for": _any_bytes,
    b"range": st.just(b"bytes=0-0,-1"),
    b"origin": st.just(b"https://evil.example"),
    b"cookie": _any_bytes,
}
_METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "post", "PROPFIND", "X" * 300]
_PATHS = [
    "/v1/models",
    "/v1/health",
    "/metrics",
    "/",
    "",
    "*",
    "/v1",
    "/v1/predict/",
    "//v1/predict",
    "/V1/PREDICT",
    "/v1/../metrics",
    "/docs",
    "/openapi.json",
    "/v1/predict\x00",
    "/" + "a" * 5000,
]


@st.composite
def _headers_of(draw: Any, length: int) -> tuple[tuple[bytes, bytes], ...]:
    headers = _headers(length)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(_HEADER_VALUES)))
        match draw(st.sampled_from(["replace", "leave out", "add"])):
            case "replace":
                headers = [h for h in headers if h[0] != name] + [(name, draw(_HEADER_VALUES[name]))]
            case "leave out":
                headers = [h for h in headers if h[0] != name]
            case "add":
                headers.append((name, draw(_HEADER_VALUES[name])))
    return tuple(headers)


@st.composite
def requests(draw: Any, bodies: st.SearchStrategy[bytes] | None = None) -> Hostile:
    """Any method, path and headers, mostly near to what a client sends."""
    message = draw(messages() if bodies is None else bodies)
    cut = draw(st.integers(0, len(message)))
    return Hostile(
        method=draw(st.just("POST") | st.sampled_from(["POST", "GET", *_METHODS])),
        path=draw(st.just("/v1/predict") | st.sampled_from(_PATHS) | st.text(max_size=20).map(lambda t: f"/{t}")),
        query=draw(st.just(b"") | _any_bytes),
        headers=draw(_headers_of(len(message))),
        parts=draw(st.sampled_from([(message,), (message[:cut], message[cut:]), (message[:cut], b"", message[cut:])])),
        leaves=draw(st.integers(0, 15)) == 0,
    )


@st.composite
def predict_requests(draw: Any) -> Hostile:
    """What a client sends, but for the message."""
    return valid(draw(messages()))


@st.composite
def strangers(draw: Any) -> Hostile:
    """Requests of every kind from those who do not know the token."""
    request = draw(requests())
    others = [h for h in request.headers if h[0] != b"authorization"]
    wrong = draw(st.none() | _HEADER_VALUES[b"authorization"].filter(lambda v: v.strip() not in TOKEN_HEADERS))
    given = [] if wrong is None else [(b"authorization", wrong)]
    return Hostile(request.method, request.path, request.query, (*others, *given), request.parts, request.leaves)
