import asyncio
import json
import time

import numpy as np
import pytest
import torch

from SegAnyPETLib.backend.in_process import predict_in
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.refusals import ClientGone, Refusal
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.errors import BackendError, InputError, OutOfMemory
from Testing.backend.server.engines import Gate, asked, clicked, engine, engines, lite, sam, started, until, window

A, B, C = clicked((1, 1, 1)), clicked((2, 2, 2)), clicked((3, 3, 3))


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def service(gate):
    limits = Limits(queue=2, windows=2, deadline_s=20)
    with started(Service(engines(gate, sam()), limits)) as running:
        yield running
        gate.open.set()


def refused(code):
    return pytest.raises(Refusal, match=f"^{_MESSAGES[code]}")


_MESSAGES = {
    "busy": "the server is busy",
    "deadline": "the answer took too long",
    "stopping": "the server is shutting down",
    "starting": "the server is still starting",
    "unknown_window": "the server does not know this window",
    "failed": "the model failed on this request",
    "out_of_memory": "the memory of the device cpu does not suffice for lite",
}


async def let_wait(service, gate, *requests):
    """Close the gate and send requests: the first one is stopped at it, the others wait in this order."""
    gate.close()
    tasks = []
    for request in requests:
        tasks.append(asyncio.ensure_future(service.predict(request)))
        await until(lambda: gate.entered.is_set() and service.waiting == len(tasks) - 1)
    return tasks


@pytest.mark.parametrize(("make", "weights", "spacing_mm"), [(lite, "1" * 64, 2.0), (sam, "2" * 64, 1.5)])
def test_the_service_answers_as_the_engine_itself(service, make, weights, spacing_mm):
    image = window(spacing_mm=spacing_mm)
    alone = engine(make())
    name = alone.spec.name
    request = asked(image, A, B, model=name, weights_sha256=weights)
    answers = asyncio.run(service.predict(request))
    again = asyncio.run(service.predict(asked(image, A, B, upload=False, model=name, weights_sha256=weights)))
    expected = predict_in(alone, image.sha256, spacing_mm, image, [A, B])
    for answer, repeated, own in zip(answers, again, expected, strict=True):
        assert np.array_equal(answer.logits.array_kji, own.logits.array_kji)
        assert np.array_equal(repeated.logits.array_kji, own.logits.array_kji)
        assert answer.quality == own.quality


def test_requests_run_in_the_order_in_which_they_come_and_no_more_wait_than_may(service, gate):
    async def play():
        tasks = await let_wait(service, gate, asked(None, A), asked(None, C), asked(None, B))
        assert service.status() == {"status": "ready", "protocol": 1, "waiting": 2, "running": True}
        with refused("busy") as told:
            await service.predict(asked())
        assert told.value.headers == {"Retry-After": "1"}
        gate.open.set()
        await asyncio.gather(*tasks)

    asyncio.run(play())
    assert gate.clicks == [[1, 1, 1], [3, 3, 3], [2, 2, 2]]
    assert (service.waiting, service.running) == (0, False)


def test_overdue_work_is_not_begun(service, gate):
    async def play():
        (first,) = await let_wait(service, gate, asked(None, A))
        with refused("deadline"):
            await service.predict(asked(None, B), deadline_s=0.01)
        assert service.waiting == 0
        gate.open.set()
        await first
        await service.predict(asked(None, C))

    asyncio.run(play())
    assert gate.clicks == [[1, 1, 1], [3, 3, 3]]


def test_work_that_becomes_overdue_unseen_is_skipped_at_its_turn(service, gate):
    async def play():
        (first,) = await let_wait(service, gate, asked(None, A))
        late = asyncio.ensure_future(service.predict(asked(None, B), deadline_s=0.05))
        await until(lambda: service.waiting == 1)
        # The event loop, which would withdraw it, is busy elsewhere until its turn has come.
        time.sleep(0.1)
        gate.open.set()
        while service.waiting or service.running:
            time.sleep(0.005)
        await first
        with refused("deadline"):
            await late

    asyncio.run(play())
    assert gate.clicks == [[1, 1, 1]]


