"""Packages that the model needs: which, in which versions, and what an installation leaves alone."""

import importlib.metadata

import pytest

from Testing.module.held_backend import HeldBackend


@pytest.fixture
def lacking(unopened):
    """Packages that are absent until they are installed."""
    return unopened.harness.installations.lacking


@pytest.fixture
def quick(unopened):
    """A model that answers at once, but needs the packages of the place it is said to run in."""
    unopened.add_pet()
    unopened.use_choice(lambda choice, progress: HeldBackend(held=False), location="inside")
    return unopened


def test_without_torch_the_panel_says_so_and_the_first_click_asks(quick, lacking) -> None:
    lacking |= {"torch", "monai"}
    quick.use_choice(lambda choice, progress: HeldBackend(held=False), location="inside")
    assert "It needs torch, monai; the first click asks to install them." in quick.ui.modelLabel.text
    quick.harness.dialogs.answers += [False]
    quick.click((12, 12, 10))
    assert quick.status == "PyTorch was not installed, so the model cannot run on this computer."
    assert quick.panel.markups.positive.GetNumberOfControlPoints() == 0
    assert quick.harness.installations.installed == []

    quick.harness.dialogs.answers += [True, False]
    quick.click((12, 12, 10))
    assert quick.status == "The packages were not installed, so the model cannot be asked."

    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert quick.harness.installations.installed == ["torch<=2.13.0,>=2.8", "monai>=1.6"]
    assert quick.names() == ["Lesion 1"]


def test_clicks_and_presses_during_an_installation_wait_for_it(quick, lacking) -> None:
    """Slicer processes events while pip runs: a second click must not begin a second installation."""
    lacking |= {"monai"}
    seen = []

    def click_again() -> None:
        quick.point((28, 22, 20))
        quick.harness.app.processEvents()
        seen.append((quick.ui.startButton.enabled, quick.ui.cancelButton.enabled))

    quick.harness.installations.meanwhile = click_again
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert seen == [(False, True)]
    assert quick.harness.installations.installed == ["monai>=1.6"]
    assert len(quick.points(0)) == 2


def test_without_the_extension_of_torch_the_panel_names_it(quick, lacking) -> None:
    lacking.add("torch")
    quick.harness.without_pytorch_extension()
    quick.click((12, 12, 10))
    assert "Install the extension PyTorch with Slicer's Extensions Manager" in quick.status


def test_a_package_that_is_too_old_is_brought_up_to_date(quick) -> None:
    quick.harness.installations.versions["monai"] = "1.3.0"
    quick.panel.models.show()
    assert "It needs monai>=1.6 (1.3.0 is installed)" in quick.ui.modelLabel.text
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert quick.harness.installations.installed == ["monai>=1.6"]
    assert quick.names() == ["Lesion 1"]


@pytest.mark.parametrize("version", ["2.5.1+cpu", "2.14.0"])
def test_another_version_of_torch_is_named_and_left_to_the_extensions_that_use_it(quick, version) -> None:
    quick.harness.installations.versions["torch"] = version
    quick.click((12, 12, 10))
    assert f"PyTorch {version} is installed, and SegAnyPET needs <=2.13.0,>=2.8" in quick.status
    assert quick.harness.installations.installed == []


def test_a_build_of_torch_for_a_device_is_the_version_that_it_says(quick) -> None:
    quick.harness.installations.versions["torch"] = "2.13.0+cu130"
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]


@pytest.mark.parametrize("old_slicer", [False, True])
def test_an_installation_keeps_what_slicer_ships(quick, lacking, old_slicer) -> None:
    if old_slicer:
        quick.harness.as_slicer_5_10()
    lacking |= {"torch", "monai"}
    quick.harness.dialogs.answers += [True, True]
    quick.click((12, 12, 10))
    for_torch, for_others = quick.harness.installations.constraints
    own = [f"{n}=={importlib.metadata.version(n)}" for n in ("numpy", "scipy", "SimpleITK", "pydicom", "vtk")]
    assert for_torch[: len(own)] == own
    assert for_others[: len(own)] == own
    assert f"torch=={importlib.metadata.version('torch')}" in for_others
    assert quick.harness.installations.installed == ["torch<=2.13.0,>=2.8", "monai>=1.6"]


def test_a_build_of_vtk_without_metadata_is_kept_too(quick, lacking) -> None:
    import vtk

    lacking |= {"monai", "vtk"}
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    ((*lines,),) = quick.harness.installations.constraints
    assert f"vtk=={vtk.vtkVersion.GetVTKVersion()}" in lines


@pytest.mark.parametrize("package", ["monai", "torch"])
@pytest.mark.parametrize("old_slicer", [False, True])
def test_a_failed_installation_is_one_sentence_with_what_to_do_and_the_next_click_tries_again(
    quick, lacking, package, old_slicer
) -> None:
    if old_slicer:
        quick.harness.as_slicer_5_10()
    lacking.add(package)
    quick.harness.installations.fails = True
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert quick.status.startswith(f"The installation of {package} failed.")
    assert "HTTPS_PROXY" in quick.status
    assert "PIP_FIND_LINKS" in quick.status
    assert len([shown for shown in quick.harness.dialogs.shown if shown.level == "error"]) <= 1  # pip's, in Slicer 5.12
    assert quick.panel.queue.idle
    assert not quick.ui.progressBar.visible
    assert quick.ui.startButton.enabled
    quick.harness.installations.fails = False
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]


def test_an_installation_that_slicer_skips_is_told(quick, lacking, monkeypatch) -> None:
    lacking.add("monai")
    monkeypatch.setattr(type(quick.harness.app), "testingEnabled", lambda app: True)
    quick.harness.dialogs.answers += [True]
    quick.click((12, 12, 10))
    assert quick.status == "Still missing: monai. Restart Slicer and try again."


@pytest.mark.parametrize(
    ("location", "needs"), [("server", {"httpx"}), ("inside", {"torch", "monai"}), ("worker", {"torch", "fastapi"})]
)
def test_each_place_needs_its_own_packages(quick, lacking, location, needs) -> None:
    from SegAnyPETPanel.model import packages

    lacking |= {"httpx", "torch", "monai", "fastapi", "uvicorn", "prometheus_client", "huggingface_hub"}
    found = {str(lack) for lack in packages.missing(location)}
    assert needs <= found
    assert ("fastapi" in found) == (location == "worker")
    assert "huggingface_hub" not in found


def test_a_fault_before_the_start_leaves_the_panel_at_rest(quick, monkeypatch, uncaught) -> None:
    from SegAnyPETPanel.model import requirements

    def fail(location) -> None:
        raise ZeroDivisionError("what nobody foresaw")

    monkeypatch.setattr(requirements, "ensure", fail)
    quick.click((12, 12, 10))
    assert isinstance(uncaught.pop(), ZeroDivisionError)
    assert quick.status == "SegAnyPET could not do that."
    assert not quick.ui.progressBar.visible
    assert quick.panel.markups.positive.GetNumberOfControlPoints() == 0
