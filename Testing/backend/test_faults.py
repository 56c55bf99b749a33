"""Whatever happens to workers, servers and networks, a session loses nothing and goes on."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import InProcessBackend
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.backend.worker.backend import WorkerBackend
from SegAnyPETLib.errors import BackendError, Cancelled, OutOfMemory
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from SegAnyPETLib.session.session import InteractiveSession
from Testing.backend.hot import HotModel, at, engine, middle, pet
from Testing.backend.serving import PATIENCE_S, serving
from Testing.backend.tap import babbles, cuts, hangs, refuses, says, tapped
from Testing.backend.workers import python_that_runs

VOLUME = pet()


def clicks():
    """Of a scripted session: in a lesion, beside it, and in another lesion, which needs another window."""
    return [at(VOLUME, middle(0)), at(VOLUME, (4, 4, 4), positive=False), at(VOLUME, middle(1))]


@pytest.fixture(scope="module")
def masks():
    """What a session without faults gives after each of the clicks."""
    session = InteractiveSession(VOLUME, InProcessBackend(engine()))
    found = []
    for click in clicks():
        session.add_point(click)
        found.append(session.mask_kji)
    assert len({m.tobytes() for m in found}) == 3
    return found


@contextmanager
def nothing_lost(session):
    """Whatever a session can show is afterwards as it was before."""
    before = session.mask_kji, session.points, session.history
    yield
    np.testing.assert_array_equal(session.mask_kji, before[0])
    assert (session.points, session.history) == before[1:]


def goes_on(session, masks, first=0):
    """The clicks from a certain one on, each leading to the mask that it should."""
    for click, mask in list(zip(clicks(), masks, strict=True))[first:]:
        session.add_point(click)
        np.testing.assert_array_equal(session.mask_kji, mask)


def until(condition):
    ends_at = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert condition()


class TestNetwork:
    @pytest.fixture
    def tap(self):
        with serving([engine()]) as url, tapped(url) as found:
            yield found

    @pytest.fixture
    def session(self, tap):
        with HttpBackend(tap.url, deadline_s=3.0) as backend:
            yield InteractiveSession(VOLUME, backend)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (says(200, b"garbage"), BackendError),
            (refuses(401, "unauthorized"), BackendError),
            (refuses(413, "too_large"), BackendError),
            (refuses(503, "out_of_memory", "the memory is full"), OutOfMemory),
            (hangs, BackendError),
        ],
        ids=["garbage", "401", "413", "out of memory", "hang"],
    )
    def test_a_fault_at_any_click_leaves_the_session_as_it_was(self, session, tap, masks, fault, error):
        for number, (click, mask) in enumerate(zip(clicks(), masks, strict=True)):
            if number == 1 or fault is not hangs:
                tap.faults.append(fault)
                with nothing_lost(session), pytest.raises(error):
                    session.add_point(click)
            session.add_point(click)
            np.testing.assert_array_equal(session.mask_kji, mask)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "fault",
        [cuts(0.5), cuts(0.0), babbles, refuses(429, "busy", headers="Retry-After: 0\r\n"), refuses(500, "failed"),
         refuses(404, "unknown_window"), refuses(503, "stopping")],
        ids=["cut in the body", "cut before it", "no HTTP", "429", "500", "forgotten window", "stopping"],
    )  # fmt: skip
    def test_a_passing_fault_goes_unnoticed(self, session, tap, masks, fault):
        for click, mask in zip(clicks(), masks, strict=True):
            tap.faults.append(fault)
            session.add_point(click)
            np.testing.assert_array_equal(session.mask_kji, mask)
            assert not tap.faults


class TestServer:
    def test_one_that_is_restarted_between_clicks_goes_unnoticed(self, masks):
        port = 0
        models = [HotModel() for _ in clicks()]
        session = None
        for model, click, mask in zip(models, clicks(), masks, strict=True):
            with serving([engine(model)], address=Address("127.0.0.1", port)) as url:
                port = int(url.rpartition(":")[2])
                model.embedded = 0  # the warm-up has embedded, too
                session = session or InteractiveSession(VOLUME, HttpBackend(url))
                session.add_point(click)
                np.testing.assert_array_equal(session.mask_kji, mask)
                assert model.embedded > 0, "it cannot have known the window"
        session.backend.close()

    def test_one_that_is_restarted_with_other_weights_is_told_of(self, masks):
        with serving([engine()]) as url:
            session = InteractiveSession(VOLUME, HttpBackend(url))
            session.add_point(clicks()[0])
            port = int(url.rpartition(":")[2])
        with serving([engine(HotModel(sha256="b" * 64))], address=Address("127.0.0.1", port)):
            with nothing_lost(session), pytest.raises(BackendError, match="connect to it again"):
                session.add_point(clicks()[1])
            session.backend.connect()
            goes_on(session, masks, first=1)
        session.backend.close()

    def test_two_clients_that_cancel_at_once_disturb_nobody(self, masks):
        model, held = HotModel(), threading.Event()
        with serving([engine(model)]) as url:
            sessions = [InteractiveSession(VOLUME, HttpBackend(url)) for _ in range(3)]
            for session in sessions:
                session.add_point(clicks()[0])
            model.entered.clear()
            model.before = lambda: held.wait(PATIENCE_S)
            outcomes = {}

            def click(n):
                try:
                    outcomes[n] = sessions[n].add_point(clicks()[1])
                except Cancelled as error:
                    outcomes[n] = error

            threads = [threading.Thread(target=click, args=(n,)) for n in range(3)]
            for thread in threads:
                thread.start()
            assert model.entered.wait(PATIENCE_S)
            until(lambda: all(s.backend.pending for s in sessions))
            with nothing_lost(sessions[0]), nothing_lost(sessions[1]):
                cancels = [threading.Thread(target=s.backend.cancel) for s in sessions[:2]]
                for thread in cancels:
                    thread.start()
                for thread in [*cancels, *threads[:2]]:
                    thread.join(PATIENCE_S)
                assert all(isinstance(outcomes[n], Cancelled) for n in range(2))
            held.set()
            threads[2].join(PATIENCE_S)
            np.testing.assert_array_equal(sessions[2].mask_kji, masks[1])
            for session in sessions[:2]:
                goes_on(session, masks, first=1)
            for session in sessions:
                session.backend.close()

    @pytest.mark.slow
    def test_clients_with_more_windows_than_are_kept_all_come_through(self, masks):
        """One embedding fits; every click of one client drives out what another one needs."""
        alone = HotModel()
        with serving([engine(alone)]) as url, HttpBackend(url) as backend:
            goes_on(InteractiveSession(VOLUME, backend), masks)
        model = HotModel()
        with serving([engine(model, EmbeddingCache(1))]) as url:
            failures = []

            def work():
                with HttpBackend(url) as backend:
                    sessions = [InteractiveSession(VOLUME, backend) for _ in range(2)]
                    for number in range(3):
                        for session in sessions:
                            session.add_point(clicks()[number])
                            if not np.array_equal(session.mask_kji, masks[number]):
                                failures.append(number)

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE_S)
            assert not any(thread.is_alive() for thread in threads)
            assert not failures
            assert model.embedded > alone.embedded, "nothing was ever driven out"

    def test_a_full_memory_of_its_device_is_told_of_and_it_stays_usable(self, masks):
        model = HotModel()
        full = [False]

        def before():
            if full[0]:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

        with serving([engine(model)]) as url, HttpBackend(url) as backend:
            session = InteractiveSession(VOLUME, backend)
            model.before = before
            session.add_point(clicks()[0])
            full[0] = True
            with nothing_lost(session), pytest.raises(OutOfMemory, match="memory of the device"):
                session.add_point(clicks()[1])
            full[0] = False
            goes_on(session, masks, first=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
def backend(folder):
    """A worker that is killed, or gets stuck, or finds no memory, in the next click where a file says so."""
    faults = (
        "lambda: [(folder / n).unlink() or f() for n, f in ("
        "('kill', lambda: os.kill(os.getpid(), signal.SIGKILL)), ('sleep', lambda: time.sleep(600)),"
        "('memory', lambda: exec('raise MemoryError'))) if (folder / n).exists()]"
    )
    with WorkerBackend(python=python_that_runs(folder, faults), deadline_s=20.0) as found:
        yield found


@pytest.mark.slow
class TestWorker:
    def test_one_that_is_killed_while_it_computes_goes_unnoticed(self, backend, folder, masks):
        session = InteractiveSession(VOLUME, backend)
        session.add_point(clicks()[0])
        before = backend.pid
        (folder / "kill").touch()
        goes_on(session, masks, first=1)
        assert backend.pid != before
        assert not (folder / "kill").exists()

    def test_one_that_is_stuck_is_replaced_after_a_cancel(self, backend, folder, masks):
        session = InteractiveSession(VOLUME, backend)
        session.add_point(clicks()[0])
        before = backend.pid
        (folder / "sleep").touch()

        def cancel():
            until(lambda: not (folder / "sleep").exists())
            backend.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        with nothing_lost(session), pytest.raises(Cancelled):
            session.add_point(clicks()[1])
        thread.join(PATIENCE_S)
        assert backend.pid == before, "the click waited until the worker was replaced"
        goes_on(session, masks, first=1)
        assert backend.pid != before

    def test_one_without_memory_says_so_once_and_goes_on(self, backend, folder, masks):
        session = InteractiveSession(VOLUME, backend)
        session.add_point(clicks()[0])
        before = backend.pid
        (folder / "memory").touch()
        goes_on(session, masks, first=1)  # the engine tries again with its memory freed
        assert backend.pid == before

    def test_one_that_is_killed_at_every_click_is_told_of(self, tmp_path, masks):
        dying = python_that_runs(tmp_path, "lambda: os.kill(os.getpid(), signal.SIGKILL)")
        session = InteractiveSession(VOLUME, InProcessBackend(engine()))
        session.add_point(clicks()[0])
        with WorkerBackend(python=dying) as backend:
            session.backend = backend
            with nothing_lost(session), pytest.raises(BackendError, match=r"ended unexpectedly \(SIGKILL\)"):
                session.add_point(clicks()[1])
        session.backend = InProcessBackend(engine())
        goes_on(session, masks, first=1)

    def test_one_that_was_killed_by_the_system_between_clicks_goes_unnoticed(self, backend, masks):
        session = InteractiveSession(VOLUME, backend)
        session.add_point(clicks()[0])
        os.kill(backend.pid, signal.SIGKILL)
        goes_on(session, masks, first=1)
