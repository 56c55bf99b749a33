"""Fixtures of tests that run a module of Slicer; a conftest takes them with ``import *``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer_harness.system_libraries import skip_without_libraries

__all__ = ["slicer_harness", "slicer_views", "uncaught", "vtk_messages"]


@pytest.fixture
def vtk_messages() -> Iterator[list[str]]:
    """What VTK prints as errors and warnings; the test fails where it holds something at the end."""
    skip_without_libraries()
    import vtk

    printed: list[str] = []

    @vtk.calldata_type(vtk.VTK_STRING)
    def note(caller: Any, event: str, text: str) -> None:
        printed.append(text)

    window = vtk.vtkOutputWindow.GetInstance()
    tags = [window.AddObserver(event, note) for event in ("ErrorEvent", "WarningEvent")]
    yield printed
    for tag in tags:
        window.RemoveObserver(tag)
    assert not printed, "".join(printed)


@pytest.fixture
def uncaught(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """What slots and observers raised; Qt and VTK would print it and go on. A test takes out what it expects."""
    raised: list[BaseException] = []

    def note(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        raised.append(error)
        sys.__excepthook__(kind, error, trace)

    monkeypatch.setattr(sys, "excepthook", note)
    yield raised
    assert not raised, raised


@pytest.fixture
def slicer_harness(
    vtk_messages: list[str], uncaught: list[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """Slicer for one test, with an empty scene."""
    from Testing.slicer_harness.bootstrap import SlicerHarness
    from Testing.slicer_harness.core import slicer_core

    harness = SlicerHarness(slicer_core(), monkeypatch, tmp_path)
    yield harness
    harness.close()
    misplaced = harness.root_logger.log.misplaced
    assert not misplaced, f"logged in another thread than the GUI's: {misplaced}"


@pytest.fixture
def slicer_views(slicer_harness: Any) -> Iterator[dict[str, Any]]:
    """Red, Green and Yellow, off-screen, known to the layout manager."""
    from Testing.slicer_harness.slice_views import graphics_work, slice_views

    if not graphics_work():
        skip_without_libraries(graphics=True)
    views = slice_views(slicer_harness.core)
    slicer_harness.app.layoutManager().views = views
    yield views
    for view in views.values():
        view.close()
