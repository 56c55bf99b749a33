"""Points that were placed elsewhere become lesions, one each."""

import pytest

from SegAnyPETLib.errors import BackendError, OutOfMemory
from Testing.module.held_backend import HeldBackend


@pytest.fixture
def fiducials(unopened):
    """Three points of the user's own, two on one lesion and one on the other."""
    unopened.add_pet()
    node = unopened.harness.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "mine")
    for k, j, i in ((12, 12, 10), (28, 22, 20), (12, 12, 11)):
        node.AddControlPointWorld(4.0 * i, 4.0 * j, 4.0 * k)
    unopened.ui.fiducialSelector.setCurrentNode(node)
    unopened.rest()
    return node


def test_every_point_becomes_a_lesion_in_one_undo_step(unopened, fiducials) -> None:
    unopened.use(HeldBackend(held=False))
    unopened.press("useFiducialsButton")
    unopened.rest()
    assert unopened.names() == ["Lesion 1", "Lesion 2", "Lesion 3"]
    assert unopened.status == "3 of 3 points became lesions."
    assert unopened.mask(1)[28, 22, 20]
    assert not unopened.mask(1)[12, 12, 10]
    assert fiducials.GetNumberOfControlPoints() == 3
    unopened.press("undoButton")
    unopened.rest()
    assert unopened.names() == []


def test_the_panel_counts_and_cancel_keeps_what_is_done(unopened, fiducials) -> None:
    backend = unopened.use(HeldBackend())
    unopened.press("useFiducialsButton")
    unopened.until(backend.at_work.is_set)
    unopened.until(lambda: unopened.status == "0 of 3 points ...")
    assert (unopened.ui.progressBar.maximum, unopened.ui.progressBar.value) == (3, 0)
    backend.stop_after(0)
    backend.free()
    unopened.until(lambda: unopened.ui.progressBar.value == 1)
    unopened.press("cancelButton")
    unopened.rest()
    assert unopened.names() == ["Lesion 1"]
    assert unopened.status == "1 of 3 points became lesions. The others were cancelled."


def test_lesions_appear_as_they_are_made(unopened, fiducials) -> None:
    backend = unopened.use(HeldBackend())
    unopened.press("useFiducialsButton")
    unopened.until(backend.at_work.is_set)
    backend.stop_after(0)
    backend.free()
    unopened.until(lambda: unopened.ui.progressBar.value == 1)
    unopened.until(lambda: unopened.names() == ["Lesion 1"])
    assert unopened.ui.cancelButton.enabled
    backend.free()
    unopened.until(lambda: len(unopened.names()) == 3)
    unopened.rest()


def test_a_point_that_fails_does_not_hinder_the_others(unopened, fiducials) -> None:
    backend = unopened.use(HeldBackend(held=False))
    backend.fail(1, BackendError("the server was busy"))
    unopened.press("useFiducialsButton")
    unopened.rest()
    assert unopened.status == "2 of 3 points became lesions. The server was busy."
    assert unopened.mask(0)[28, 22, 20]


def test_points_that_the_device_has_no_memory_for_are_offered_the_cpu(unopened, fiducials) -> None:
    gpu, cpu = HeldBackend(held=False), HeldBackend(held=False)
    unopened.use_choice(
        lambda choice, progress: cpu if choice.device == "cpu" else gpu, location="inside", device="cuda"
    )
    gpu.fail(2, OutOfMemory("the memory of the device does not suffice"))
    unopened.harness.dialogs.answers += [True]
    unopened.press("useFiducialsButton")
    unopened.rest()
    assert "Run the model on the CPU instead?" in unopened.harness.dialogs.texts[-1]
    assert unopened.names() == ["Lesion 1", "Lesion 2", "Lesion 3"]
    assert unopened.mask(2)[28, 22, 20]
    assert len(cpu.asked) == 1


def test_a_point_outside_is_named_before_anything_is_sent(unopened, fiducials) -> None:
    backend = unopened.use(HeldBackend(held=False))
    fiducials.AddControlPointWorld(0, 0, -100)
    unopened.press("useFiducialsButton")
    unopened.rest()
    assert unopened.status == "Point 4 of the list: the point lies outside the PET image; place it inside."
    assert unopened.names() == []
    assert backend.asked == []
