"""What every answer keeps to, whatever was asked."""

from __future__ import annotations

import json

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE, unpack
from SegAnyPETLib.backend.messages.requests import unpack_predictions, unpack_request
from SegAnyPETLib.backend.server.observed import GONE
from SegAnyPETLib.backend.server.refusals import STATUS_OF
from Testing.backend.server.engines import SIZE
from Testing.fuzz.asgi import Answered
from Testing.fuzz.hostile import Hostile
from Testing.fuzz.served import LIMITS, TOKEN

#: A server that runs, has memory and is not stopped has no other refusals.
REFUSED = {400, 404, 405, 408, 413, 415, 429}


def check(request: Hostile, answer: Answered) -> None:
    """Assert them."""
    assert TOKEN.encode() not in answer.body
    if not request.authorized:
        assert answer.status == 401 or (answer.status == 0 and request.leaves)
        assert answer.status == 0 or json.loads(answer.body)["error"] == "unauthorized"
        return
    if answer.status == 200:
        _check_answer(request, answer)
    elif answer.status in (0, GONE):
        assert request.leaves
    else:
        assert answer.status in REFUSED or (answer.status == 504 and request.hurries), answer
        check_refusal(answer)


def check_refusal(answer: Answered) -> None:
    """A refusal says why, in one short line."""
    assert answer.headers["content-type"] == "application/json"
    said = json.loads(answer.body)
    assert said.keys() == {"error", "message"}
    assert STATUS_OF[said["error"]] == answer.status
    assert said["message"].isprintable()
    assert 0 < len(said["message"]) < 400
    assert ("retry-after" in answer.headers) == (said["error"] == "busy")


def _check_answer(request: Hostile, answer: Answered) -> None:
    if request.path == "/v1/predict":
        assert answer.headers["content-type"] == MEDIA_TYPE
        asked = unpack_request(b"".join(request.parts), LIMITS)
        unpack_predictions(answer.body, len(asked.targets), SIZE)
    elif request.path == "/metrics":
        # What strangers make up does not become a label: the text stays as short as it is.
        assert len(answer.body) < 30_000
    else:
        assert json.loads(answer.body)["protocol"] == 1


def logits_of(answer: Answered) -> dict[str, bytes]:
    """The arrays of an answer as bytes."""
    assert answer.status == 200
    return {name: array.tobytes() for name, array in unpack(answer.body)[1].items()}
