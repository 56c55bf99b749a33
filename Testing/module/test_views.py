"""Mouse clicks in the slice views reach the voxel that is seen there."""

import numpy as np
import pytest

from Testing.module.held_backend import HeldBackend


def rotation(degrees, axis):
    """4x4 rotation about an axis through the origin (Rodrigues)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    angle = np.deg2rad(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


@pytest.fixture
def oblique(slicer_views, unopened):
    """The small PET, oblique with a flipped axis under a rotated transform; its node and its IJK to world."""
    import slicer

    ijk_to_ras = rotation(25, (1, 2, 3)) @ np.diag([-4.0, 4.0, 4.0, 1.0])
    ijk_to_ras[:3, 3] = (60, -40, -50)
    to_world = rotation(-40, (0, 1, 1))
    to_world[:3, 3] = (10, 20, -5)
    node = unopened.add_pet(ijk_to_ras=ijk_to_ras)
    node.CreateDefaultDisplayNodes()
    transform = unopened.harness.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(to_world))
    node.SetAndObserveTransformNodeID(transform.GetID())
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    return node, to_world @ ijk_to_ras


def mouse(user, view, ijk_to_world, index_kji):
    """The user scrolls to a voxel and clicks on it."""
    from Testing.slicer_harness.slice_views import click, ras_to_pixel

    k, j, i = index_kji
    voxel_ras = (ijk_to_world @ [i, j, k, 1])[:3]
    view.jump_to(voxel_ras)
    click(view, ras_to_pixel(view, voxel_ras))
    user.rest()


def clicked_voxels(user, number=0):
    """The voxels (k, j, i) of a segment's clicks, and their signs."""
    volume = user.panel.controller.volumes.volume_of(user.panel.selection.volume)
    return [(tuple(int(n) for n in volume.nearest_kji(ras)), positive) for ras, positive in user.points(number)]


@pytest.mark.parametrize("name", ["Red", "Green", "Yellow"])
@pytest.mark.parametrize("along_volume", [False, True])
def test_a_click_in_a_view_segments_the_voxel_under_the_mouse(
    slicer_views, unopened, oblique, name, along_volume
) -> None:
    volume, ijk_to_world = oblique
    view = slicer_views[name]
    view.show(volume)
    if along_volume:
        view.node.RotateToVolumePlane(volume)
    unopened.press("positiveButton")
    mouse(unopened, view, ijk_to_world, (12, 12, 10))
    assert clicked_voxels(unopened) == [((12, 12, 10), True)]
    assert unopened.mask()[12, 12, 10]
    assert not unopened.mask()[28, 22, 20]


def test_clicks_follow_one_another_in_place_mode_and_points_are_dragged_and_deleted(
    slicer_views, unopened, oblique
) -> None:
    from Testing.slicer_harness.slice_views import drag, ras_to_pixel

    volume, ijk_to_world = oblique
    view = slicer_views["Red"]
    view.show(volume)
    view.node.RotateToVolumePlane(volume)
    unopened.press("positiveButton")
    mouse(unopened, view, ijk_to_world, (12, 12, 10))
    mouse(unopened, view, ijk_to_world, (12, 11, 10))
    unopened.press("negativeButton")
    mouse(unopened, view, ijk_to_world, (12, 12, 12))
    assert not unopened.ui.positiveButton.checked
    assert clicked_voxels(unopened) == [((12, 12, 10), True), ((12, 11, 10), True), ((12, 12, 12), False)]
    assert not unopened.mask()[12, 12, 12]

    unopened.press("negativeButton")
    start, end = (ras_to_pixel(view, (ijk_to_world @ [i, 12, 12, 1])[:3]) for i in (12, 15))
    drag(view, start, end)
    unopened.rest()
    assert clicked_voxels(unopened)[-1] == ((12, 12, 15), False)
    assert unopened.mask()[12, 12, 12]

    unopened.panel.markups.positive.RemoveNthControlPoint(1)
    unopened.rest()
    assert clicked_voxels(unopened) == [((12, 12, 10), True), ((12, 12, 15), False)]


def test_a_refused_click_leaves_no_point_and_the_next_one_works(slicer_views, unopened, oblique) -> None:
    volume, ijk_to_world = oblique
    view = slicer_views["Red"]
    view.show(volume)
    unopened.press("positiveButton")
    mouse(unopened, view, ijk_to_world, (12, 12, -3))
    assert unopened.status == "The point lies outside the PET image; place it inside."
    assert unopened.panel.markups.positive.GetNumberOfDefinedControlPoints() == 0
    assert unopened.segmentation is None
    mouse(unopened, view, ijk_to_world, (12, 12, 10))
    assert clicked_voxels(unopened) == [((12, 12, 10), True)]
    assert unopened.panel.markups.positive.GetNumberOfDefinedControlPoints() == 1
