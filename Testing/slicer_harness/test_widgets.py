"""Doubles of CTK's and Slicer's widgets, over the real scene."""

import numpy as np
import pytest


@pytest.fixture
def scene(slicer_harness):
    return slicer_harness.scene


@pytest.fixture
def box(scene):
    """A selector of scalar volumes that has heard nothing yet."""
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made.setMRMLScene(scene)
    yield made
    made.delete()


@pytest.fixture
def heard(box) -> list:
    said: list = []
    box.connect("currentNodeChanged(vtkMRMLNode*)", said.append)
    return said


def volume(scene, name: str = "PET"):
    return scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def test_the_first_node_is_chosen_by_itself(box, heard, scene) -> None:
    pet = volume(scene)
    volume(scene, "CT")
    assert box.currentNode() is pet
    assert heard == [pet]
    assert box.nodeCount() == 2


def test_with_none_nothing_is_chosen_by_itself(box, heard, scene) -> None:
    box.noneEnabled = True
    pet = volume(scene)
    assert box.currentNode() is None
    box.setCurrentNode(pet)
    box.setCurrentNode(None)
    assert heard == [pet, None]


def test_nothing_chosen_stays_so_when_nodes_come(box, scene) -> None:
    volume(scene)
    box.setCurrentNode(None)
    volume(scene, "CT")
    assert box.currentNode() is None


def test_the_chosen_node_stays_when_others_come_and_go(box, heard, scene) -> None:
    other, pet = volume(scene, "CT"), volume(scene)
    box.setCurrentNode(pet)
    heard.clear()
    scene.RemoveNode(other)
    volume(scene, "MR")
    assert box.currentNode() is pet
    assert heard == []


def test_a_removed_node_gives_way_to_another(box, heard, scene) -> None:
    pet, ct = volume(scene), volume(scene, "CT")
    heard.clear()
    scene.RemoveNode(pet)
    assert box.currentNode() is ct
    assert heard == [ct]


def test_a_closed_scene_leaves_nothing_and_says_it_once(box, heard, scene) -> None:
    volume(scene)
    volume(scene, "CT")
    heard.clear()
    scene.Clear(0)
    assert heard == [None]


def test_derived_classes_are_shown_unless_they_are_not_wanted(box, scene) -> None:
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert box.currentNode() is labels
    box.showChildNodeTypes = False
    assert box.nodeCount() == 0
    box.showChildNodeTypes = True
    box.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert box.nodeCount() == 0


def test_hidden_nodes_and_nodes_without_the_attribute_are_not_listed(box, scene) -> None:
    pet, hidden = volume(scene), scene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
    hidden.SetHideFromEditors(True)
    scene.AddNode(hidden)
    assert box.nodeCount() == 1
    box.addAttribute("vtkMRMLScalarVolumeNode", "Modality", "PT")
    assert box.nodeCount() == 0
    pet.SetAttribute("Modality", "PT")
    box.addNode()
    assert box.nodeCount() == 2
    assert box.currentNode().GetAttribute("Modality") == "PT"


def test_the_user_chooses_with_the_keyboard(box, heard, scene) -> None:
    import qt

    volume(scene)
    ct = volume(scene, "CT")
    box.show()
    qt.QTest.keyClick(box.findChild(qt.QComboBox), qt.Qt.Key_Down)
    assert heard[-1] is ct


def test_what_slicer_lacks_the_double_lacks_too(box) -> None:
    for name in ("setNodeTypes", "setNoneEnabled", "nodes", "currentIndex"):
        with pytest.raises(AttributeError):
            getattr(box, name)


def test_a_section_folds_by_its_head_and_keeps_what_was_hidden_in_it(slicer_harness) -> None:
    import ctk
    import qt

    section, heard = ctk.ctkCollapsibleButton("Model"), []
    section.connect("contentsCollapsed(bool)", heard.append)
    layout = qt.QVBoxLayout(section)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.hide()
    section.show()
    section.adjustSize()
    qt.QTest.mouseClick(section, qt.Qt.LeftButton, qt.Qt.NoModifier, qt.QPoint(20, 8))
    assert section.collapsed
    assert (shown.visible, hidden.visible) == (False, False)
    section.collapsed = False
    assert (shown.visible, hidden.visible) == (True, False)
    assert heard == [True, False]
    section.delete()


def test_a_panel_with_an_unknown_widget_is_refused(slicer_harness, tmp_path) -> None:
    import slicer

    panel = tmp_path / "panel.ui"
    panel.write_text(
        '<ui version="4.0"><class>P</class><widget class="QWidget" name="P"/><customwidgets><customwidget>'
        "<class>ctkUnheardOf</class><extends>QWidget</extends><header>x.h</header></customwidget></customwidgets></ui>"
    )
    with pytest.raises(NotImplementedError, match="no double of ctkUnheardOf"):
        slicer.util.loadUI(str(panel))


