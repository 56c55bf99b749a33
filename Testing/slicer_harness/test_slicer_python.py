"""Doubles of Slicer's Python layer: parameter nodes, messages, settings, installations, files, the application."""

import enum
import pathlib
import subprocess
from typing import Annotated

import numpy as np
import pytest

TEMPLATE = pathlib.Path(__file__).with_name("template")


class Place(enum.Enum):
    """Where the model runs."""

    WORKER = 1
    SERVER = 2


@pytest.fixture
def parameters(slicer_harness):
    """A wrapper over a new parameter node with a field of every kind."""
    from slicer import vtkMRMLScalarVolumeNode
    from slicer.parameterNodeWrapper import Choice, Default, parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        volume: vtkMRMLScalarVolumeNode | None
        radius_mm: float = 2.5
        count: int
        snap: Annotated[bool, Default(True)]
        place: Place
        model: Annotated[str, Choice(["lite", "general"]), Default("lite")]
        folder: pathlib.Path

        def described(self) -> str:
            return f"{self.model} {self.radius_mm}"

    node = slicer_harness.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    return Parameters(node)


def test_fields_have_types_and_defaults(parameters) -> None:
    got = (parameters.volume, parameters.radius_mm, parameters.count, parameters.snap, parameters.place)
    assert got == (None, 2.5, 0, True, Place.WORKER)
    assert parameters.folder == pathlib.Path()
    assert parameters.described() == "lite 2.5"


def test_fields_lie_in_the_node_as_slicer_writes_them(parameters, slicer_harness) -> None:
    volume = slicer_harness.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.volume, parameters.place, parameters.snap = volume, Place.SERVER, False
    node = parameters.parameterNode
    assert node.GetNodeReference("volume") is volume
    assert (node.GetParameter("place"), node.GetParameter("snap")) == ("SERVER", "False")
    slicer_harness.scene.RemoveNode(volume)
    assert parameters.volume is None


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [("count", 2.5, TypeError), ("count", None, ValueError), ("model", "huge", ValueError), ("snap", "yes", TypeError)],
)
def test_values_of_the_wrong_kind_are_refused(parameters, field: str, value: object, error: type) -> None:
    with pytest.raises(error):
        setattr(parameters, field, value)


def test_one_change_tells_observers_once_and_after_it_is_there(parameters) -> None:
    seen = []
    parameters.AddObserver("ModifiedEvent", lambda *_: seen.append(parameters.count))
    parameters.count = 4
    assert seen == [4]


def test_a_type_that_is_not_known_is_refused(slicer_harness) -> None:
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    with pytest.raises(NotImplementedError, match="store no"):

        @parameterNodeWrapper
        class Parameters:
            shape: complex


def test_reserved_names_are_refused(slicer_harness) -> None:
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    with pytest.raises(ValueError, match="reserved name 'default'"):

        @parameterNodeWrapper
        class Parameters:
            default: int


def test_widgets_and_fields_that_slicer_cannot_pair_are_refused(parameters, slicer_harness) -> None:
    import qt

    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        parameters.connectParametersToGui({"snap": qt.QToolButton()})
    with pytest.raises(ValueError, match="Cannot find a param"):
        parameters.connectParametersToGui({"snapp": qt.QCheckBox()})


def test_a_list_of_choices_is_filled_and_follows_both_ways(parameters, slicer_harness) -> None:
    import qt

    models, places, radius = qt.QComboBox(), qt.QComboBox(), qt.QDoubleSpinBox()
    models.addItem("from the .ui file")
    tag = parameters.connectParametersToGui({"model": models, "place": places, "radius_mm": radius})
    assert [models.itemText(i) for i in range(models.count)] == ["lite", "general"]
    models.currentIndex, radius.value = 1, 7.25
    assert (parameters.model, parameters.radius_mm) == ("general", 7.25)
    parameters.place = Place.SERVER
    assert places.currentText == "SERVER"
    parameters.disconnectGui(tag)
    models.currentIndex = 0
    assert parameters.model == "general"


def test_the_user_is_asked_and_the_test_answers(slicer_harness) -> None:
    import slicer

    slicer_harness.dialogs.answers += [True, False, True]
    assert slicer.util.confirmOkCancelDisplay("Install?") is True
    assert slicer.util.confirmOkCancelDisplay("Delete?") is False
    assert slicer.util.confirmYesNoDisplay("Sure?") is True
    slicer.util.warningDisplay("Not SUV.")
    assert [(m.level, m.text) for m in slicer_harness.dialogs.shown] == [
        ("question", "Install?"),
        ("question", "Delete?"),
        ("question", "Sure?"),
        ("warning", "Not SUV."),
    ]
    with pytest.raises(AssertionError, match="the test gave no answer: Again"):
        slicer.util.confirmYesNoDisplay("Again?")


