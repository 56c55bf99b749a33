import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import InProcessBackend
from SegAnyPETLib.backend.worker.backend import WorkerBackend
from SegAnyPETLib.backend.worker.process import WorkerProcess, python_beside
from SegAnyPETLib.backend.worker.settings import Report, WorkerSettings
from SegAnyPETLib.errors import BackendError, Cancelled, DeviceMissing, InputError, OutOfMemory
from Testing.backend.hot import clicked, engine, window
from Testing.backend.workers import ROOT, python_that_runs

PATIENCE_S = 60.0
TOKEN = "token-of-the-tests"
#: A device that no machine has on which the other one is there, or on which none is.
ABSENT = "cuda" if torch.backends.mps.is_available() else "mps"


def same(predictions, others):
    return all(np.array_equal(a.logits_kji, b.logits_kji) for a, b in zip(predictions, others, strict=True))


def expected(seed=0):
    return InProcessBackend(engine()).predict(window(seed), [clicked()])


def until(condition):
    ends_at = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.02)
    return condition()


def alive(pid):
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def cancelled_once(worker, condition):
    def cancel():
        assert until(condition)
        worker.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    yield
    thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def stages():
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
def python(folder):
    """Runs the test's model, more slowly if a file says so."""
    return python_that_runs(
        folder, "lambda: (folder / 'slow').exists() and ((folder / 'slow').unlink(), time.sleep(1))"
    )


@pytest.fixture(scope="module")
def worker(stages, python):
    with WorkerBackend(threads=1, python=python, progress=stages.append) as found:
        yield found


@pytest.mark.slow
class TestLife:
    def test_it_starts_at_the_first_use_and_reports_its_progress(self, worker, stages):
        assert worker.pid is None
        assert worker.spec.name == "hot"
        assert worker.device == "cpu, fp32"
        assert stages == ["importing", "loading weights", "warming up", "ready on cpu, fp32"]

    def test_it_answers_as_the_model_itself_from_any_thread(self, worker):
        answers = {}

        def ask(n):
            answers[n] = worker.predict(window(n), [clicked()])

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert all(same(answers[n], expected(n)) for n in range(3))

    @pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
    def test_others_on_this_machine_can_neither_use_it_nor_find_its_token(self, python):
        process = WorkerProcess(python, WorkerSettings("lite", token=TOKEN))
        url = f"http://127.0.0.1:{process.wait_ready(PATIENCE_S, lambda stage: None)}"
        with HttpBackend(url) as stranger, pytest.raises(BackendError, match="asks for a token"):
            stranger.connect()
        with HttpBackend(url, TOKEN) as parent:
            assert parent.spec.name == "hot"
        for name in ("cmdline", "environ"):
            found = Path(f"/proc/{process.pid}/{name}").read_bytes()
            assert found
            assert TOKEN.encode() not in found
        process.kill()

    def test_cancel_spares_one_that_finishes_in_time(self, worker, folder):
        worker.start()
        before = worker.pid
        (folder / "slow").touch()
        with cancelled_once(worker, lambda: not (folder / "slow").exists()), pytest.raises(Cancelled):
            worker.predict(window(), [clicked()])
        assert same(worker.predict(window(), [clicked()]), expected())
        assert worker.pid == before

    def test_it_ends_with_close_and_starts_again_at_the_next_use(self, worker, stages):
        worker.start()
        before = worker.pid
        worker.close()
        assert not alive(before)
        assert worker.pid is None
        stages.clear()
        assert same(worker.predict(window(), [clicked()]), expected())
        assert stages[-1] == "ready on cpu, fp32"


@pytest.mark.slow
class TestEnds:
    def test_it_ends_when_nobody_holds_it(self, tmp_path):
        worker = WorkerBackend(python=python_that_runs(tmp_path))
        worker.start()
        pid = worker.pid
        del worker
        gc.collect()
        assert not alive(pid)

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
    def test_it_ends_when_its_parent_is_killed_while_it_computes(self, tmp_path):
        python = python_that_runs(tmp_path, "lambda: (folder / 'computing').touch() or time.sleep(600)")
        parent = tmp_path / "parent.py"
        parent.write_text(
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "from SegAnyPETLib.backend.worker.backend import WorkerBackend\n"
            "import numpy as np\n"
            "from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage\n"
            f"worker = WorkerBackend(python={python!r})\n"
            "worker.start()\n"
            "print(worker.pid, flush=True)\n"
            "image = WindowImage.of(np.ones((16, 16, 16), np.float32), 2.0)\n"
            "worker.predict(image, [TargetPrompts(np.zeros((1, 3), np.float32), np.ones(1, bool))])\n"
        )
        with subprocess.Popen([sys.executable, parent], stdout=subprocess.PIPE, text=True) as process:
            pid = int(process.stdout.readline())
            assert until((tmp_path / "computing").exists)
            assert alive(pid)
            process.kill()
        assert until(lambda: not alive(pid))

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
    def test_it_ends_when_its_parent_is_killed_although_a_child_of_that_lives_on(self, tmp_path):
        """A process that was forked holds the pipe to the worker open."""
        python = python_that_runs(tmp_path)
        parent = tmp_path / "parent.py"
        parent.write_text(
            f"import os, sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
            "from SegAnyPETLib.backend.worker.backend import WorkerBackend\n"
            f"worker = WorkerBackend(python={python!r})\n"
            "worker.start()\n"
            "child = os.fork()\n"
            "if child:\n"
            "    print(worker.pid, child, flush=True)\n"
            "time.sleep(600)\n"
        )
        with subprocess.Popen([sys.executable, parent], stdout=subprocess.PIPE, text=True) as process:
            pid, child = map(int, process.stdout.readline().split())
            assert alive(pid)
            process.kill()
        try:
            assert until(lambda: not alive(pid))
            assert alive(child)
        finally:
            os.kill(child, signal.SIGKILL)

    def test_close_ends_a_start_that_is_under_way(self, tmp_path):
        fake = tmp_path / "python"
        fake.write_text("#!/bin/sh\nexec sleep 600\n")
        fake.chmod(0o755)
        worker = WorkerBackend(python=str(fake))
        raised = []

        def start():
            with pytest.raises(Cancelled):
                worker.start()
            raised.append(1)

        thread = threading.Thread(target=start)
        thread.start()
        assert until(lambda: worker.pid is not None)
        pid = worker.pid
        worker.close()
        thread.join(PATIENCE_S)
        assert raised
        assert not alive(pid)