def test_a_deadline_passes_while_the_model_runs_and_the_service_goes_on(service, gate):
    async def play():
        gate.close()
        with refused("deadline"):
            await service.predict(asked(None, A), deadline_s=0.05)
        gate.open.set()
        assert await service.predict(asked(None, B))

    asyncio.run(play())


def test_the_servers_deadline_holds_where_the_clients_is_later():
    gate = Gate()
    with started(Service([engine(gate)], Limits(deadline_s=0.05))) as service:
        gate.close()
        with refused("deadline"):
            asyncio.run(service.predict(asked(), deadline_s=1000))
        gate.open.set()


def test_the_work_of_a_client_that_is_gone_is_dropped_at_once(service, gate):
    async def play():
        (first,) = await let_wait(service, gate, asked(None, A))
        left = asyncio.Event()
        waits = asyncio.ensure_future(service.predict(asked(None, B), gone=left.wait))
        await until(lambda: service.waiting == 1)
        left.set()
        with pytest.raises(ClientGone):
            await waits
        assert service.waiting == 0
        gate.open.set()
        await first

    asyncio.run(play())
    assert gate.clicks == [[1, 1, 1]]


def test_nothing_of_a_request_is_left_when_it_is_answered(service):
    async def play():
        await service.predict(asked(), gone=asyncio.Event().wait)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


def test_the_work_of_a_task_that_is_cancelled_is_dropped_at_once(service, gate):
    async def play():
        first, cancelled = await let_wait(service, gate, asked(None, A), asked(None, B))
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert service.waiting == 0
        gate.open.set()
        await first

    asyncio.run(play())
    assert gate.clicks == [[1, 1, 1]]


def test_at_the_end_what_runs_is_answered_and_what_waits_is_sent_away(service, gate):
    async def play():
        first, waits = await let_wait(service, gate, asked(None, A), asked(None, B))
        end = asyncio.ensure_future(service.stop())
        with refused("stopping"):
            await waits
        with refused("stopping"):
            await service.predict(asked())
        assert not end.done()
        gate.open.set()
        assert len(await first) == 1
        await end

    asyncio.run(play())
    assert service.status()["status"] == "stopping"


def test_the_end_does_not_wait_for_a_model_that_is_stuck(service, gate):
    async def play():
        (stuck,) = await let_wait(service, gate, asked(None, A))
        await service.stop(within_s=0.05)
        with refused("stopping"):
            await stuck

    asyncio.run(play())


def test_a_window_that_is_not_known_is_asked_for(service):
    image = window(1)

    async def play():
        with refused("unknown_window"):
            await service.predict(asked(image, upload=False))
        await service.predict(asked(image))
        await service.predict(asked(image, upload=False))

    asyncio.run(play())
    assert (service.counts.hits, service.counts.misses) == (1, 2)


def test_a_window_whose_voxels_are_on_their_way_counts_as_known(service, gate):
    async def play():
        tasks = await let_wait(
            service, gate, asked(window(1), A), asked(window(2), A), asked(window(2), B, upload=False)
        )
        gate.open.set()
        assert all([await task for task in tasks])

    asyncio.run(play())


def test_a_window_that_is_forgotten_while_a_request_for_it_waits_is_asked_for(service, gate):
    async def play():
        await service.predict(asked(window(1)), "a")
        tasks = await let_wait(service, gate, asked(window(2)), asked(window(1), upload=False))
        service.cache.clear()
        gate.open.set()
        await tasks[0]
        with refused("unknown_window"):
            await tasks[1]

    asyncio.run(play())


def test_models_and_weights_that_the_server_does_not_run_are_refused(service):
    for request in (asked(model="general"), asked(weights_sha256="3" * 64), asked(model="sam")):
        with pytest.raises(Refusal) as told:
            asyncio.run(service.predict(request))
        assert told.value.code == "unknown_model"


def test_what_does_not_fit_the_model_is_refused_before_it_waits(service):
    with pytest.raises(InputError, match="16 voxels per side, not 8"):
        asyncio.run(service.predict(asked(window(size=8))))


