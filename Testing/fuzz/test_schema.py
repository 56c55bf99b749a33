"""Requests that are made from the application's own OpenAPI schema, which its answers must keep to."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.server.app import create_app
from Testing.fuzz.conftest import REQUESTS, SEEDED
from Testing.fuzz.hostile import messages, valid_messages
from Testing.fuzz.served import TOKEN

pytestmark = pytest.mark.slow

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


def test_answers_keep_to_the_schema_whatever_it_allows_or_forbids(fuzzed, statuses):
    app = create_app(fuzzed, TOKEN)
    schemathesis.openapi.media_type(MEDIA_TYPE, valid_messages() | messages())
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [result.ok() for result in schema.get_all_operations()]
    assert {operation.path for operation in operations} == {"/v1/predict", "/v1/models", "/v1/health", "/metrics"}
    modes = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
    predict = next(operation for operation in operations if operation.path == "/v1/predict")
    others = [operation for operation in operations if operation is not predict]

    @settings(max_examples=max(10, int(REQUESTS * 0.1)), suppress_health_check=list(HealthCheck), derandomize=SEEDED)
    @given(st.data(), st.sampled_from([True, True, True, False]))
    def send(data, token):
        operation = data.draw(st.just(predict) | st.sampled_from(others))
        case = data.draw(operation.as_strategy(data.draw(st.sampled_from(modes))))
        headers = {"Host": "127.0.0.1"} | ({"Authorization": f"Bearer {TOKEN}"} if token else {})
        response = case.call(base_url="http://127.0.0.1", headers=headers, app=app)
        statuses[response.status_code] += 1
        hurries = "X-Deadline-S" in (case.headers or {})
        assert response.status_code < 500 or (response.status_code == 504 and hurries)
        case.validate_response(response, checks=CHECKS)
        assert token or response.status_code == 401

    send()