def test_a_modal_box_does_not_wait_for_ever(slicer_harness) -> None:
    import qt

    slicer_harness.dialogs.answers += [qt.QMessageBox.Yes, qt.QMessageBox.No]
    box = qt.QMessageBox()
    box.text = "Sure?"
    assert box.exec_() == qt.QMessageBox.Yes
    assert qt.QMessageBox.question(None, "Title", "Really?") == qt.QMessageBox.No
    assert slicer_harness.dialogs.texts == ["Sure?", "Really?"]


@pytest.mark.parametrize("run", [1, 2])
def test_settings_are_kept_for_the_test_alone(slicer_harness, run: int) -> None:
    import qt
    import slicer

    assert slicer.util.settingsValue("SegAnyPET/server", "none") == "none"
    qt.QSettings().setValue("SegAnyPET/server", "https://pet")
    assert slicer.util.settingsValue("SegAnyPET/server", "none") == "https://pet"


def test_packages_are_asked_for_and_nothing_is_installed(slicer_harness, tmp_path) -> None:
    import slicer.packaging

    (tmp_path / "requirements.txt").write_text("# comment\nnumpy>=2.0\n\nnowhere-to-be-found>=1\n")
    asked = slicer.packaging.load_requirements(tmp_path / "requirements.txt")
    slicer_harness.dialogs.answers += [False, True]
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure(asked, requester="SegAnyPET")
    slicer.packaging.pip_ensure(asked, requester="SegAnyPET")
    slicer.packaging.pip_ensure(asked, requester="SegAnyPET")
    assert slicer_harness.installations.installed == ["nowhere-to-be-found>=1"]


def test_an_installation_fails_where_the_test_says_so(slicer_harness) -> None:
    import slicer

    slicer_harness.installations.fails = True
    with pytest.raises(subprocess.CalledProcessError):
        slicer.util.pip_install("nowhere-to-be-found")


def test_torch_comes_from_its_extension_after_asking(slicer_harness) -> None:
    import PyTorchUtils

    slicer_harness.installations.lacking.add("torch")
    logic = PyTorchUtils.PyTorchUtilsLogic()
    assert not logic.torchInstalled()
    slicer_harness.dialogs.answers += [False, True]
    assert logic.installTorch(askConfirmation=True, torchVersionRequirement=">=2.8") is None
    assert not logic.torchInstalled()
    logic.installTorch(askConfirmation=True, torchVersionRequirement=">=2.8")
    assert logic.torchInstalled()
    assert slicer_harness.installations.installed == ["torch>=2.8"]


def test_the_extension_of_torch_may_be_absent(slicer_harness) -> None:
    slicer_harness.without_pytorch_extension()
    with pytest.raises(ImportError):
        import PyTorchUtils  # noqa: F401


def test_volumes_and_segmentations_are_saved_and_loaded(slicer_harness, tmp_path) -> None:
    import slicer

    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    volume = slicer.util.addVolumeFromArray(values, ijkToRAS=np.diag([-2.0, -3.0, 4.0, 1.0]), name="PET")
    segmentation = slicer_harness.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.GetSegmentation().AddEmptySegment("a", "liver")
    slicer.util.updateSegmentBinaryLabelmapFromArray((values > 20).astype(np.uint8), segmentation, "a", volume)
    assert slicer.util.saveNode(volume, str(tmp_path / "pet.nrrd"))
    assert slicer.util.saveNode(segmentation, str(tmp_path / "lesions.seg.nrrd"))
    slicer_harness.scene.Clear(0)
    loaded = slicer.util.loadVolume(str(tmp_path / "pet.nrrd"))
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(loaded), values)
    segments = slicer.util.loadSegmentation(str(tmp_path / "lesions.seg.nrrd"))
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(segments, segments.GetSegmentation().GetNthSegmentID(0), loaded)
    np.testing.assert_array_equal(mask, values > 20)


def test_there_is_a_main_window_where_the_test_wants_one(slicer_harness) -> None:
    import slicer

    assert slicer.util.mainWindow() is None
    window = slicer_harness.open_main_window()
    assert slicer.util.mainWindow() is window
    panel = slicer_harness.load("HotRegion", TEMPLATE).widget.parent
    assert window.centralWidget() is panel


def test_modules_are_switched(slicer_harness) -> None:
    import slicer

    slicer.util.selectModule("Volumes")
    assert slicer_harness.app.selected_module == "Volumes"


def test_the_wait_cursor_comes_and_goes(slicer_harness) -> None:
    import qt
    import slicer

    with slicer.util.tryWithErrorDisplay("x", waitCursor=True):
        assert qt.QApplication.overrideCursor() is not None
    assert qt.QApplication.overrideCursor() is None
