"""What version 0.1.0 sent is understood and answered as it was: the protocol's version 1 does not change."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE, unpack
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import pack_predictions, pack_request, unpack_predictions, unpack_request
from SegAnyPETLib.backend.messages.server_info import read_busy, read_server_info
from SegAnyPETLib.models.spec import ModelSpec
from Testing.backend.hot import HotModel, engine
from Testing.backend.serving import TOKEN, serving

FIXTURES = Path(__file__).parent / "fixtures"
REQUEST, ANSWER = ((FIXTURES / f"{name}.safetensors").read_bytes() for name in ("request", "answer"))


@pytest.fixture(scope="module")
def server():
    """A server of this version with the model that answered then."""
    with (
        serving([engine(HotModel(8, True))], token=TOKEN) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield client


def assert_same_message(data, recorded):
    fields, arrays = unpack(data)
    recorded_fields, recorded_arrays = unpack(recorded)
    assert fields == recorded_fields
    assert arrays.keys() == recorded_arrays.keys()
    for name, array in arrays.items():
        assert array.dtype == recorded_arrays[name].dtype, name
        np.testing.assert_array_equal(array, recorded_arrays[name], name)


def test_its_request_is_read():
    request = unpack_request(REQUEST, Limits())
    assert (request.model, request.weights_sha256, request.spacing_mm) == ("hot", "a" * 64, 3.0)
    assert request.image.array_kji[0, 7, 0] == pytest.approx(1.5, abs=1e-3)
    first, second, mask_alone = request.targets
    np.testing.assert_array_equal(first.points_kji, [[3.25, 2.5, 4.0]])
    np.testing.assert_array_equal(second.positive, [True, False])
    assert first.mask_kji[2:6, 1:5, 3:6].min() == pytest.approx(0.75, abs=1 / 255)
    assert first.mask_kji.sum() == pytest.approx(0.75 * 48, abs=48 / 255)
    assert second.previous_logits.shape == (8, 8, 8)
    assert len(mask_alone.points_kji) == 0


def test_a_client_of_today_sends_the_same_request():
    assert_same_message(pack_request(unpack_request(REQUEST, Limits())), REQUEST)


def test_its_answer_is_read_and_a_server_of_today_sends_the_same_one():
    predictions = unpack_predictions(ANSWER, 3, 8)
    assert all(prediction.feeds_back_logits for prediction in predictions)
    assert predictions[0].logits_kji[3, 2, 4] == 3.0
    assert_same_message(pack_predictions(predictions), ANSWER)


def test_its_request_has_the_answer_that_it_had(server):
    reply = server.post("/v1/predict", content=REQUEST, headers={"Content-Type": MEDIA_TYPE})
    assert reply.status_code == 200
    answered, recorded = (unpack_predictions(content, 3, 8) for content in (reply.content, ANSWER))
    for now, then in zip(answered, recorded, strict=True):
        np.testing.assert_array_equal(now.logits_kji, then.logits_kji)
        assert now.quality == pytest.approx(then.quality, rel=1e-5)  # a mean, whose last digits the processor decides
        assert now.feeds_back_logits == then.feeds_back_logits


def test_what_its_server_says_of_itself_is_read():
    info = read_server_info((FIXTURES / "models.json").read_bytes())
    assert info.models == (ModelSpec("hot", 8, (1.0, 3.0), "a" * 64, previous_logits_size=8),)
    assert info.devices == {"hot": "cpu, fp32"}
    assert not read_busy((FIXTURES / "health.json").read_bytes())


@pytest.mark.parametrize("name", ["models", "health"])
def test_a_server_of_today_says_the_same_of_itself(server, name):
    recorded = json.loads((FIXTURES / f"{name}.json").read_text())
    answered = server.get(f"/v1/{name}").json()
    assert {key: answered.get(key) for key in recorded} == recorded
