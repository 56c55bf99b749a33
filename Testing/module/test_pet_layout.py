"""The layout for reading a PET: slices, a projection, and the CT where there is one."""

import numpy as np
import pytest


@pytest.fixture
def shown(slicer_views, unopened):
    """The small PET in the layout."""
    unopened.add_pet()
    unopened.rest()
    unopened.press("petLayoutButton")
    unopened.rest()
    return unopened


def slice_nodes(user):
    scene = user.harness.scene
    nodes = [
        scene.GetNthNodeByClass(n, "vtkMRMLSliceNode") for n in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode"))
    ]
    return {node.GetLayoutName(): node for node in nodes}


def test_without_a_pet_there_is_nothing_to_lay_out(unopened) -> None:
    unopened.rest()
    assert not unopened.ui.petLayoutButton.enabled


def test_the_layout_has_two_planes_and_a_projection_of_the_whole_pet(shown) -> None:
    from SegAnyPETLib.mrml.nodes.pet_layout import LAYOUT

    assert shown.harness.app.layoutManager().layout == LAYOUT
    nodes = slice_nodes(shown)
    assert nodes["Red"].GetOrientation() == "Axial"
    assert nodes["Green"].GetOrientation() == "Coronal"
    projection = nodes["SegAnyPETProjection"]
    assert projection.GetSlabReconstructionEnabled()
    assert projection.GetSlabReconstructionTypeAsString(projection.GetSlabReconstructionType()) == "Max"
    assert projection.GetSlabReconstructionThickness() == pytest.approx(36 * 4.0)
    assert not nodes["Red"].GetSlabReconstructionEnabled()


def test_no_points_are_placed_in_the_projection(shown) -> None:
    shown.press("positiveButton")
    display, nodes = shown.panel.markups.positive.GetDisplayNode(), slice_nodes(shown)
    assert display.IsDisplayableInView(nodes["Red"].GetID())
    assert not display.IsDisplayableInView(nodes["SegAnyPETProjection"].GetID())


def test_pressing_again_is_no_fault_and_another_layout_may_follow(shown) -> None:
    shown.press("petLayoutButton")
    shown.rest()
    shown.harness.app.layoutManager().setLayout(3)
    assert shown.harness.app.layoutManager().layout == 3


def test_the_pet_lies_over_the_ct_where_there_is_one(slicer_views, unopened) -> None:
    import slicer
    import slicer.util

    ct = slicer.util.addVolumeFromArray(np.zeros((8, 8, 8), np.int16), name="CT")
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning("[hnsf'U]", "UCUM", "Hounsfield unit")
    ct.SetVoxelValueUnits(units)
    pet = unopened.add_pet()
    unopened.rest()
    unopened.press("petLayoutButton")
    unopened.rest()
    composite = slicer_views["Red"].logic.GetSliceCompositeNode()
    assert (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) == (ct.GetID(), pet.GetID())
    assert composite.GetForegroundOpacity() == 0.5
