import asyncio

import pytest

from SegAnyPETLib.backend.server.answers import PART_BYTES, MaskResponse


def sent_by(answer, send=None):
    messages = []

    async def note(message):
        messages.append(message)
        if send:
            await send(message)

    asyncio.run(answer({}, None, note))
    return messages


@pytest.mark.parametrize("size", [1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES])
def test_an_answer_is_sent_in_parts(size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    start, *parts = sent_by(MaskResponse(content, within_s=10))
    assert (b"content-length", str(size).encode()) in start["headers"]
    assert b"".join(part["body"] for part in parts) == content
    assert all(len(part["body"]) <= PART_BYTES for part in parts)
    assert [part["more_body"] for part in parts] == [True] * (len(parts) - 1) + [False]


def test_a_client_that_does_not_read_its_answer_is_left_alone():
    async def stuck(message):
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        sent_by(MaskResponse(b"x", within_s=0.02), stuck)