@pytest.mark.slow
class TestFaults:
    @pytest.mark.parametrize(
        ("model", "device", "error", "message"),
        [
            ("nonsense", "cpu", InputError, "unknown model 'nonsense'"),
            ("lite", ABSENT, DeviceMissing, rf"{ABSENT}' is not available here.* on the CPU instead"),
        ],
    )
    def test_a_missing_model_or_device_is_named_with_a_way_out(self, model, device, error, message):
        with WorkerBackend(model, device) as worker, pytest.raises(error, match=message):
            worker.start()

    def test_a_python_that_is_not_there_is_told_of(self, tmp_path):
        with pytest.raises(BackendError, match="does not start"):
            WorkerBackend(python=str(tmp_path / "none")).start()

    def test_one_that_dies_at_its_start_is_told_of_with_its_last_words(self, tmp_path):
        fake = tmp_path / "python"
        fake.write_text("#!/bin/sh\necho some library is broken >&2\nexit 3\n")
        fake.chmod(0o755)
        with pytest.raises(BackendError, match=r"ended unexpectedly \(exit code 3\)") as caught:
            WorkerBackend(python=str(fake)).start()
        assert caught.value.__notes__ == ["some library is broken"]

    def test_one_that_says_nonsense_is_told_of(self, tmp_path):
        fake = tmp_path / "python"
        fake.write_text("#!/bin/sh\necho hello\nsleep 600\n")
        fake.chmod(0o755)
        worker = WorkerBackend(python=str(fake))
        with pytest.raises(BackendError, match="does not start as it should"):
            worker.start()
        worker.close()

    def test_one_that_is_not_ready_in_time_is_told_of(self, tmp_path):
        fake = tmp_path / "python"
        fake.write_text("#!/bin/sh\nexec sleep 600\n")
        fake.chmod(0o755)
        child = WorkerProcess(str(fake), WorkerSettings("lite"))
        with pytest.raises(BackendError, match="did not start within 0"):
            child.wait_ready(0.1, lambda stage: None)
        child.kill()
        assert child.ended()


class TestPipes:
    def test_settings_and_reports_arrive_as_they_were_sent(self):
        settings = WorkerSettings("a model\nof ü", "cuda", 3, "bf16", "secret")
        assert WorkerSettings.read(settings.line()) == settings
        assert settings.line().count(b"\n") == 1
        for error in (InputError("a\nb"), DeviceMissing("e"), OutOfMemory("c"), BackendError("d")):
            read = Report.read(Report(error=error).line()).error
            assert type(read) is type(error)
            assert str(read) == str(error)
        assert Report.read(Report("stage").line()) == Report("stage")
        assert Report.read(Report(port=7).line()).port == 7

    @pytest.mark.parametrize(
        "line", [b"\n", b"[]\n", b"{}\n", b'{"stage": "", "port": "a", "error": null}\n',
                 json.dumps({"stage": "", "port": 0, "error": {"kind": "SystemExit", "message": ""}}).encode()],
    )  # fmt: skip
    def test_what_is_no_report_is_refused(self, line):
        with pytest.raises(BackendError, match="does not start as it should"):
            Report.read(line)


class TestPython:
    @pytest.mark.parametrize("name", ["python", "python3.12", "PythonSlicer", "python.exe"])
    def test_a_python_runs_the_worker_itself(self, name):
        assert python_beside(f"/somewhere/bin/{name}") == f"/somewhere/bin/{name}"

    def test_beside_slicer_it_is_slicers(self, tmp_path):
        python = tmp_path / "PythonSlicer"
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        assert python_beside(str(tmp_path / "SlicerApp-real")) == str(python)

    def test_where_there_is_none_it_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match="no Python was found"):
            python_beside(str(tmp_path / "SlicerApp-real"))
