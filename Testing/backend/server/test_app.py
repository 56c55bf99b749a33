"""The application without a network: every answer of the protocol."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.datastructures import Headers

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import pack_request, unpack_predictions
from SegAnyPETLib.backend.server.app import create_app
from SegAnyPETLib.backend.server.guards.request_body import Bodies
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.refusals import STATUS_OF, Refusal
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.volume.crop import Crop
from Testing.backend.server.engines import (
    LITE,
    SIZE,
    Gate,
    asked,
    clicked,
    engine,
    engines,
    sam,
    started,
    until,
    window,
)

TOKEN = "a-token-of-the-tests"
AS_MESSAGE = {"Content-Type": MEDIA_TYPE}


@pytest.fixture
def service(gate, log):
    limits = Limits(queue=1, body_bytes=100_000, body_s=0.3, points=8, targets=3)
    with started(Service(engines(gate, sam()), limits, log=EventLog(log))) as running:
        yield running
        gate.open.set()


@pytest.fixture
def app(service):
    return create_app(service, None)


def client(app, **options):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", **options)


def send(app, method, path, **options):
    async def exchange():
        async with client(app) as http:
            return await http.request(method, path, **options)

    return asyncio.run(exchange())


def predict(app, request, **headers):
    content = request if isinstance(request, bytes) else pack_request(request)
    return send(app, "POST", "/v1/predict", content=content, headers=AS_MESSAGE | headers)


def code(response):
    """The code of a refusal, after a look at its form."""
    told = response.json()
    assert set(told) == {"error", "message"}
    assert response.status_code == STATUS_OF[told["error"]]
    assert "\n" not in told["message"]
    assert 10 < len(told["message"]) < 300
    return told["error"]


def figures(app):
    lines = send(app, "GET", "/metrics").text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_a_window_rides_on_the_first_click_and_is_known_at_the_next(app):
    assert code(predict(app, asked(upload=False))) == "unknown_window"
    first, second = predict(app, asked()), predict(app, asked(upload=False))
    assert first.status_code == second.status_code == 200
    assert first.headers["content-type"] == MEDIA_TYPE
    assert first.content == second.content
    (prediction,) = unpack_predictions(first.content, 1, SIZE)
    assert prediction.logits_kji.shape == (SIZE,) * 3


def test_the_models_are_told_with_what_a_client_must_know(app, service):
    told = send(app, "GET", "/v1/models").json()
    assert (told["protocol"], told["device"]) == (1, "cpu, fp32")
    assert told["devices"] == {"lite": "cpu, fp32", "sam": "cpu, fp32"}
    assert [m["name"] for m in told["models"]] == ["lite", "sam"]
    assert told["models"][0] == json.loads(json.dumps(LITE.to_dict()))
    assert told["limits"]["body_bytes"] == service.limits.body_bytes


def test_health_tells_what_runs_and_waits(app, service, gate):
    async def play():
        gate.close()
        async with client(app) as http:

            def click():
                return http.post("/v1/predict", content=pack_request(asked()), headers=AS_MESSAGE)

            tasks = [asyncio.ensure_future(click())]
            await until(gate.entered.is_set)
            tasks.append(asyncio.ensure_future(click()))
            await until(lambda: service.waiting == 1)
            health = await http.get("/v1/health")
            busy = await click()
            gate.open.set()
            return health, busy, [(await task).status_code for task in tasks]

    health, busy, answered = asyncio.run(play())
    assert health.status_code == 200
    assert health.json() == {"status": "ready", "protocol": 1, "waiting": 1, "running": True}
    assert code(busy) == "busy"
    assert busy.headers["retry-after"] == "1"
    assert answered == [200, 200]


def test_a_server_that_starts_or_stops_says_so():
    gate = Gate()
    gate.close()
    service = Service([engine(gate)])
    app = create_app(service, None)
    assert code(predict(app, asked())) == "starting"
    health = send(app, "GET", "/v1/health")
    assert (health.status_code, health.json()["status"]) == (503, "starting")
    asyncio.run(service.stop())
    assert code(predict(app, asked())) == "stopping"
    health = send(app, "GET", "/v1/health")
    assert (health.status_code, health.json()["status"]) == (503, "stopping")


def test_the_application_starts_and_stops_its_service():
    service = Service([engine(Gate())])
    app = create_app(service, None)

    async def play():
        async with app.router.lifespan_context(app):
            await until(lambda: service.state == "ready")

    asyncio.run(play())
    assert service.state == "stopping"


# fmt: off
PATHS = [
    ("GET", "/v1/health"), ("GET", "/v1/models"), ("POST", "/v1/predict"), ("GET", "/metrics"), ("GET", "/"),
    ("GET", "/docs"), ("GET", "/openapi.json"), ("OPTIONS", "/v1/predict"), ("HEAD", "/v1/health"),
    ("DELETE", "/v1/predict"), ("GET", "/v1/nothing"), ("GET", "//metrics"), ("GET", "/v1/../metrics"),
]
CREDENTIALS = [
    [], [("Authorization", "")], [("Authorization", "Bearer")], [("Authorization", "Bearer " + TOKEN[:-1])],
    [("Authorization", TOKEN)], [("Authorization", "Basic " + TOKEN)], [("Authorization", f"Bearer {TOKEN}x")],
    [("Authorization", "Bearer \xff\xfe")], [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")],
    [("X-Authorization", f"Bearer {TOKEN}")], [("Cookie", TOKEN)],
]
# fmt: on


@pytest.mark.parametrize("headers", CREDENTIALS)
def test_nothing_is_answered_without_the_token(service, headers):
    app = create_app(service, TOKEN)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    for method, path in PATHS:
        response = send(app, method, path, headers=raw)
        assert response.status_code == 401, (method, path)
        assert response.headers["www-authenticate"] == "Bearer"
        assert method == "HEAD" or code(response) == "unauthorized"


def test_with_the_token_paths_are_what_they_are(service):
    app = create_app(service, TOKEN)
    headers = {"Authorization": f"bearer {TOKEN}", "Host": "pet.example.org"}
    assert send(app, "GET", "/v1/health", headers=headers).status_code == 200
    assert predict(app, asked(), **headers).status_code == 200
    assert code(send(app, "GET", "/docs", headers=headers)) == "not_found"


def test_a_web_socket_is_closed(service):
    sent = []

    async def exchange():
        scope = {"type": "websocket", "path": "/v1/predict", "headers": []}
        await create_app(service, TOKEN)(scope, None, note)

    async def note(message):
        sent.append(message["type"])

    asyncio.run(exchange())
    assert sent == ["websocket.close"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8650", "localhost:1", "LOCALHOST", "[::1]:8650", "[::1]"])
def test_without_a_token_this_machine_is_answered(app, host):
    assert send(app, "GET", "/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8650", "", "::1"])
def test_without_a_token_names_of_other_hosts_are_refused(app, host):
    response = send(app, "GET", "/v1/health", headers={"Host": host})
    assert code(response) == "bad_request"
    assert "127.0.0.1 or localhost" in response.json()["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/predict/", "/docs", "/openapi.json", "/v1/health/x"])
def test_other_paths_are_told(app, path):
    assert code(send(app, "GET", path)) == "not_found"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/predict"), ("POST", "/v1/health"), ("DELETE", "/metrics")])
def test_other_methods_are_told(app, method, path):
    response = send(app, method, path)
    assert code(response) == "method_not_allowed"
    assert response.headers["allow"] in ("GET", "POST")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        AS_MESSAGE | {"Content-Encoding": "gzip"},
    ],
)
def test_other_kinds_of_bodies_are_told(app, headers):
    response = send(app, "POST", "/v1/predict", content=pack_request(asked()), headers=headers)
    assert code(response) == "unsupported_media_type"


def test_a_kind_may_be_written_with_a_parameter(app):
    headers = {"Content-Type": MEDIA_TYPE.upper() + "; v=1"}
    assert send(app, "POST", "/v1/predict", content=pack_request(asked()), headers=headers).status_code == 200


def test_a_body_that_says_it_is_too_large_is_not_read(app):
    read = []

    async def body():
        read.append(1)
        yield b"x"

    headers = AS_MESSAGE | {"Content-Length": "100001"}
    assert code(send(app, "POST", "/v1/predict", content=body(), headers=headers)) == "too_large"
    assert len(read) <= 1  # the rest is thrown away


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(app, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.linger.ACCEPTED_BYTES", 0)
    read = []

    async def body():
        for n in range(1000):
            read.append(n)
            yield b"x" * 10_000

    assert code(send(app, "POST", "/v1/predict", content=body(), headers=AS_MESSAGE)) == "too_large"
    assert len(read) < 20


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "+5", "9" * 30, "", "5, 5"])
def test_a_length_that_is_no_number_is_told(app, length):
    headers = AS_MESSAGE | {"Content-Length": length}
    assert code(send(app, "POST", "/v1/predict", content=b"12345", headers=headers)) == "bad_request"


def test_a_body_that_comes_too_slowly_is_told(app, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.linger.ACCEPTED_S", 0.01)

    async def body():
        yield b"x"
        await asyncio.sleep(60)
        yield b"x"

    assert code(send(app, "POST", "/v1/predict", content=body(), headers=AS_MESSAGE)) == "too_slow"


REQUEST = asked()
FAR_MASK = replace(clicked(), mask=Crop(32, (0, 0, 0), np.ones((1, 1, 1), np.uint8)))


@pytest.mark.parametrize(
    "request_or_bytes",
    [
        b"",
        bytes(9),
        b"{}",
        pack_request(REQUEST)[:-1],
        pack_request(replace(REQUEST, window_sha256="0" * 64)),
        pack_request(asked(window(size=8))),
        pack_request(asked(window(spacing_mm=9.0))),
        pack_request(asked(None, FAR_MASK)),
        pack_request(asked(None, replace(clicked(), previous_logits=np.zeros((8, 8, 8), np.float16)))),
        pack_request(asked(None, *[clicked()] * 4)),
        pack_request(asked(None, clicked(*[(1.0, 2.0, 3.0)] * 9))),
    ],
    ids=range(11),
)
def test_a_request_that_is_none_or_does_not_fit_is_told(app, request_or_bytes):
    assert code(predict(app, request_or_bytes)) == "bad_request"


@pytest.mark.parametrize(
    "headers",
    [{"X-Deadline-S": d} for d in ("0", "-1", "nan", "inf", "soon", "")] + [{"X-Client": c} for c in ("a b", "x" * 65)],
)
def test_headers_that_make_no_sense_are_told(app, headers):
    assert code(predict(app, asked(), **headers)) == "bad_request"


def test_models_that_the_server_does_not_run_are_told(app):
    assert code(predict(app, asked(model="general"))) == "unknown_model"
    assert code(predict(app, asked(weights_sha256="0" * 64))) == "unknown_model"


def test_a_client_that_waits_no_longer_is_told(app, gate):
    gate.close()
    assert code(predict(app, asked(), **{"X-Deadline-S": "0.05"})) == "deadline"
    gate.open.set()


def test_too_little_memory_and_bugs_are_told_and_the_next_click_works(app, gate, log):
    def fault(error):
        def fail():
            raise error

        return fail

    gate.fault = fault(MemoryError())
    assert code(predict(app, asked())) == "out_of_memory"
    gate.fault = fault(ZeroDivisionError())
    assert code(predict(app, asked())) == "failed"
    gate.fault = lambda: None
    assert predict(app, asked()).status_code == 200
    assert figures(app)["seganypet_out_of_memory_total"] == "1.0"


def test_a_bug_outside_of_the_models_is_told_and_logged(app, log, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.app.unpack_request", lambda *_: {}["Jane Doe"])
    assert code(predict(app, asked())) == "failed"
    assert predict(app, asked()).status_code == 500
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert entries[0]["exception"] == "KeyError"
    assert "Jane" not in log.read_text()


def test_every_code_of_the_protocol_is_met_in_these_tests():
    met = set(re.findall(r'== "(\w+)"', Path(__file__).read_text()))
    assert set(STATUS_OF) <= met


def test_figures_count_requests_windows_and_memory(app):
    predict(app, asked(upload=False))
    for _ in range(2):
        predict(app, asked())
    send(app, "GET", "/somewhere/else")
    counted = figures(app)
    assert counted['seganypet_requests_total{route="/v1/predict",status="200"}'] == "2.0"
    assert counted['seganypet_requests_total{route="/v1/predict",status="404"}'] == "1.0"
    assert counted['seganypet_requests_total{route="other",status="404"}'] == "1.0"
    assert counted['seganypet_request_seconds_count{route="/v1/predict"}'] == "3.0"
    assert counted["seganypet_embedding_hits_total"] == "1.0"
    assert counted["seganypet_embedding_misses_total"] == "2.0"
    assert counted["seganypet_embeddings"] == "1.0"
    assert counted["seganypet_embedding_bytes"] == str(float(SIZE**3 * 4))
    assert counted["seganypet_waiting"] == counted["seganypet_running"] == "0.0"
    assert counted["seganypet_body_bytes"] == "0.0"
    assert counted["seganypet_log_records_lost_total"] == "0.0"


def test_two_applications_count_for_themselves(app):
    with started(Service([engine(Gate())])) as another:
        predict(app, asked())
        assert "/v1/predict" not in send(create_app(another, None), "GET", "/metrics").text


def test_the_log_tells_of_each_request_and_of_nobody(app, log):
    request = asked()
    predict(app, request, **{"X-Client": "c0ffee"})
    send(app, "GET", "/v1/health")
    send(app, "GET", "/patient/Jane?name=Jane")
    predicted, other = [json.loads(line) for line in log.read_text().splitlines()]
    assert predicted.pop("ms") > 0
    del predicted["time"]
    assert predicted == {
        "level": "info",
        "event": "request",
        "route": "/v1/predict",
        "status": 200,
        "waiting": 0,
        "targets": 1,
        "upload": True,
    }
    assert (other["route"], other["status"], other["error"]) == ("other", 404, "not_found")
    for secret in (request.window_sha256, "c0ffee", "Jane", "127.0.0.1"):
        assert secret not in log.read_text()


def test_a_full_disk_for_the_log_disturbs_nobody(gate):
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is Linux's")
    with started(Service([engine(gate)], log=EventLog(Path("/dev/full")))) as service:
        app = create_app(service, None)
        assert [predict(app, asked()).status_code for _ in range(3)] == [200] * 3
        assert figures(app)["seganypet_log_records_lost_total"] == "3.0"


def test_bodies_share_one_memory_and_give_it_back():
    bodies = Bodies(Limits(body_bytes=100))

    async def chunk(size):
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    async def read(body, size):
        return await body.read(Headers(AS_MESSAGE), lambda: chunk(size))

    async def play():
        with bodies.held() as first, bodies.held() as second:
            assert len(await read(first, 100)) == 100
            first.hold_answer(250)
            with pytest.raises(Refusal, match="busy"):
                await read(second, 51)
            assert len(await read(second, 50)) == 50
            with pytest.raises(Refusal, match="busy"):
                second.hold_answer(1)
        assert bodies.held_bytes == 0
        with bodies.held() as alone:
            alone.hold_answer(10_000)
        assert bodies.held_bytes == 0

    asyncio.run(play())


def test_an_answer_counts_as_memory_until_it_has_been_sent(app):
    body, held = pack_request(asked()), []

    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(messages, None) or await asyncio.Event().wait()

    async def send_on(message):
        async with client(app) as http:
            (line,) = [
                x for x in (await http.get("/metrics")).text.splitlines() if x.startswith("seganypet_body_bytes")
            ]
        held.append((message, int(float(line.split()[1]))))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/predict",
        "query_string": b"",
        "headers": [(b"content-type", MEDIA_TYPE.encode()), (b"host", b"localhost")],
    }
    asyncio.run(app(scope, receive, send_on))
    answer = b"".join(message.get("body", b"") for message, _ in held)
    assert [bytes_held for _, bytes_held in held] == [len(body) + len(answer)] * 2
    assert figures(app)["seganypet_body_bytes"] == "0.0"


def test_the_schema_describes_bodies_headers_and_errors(app):
    schema = app.openapi()
    predict = schema["paths"]["/v1/predict"]["post"]
    assert list(predict["requestBody"]["content"]) == [MEDIA_TYPE]
    assert {p["name"] for p in predict["parameters"]} == {"X-Client", "X-Deadline-S"}
    assert set(predict["responses"]) == {
        "200", "400", "401", "404", "408", "413", "415", "429", "500", "503", "504"
    }  # fmt: skip
    assert "content" in predict["responses"]["200"]
    error = predict["responses"]["429"]["content"]["application/json"]["schema"]
    assert error["required"] == ["error", "message"]
    assert set(schema["paths"]) == {"/v1/predict", "/v1/models", "/v1/health", "/metrics"}