@pytest.fixture
def editor(scene):
    """The Segment Editor over two segments of a 3x3x3 volume."""
    import slicer

    pet = slicer.util.addVolumeFromArray(np.zeros((3, 3, 3), np.float32))
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    for name in ("one", "two"):
        segmentation.GetSegmentation().AddEmptySegment(name, name)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMRMLScene(scene)
    widget.setMRMLSegmentEditorNode(node)
    widget.setSegmentationNode(segmentation)
    widget.setSourceVolumeNode(pet)
    yield widget
    widget.delete()


def paint(editor, segment_id: str) -> None:
    """All voxels of the segment, as one step of undo."""
    import slicer

    editor.saveStateForUndo()
    ones = np.ones((3, 3, 3), np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        ones, editor.segmentationNode(), segment_id, editor.sourceVolumeNode()
    )


def voxels(editor, segment_id: str) -> int:
    import slicer

    segmentation, pet = editor.segmentationNode(), editor.sourceVolumeNode()
    return int(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, pet).sum())


def test_the_editor_undoes_and_redoes_in_the_real_segmentation(editor) -> None:
    paint(editor, "one")
    assert voxels(editor, "one") == 27
    editor.undo()
    assert voxels(editor, "one") == 0
    editor.redo()
    assert voxels(editor, "one") == 27


def test_the_editor_keeps_as_many_states_as_it_is_told_the_present_one_among_them(editor, vtk_messages) -> None:
    editor.maximumNumberOfUndoStates = 2
    assert editor.maximumNumberOfUndoStates == 2
    for segment_id in ("one", "two"):
        paint(editor, segment_id)
    editor.undo()
    assert (voxels(editor, "one"), voxels(editor, "two")) == (27, 0)
    editor.undo()
    assert voxels(editor, "one") == 27
    assert "no previous state" in vtk_messages.pop()


def test_the_editor_says_what_was_selected(editor) -> None:
    heard = []
    editor.connect("currentSegmentIDChanged(QString)", heard.append)
    editor.setCurrentSegmentID("two")
    assert editor.currentSegmentID() == "two"
    editor.mrmlSegmentEditorNode().SetSelectedSegmentID("one")
    assert heard == ["two", "one"]
    editor.selectNextSegment()
    assert editor.currentSegmentID() == "two"


def test_a_new_segmentation_brings_its_volume_and_its_first_segment(editor, scene) -> None:
    import slicer

    pet = slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), np.float32))
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    segmentation.GetSegmentation().AddEmptySegment("liver", "liver")
    editor.setSegmentationNode(segmentation)
    assert editor.sourceVolumeNode() is pet
    assert editor.currentSegmentID() == "liver"


def test_an_effect_ends_the_placing_of_points(editor, scene) -> None:
    import slicer

    slicer.modules.markups.logic().StartPlaceMode(True)
    editor.setActiveEffectByName("Paint")
    interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform


def test_the_source_volume_is_shown_unless_the_module_forbids_it(editor, slicer_views, scene) -> None:
    composite = slicer_views["Red"].logic.GetSliceCompositeNode()
    pet, ct = editor.sourceVolumeNode(), volume(scene, "CT")
    editor.setSourceVolumeNode(ct)
    assert composite.GetBackgroundVolumeID() == ct.GetID()
    editor.autoShowSourceVolumeNode = False
    editor.setSourceVolumeNode(pet)
    assert composite.GetBackgroundVolumeID() == ct.GetID()


def test_the_editor_knows_effects_by_name(editor) -> None:
    editor.setActiveEffectByName("Paint")
    assert editor.activeEffect().name == "Paint"
    editor.setActiveEffectByName("")
    assert editor.activeEffect() is None


def test_the_editor_takes_its_keys_and_gives_them_back(editor) -> None:
    import qt

    paint(editor, "one")
    window = qt.QWidget()
    editor.installKeyboardShortcuts(window)
    taken = {shortcut.key.toString() for shortcut in window.findChildren(qt.QShortcut)}
    assert {"Z", "Ctrl+Z", "Y", "1", "Shift+1", "Space", "Esc", "I", "Q", "W"} <= taken
    window.show()
    window.activateWindow()
    qt.QTest.qWaitForWindowActive(window)
    qt.QTest.keyClick(window, qt.Qt.Key_Z)
    assert voxels(editor, "one") == 0
    editor.uninstallKeyboardShortcuts()
    assert window.findChildren(qt.QShortcut) == []
    window.delete()


def test_the_editor_lacks_what_slicer_lacks(editor) -> None:
    for name in ("canUndo", "logic", "segmentationHistory"):
        with pytest.raises(AttributeError):
            getattr(editor, name)
