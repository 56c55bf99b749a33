"""The model behind the panel: started, installed, changed, lost."""

import os
import signal

import pytest

from SegAnyPETLib.errors import BackendError, OutOfMemory
from Testing.module.held_backend import HeldBackend

pytestmark = pytest.mark.slow


@pytest.fixture
def lacking(unopened):
    """Packages that are absent until they are installed."""
    return unopened.harness.installations.lacking


@pytest.fixture
def workers(unopened):
    """Worker processes, in the order in which the panel created them."""
    from SegAnyPETPanel.model.model import makeBackend

    created = []

    def make(choice, progress):
        created.append(makeBackend(choice, progress))
        return created[-1]

    unopened.use_choice(make)
    return created


def test_the_first_click_starts_a_worker_process_and_the_next_ones_find_it(unopened, workers) -> None:
    unopened.add_pet()
    assert unopened.ui.modelLabel.text == "Model: lite on cpu, in a process of its own; the first click starts it."
    unopened.click((12, 12, 10))
    assert unopened.mask()[12, 12, 10]
    (worker,) = workers
    pid = worker.pid
    assert unopened.ui.modelLabel.text.startswith("Model: lite on cpu, ")
    unopened.click((12, 12, 14), positive=False)
    assert worker.pid == pid
    unopened.widget.cleanup()
    assert worker.pid is None


def test_a_lost_worker_is_replaced_within_the_click(unopened, workers) -> None:
    unopened.add_pet()
    unopened.click((12, 12, 10))
    before = unopened.mask()
    (worker,) = workers
    lost = worker.pid
    os.kill(lost, signal.SIGKILL)
    unopened.click((12, 12, 14), positive=False)
    assert not unopened.mask()[12, 12, 14]
    assert before[12, 12, 10]
    assert worker.pid not in (None, lost)


def test_a_server_needs_no_torch_and_its_address(unopened, lacking) -> None:
    lacking.add("torch")
    unopened.use_choice(location="server")
    unopened.add_pet()
    unopened.click((12, 12, 10))
    assert unopened.status == "The server's address is missing; enter it under Model."


def test_a_server_that_is_not_there_leaves_the_panel_usable(unopened) -> None:
    unopened.use_choice(location="server", server="http://127.0.0.1:9")
    unopened.add_pet()
    unopened.click((12, 12, 10))
    assert "127.0.0.1" in unopened.status
    assert unopened.names() == []
    unopened.choose("inside")
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]


def test_a_device_that_is_absent_is_never_replaced_without_a_question(unopened) -> None:
    unopened.use_choice(location="inside", device="mps")
    unopened.add_pet()
    unopened.harness.dialogs.answers += [False, True]
    unopened.click((12, 12, 10))
    assert "Run the model on the CPU instead?" in unopened.harness.dialogs.texts[-1]
    assert unopened.names() == []
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]
    assert unopened.ui.deviceSelector.currentText == "cpu"
    assert unopened.ui.modelLabel.text.startswith("Model: lite on cpu, ")


def test_too_little_memory_offers_the_cpu_and_repeats_the_click_there(unopened) -> None:
    unopened.add_pet()
    gpu, cpu = HeldBackend(held=False), HeldBackend(held=False)
    unopened.use_choice(
        lambda choice, progress: cpu if choice.device == "cpu" else gpu, location="inside", device="cuda"
    )
    gpu.fail(1, OutOfMemory("the memory of the device does not suffice"))
    unopened.harness.dialogs.answers += [True]
    unopened.click((12, 12, 10))
    assert "Run the model on the CPU instead?" in unopened.harness.dialogs.texts[-1]
    assert unopened.names() == ["Lesion 1"]
    assert unopened.ui.deviceSelector.currentText == "cpu"
    assert cpu.asked


def test_a_backend_that_fails_is_told_in_a_sentence_and_the_click_may_be_repeated(unopened) -> None:
    unopened.add_pet()
    backend = unopened.use(HeldBackend(held=False))
    backend.fail(1, BackendError("the server cannot be reached"))
    unopened.click((12, 12, 10))
    assert unopened.status == "The server cannot be reached."
    assert unopened.names() == []
    assert unopened.segmentation is None
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]


def test_a_fault_of_the_program_is_shown_once_and_the_panel_goes_on(unopened, uncaught) -> None:
    unopened.add_pet()
    backend = unopened.use(HeldBackend(held=False))
    backend.fail(1, ZeroDivisionError("what nobody foresaw"))
    unopened.click((12, 12, 10))
    assert "what nobody foresaw" in unopened.harness.dialogs.shown[-1].text
    assert isinstance(uncaught.pop(), ZeroDivisionError)
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]


def test_the_start_of_the_model_can_be_cancelled(unopened) -> None:
    unopened.add_pet()
    unopened.point((12, 12, 10))
    unopened.until(lambda: unopened.panel.queue.busy)
    unopened.press("cancelButton")
    unopened.rest()
    assert unopened.status == "Cancelled; nothing was changed."
    assert unopened.panel.markups.positive.GetNumberOfControlPoints() == 0
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]


def test_preferences_stay_with_the_user_and_the_token_with_nobody(unopened) -> None:
    import qt

    unopened.ui.serverEdit.text = "http://127.0.0.1:9"
    unopened.ui.tokenEdit.text = "a-secret-of-the-hospital"
    unopened.choose("server")
    unopened.rest()
    from SegAnyPETPanel.model.choice import savedChoice

    assert (savedChoice().location, savedChoice().server) == ("server", "http://127.0.0.1:9")
    settings = qt.QSettings()
    assert all("secret" not in str(settings.value(key)) for key in settings.allKeys())
    node = unopened.panel.selection.parameters.parameterNode
    assert all("secret" not in node.GetParameter(name) for name in node.GetParameterNames())
    assert unopened.panel.queue.model.choice.token == "a-secret-of-the-hospital"