def test_a_client_keeps_its_last_windows_and_those_that_others_use(service):
    async def knows(image):
        return f"lite/{image.sha256}" in service.cache

    async def play():
        one, two, three = window(1), window(2), window(3)
        await service.predict(asked(one), "b")
        for image in (one, two, three):
            await service.predict(asked(image), "a")
        assert [await knows(i) for i in (one, two, three)] == [True, True, True]
        await service.predict(asked(window(4)), "a")
        assert [await knows(i) for i in (one, two, three)] == [True, False, True]

    asyncio.run(play())


def test_embeddings_of_all_models_share_one_memory():
    lites = 16**3 * 4
    with started(Service(engines(lite(), sam(), cache_bytes=2 * lites))) as service:

        async def play():
            await service.predict(asked(window(1)))
            await service.predict(asked(window(2)))
            assert (service.counts.embeddings, service.counts.embedding_bytes) == (2, 2 * lites)
            image = window(1, spacing_mm=1.5)
            await service.predict(asked(image, model="sam", weights_sha256="2" * 64))
            assert service.counts.embeddings == 2
            assert lites < service.counts.embedding_bytes < 2 * lites
            with refused("unknown_window"):
                await service.predict(asked(window(1), upload=False))

        asyncio.run(play())


def raising(error):
    def fault():
        raise error

    return fault


def test_a_bug_in_a_model_is_one_clients_failure_and_leaves_its_trace(tmp_path):
    gate, file = Gate(), tmp_path / "log"
    with started(Service([engine(gate)], log=EventLog(file))) as service:
        gate.fault = raising(ValueError("voxel [1, 2, 3]"))
        with refused("failed"):
            asyncio.run(service.predict(asked()))
        gate.fault = lambda: None
        assert asyncio.run(service.predict(asked()))
    (entry,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert (entry["event"], entry["exception"], entry["model"]) == ("model_failed", "ValueError", "lite")
    assert any(frame.startswith("engine.py:") for frame in entry["frames"])
    assert "voxel" not in file.read_text()


def test_out_of_memory_is_told_and_the_window_stays_known(service, gate):
    async def play():
        gate.fault = raising(torch.OutOfMemoryError("CUDA out of memory"))
        with refused("out_of_memory") as told:
            await service.predict(asked())
        assert told.value.status == 503
        gate.fault = lambda: None
        assert await service.predict(asked(upload=False))

    asyncio.run(play())
    assert service.counts.out_of_memory == 1


@pytest.mark.parametrize(
    ("error", "kind"), [(torch.OutOfMemoryError(""), OutOfMemory), (ValueError("x"), BackendError)]
)
def test_a_model_that_does_not_run_on_its_device_ends_the_start(error, kind, tmp_path):
    gate = Gate()
    gate.fault = raising(error)
    service = Service([engine(gate)], log=EventLog(tmp_path / "log"))
    service.start()
    assert service.wait_started(20)
    assert type(service.failure) is kind
    with refused("stopping"):
        asyncio.run(service.predict(asked()))


def test_requests_are_refused_until_the_service_is_ready():
    gate = Gate()
    gate.close()
    service = Service([engine(gate)])
    service.start()
    service.start()
    with refused("starting"):
        asyncio.run(service.predict(asked()))
    assert not service.wait_started(0)
    gate.open.set()
    assert service.wait_started(20)
    asyncio.run(service.stop())


def test_a_service_that_never_began_ends_too():
    service = Service([engine(lite())])
    asyncio.run(service.stop())
    service.start()
    assert service.status()["status"] == "stopping"
    assert service.wait_started(0)


@pytest.mark.parametrize("models", [[], [lite, lite]])
def test_a_server_needs_models_with_names_of_their_own(models):
    with pytest.raises(InputError, match="each only once"):
        Service(engines(*[model() for model in models]))


def test_a_window_that_is_let_go_is_asked_for_and_others_are_not(service):
    first, second = window(1), window(2)
    asyncio.run(service.predict(asked(first)))
    asyncio.run(service.predict(asked(second)))
    service.forget(first.sha256)
    asyncio.run(service.predict(asked(second, upload=False)))
    assert service.counts.embeddings == 1
    with refused("unknown_window"):
        asyncio.run(service.predict(asked(first, upload=False)))
