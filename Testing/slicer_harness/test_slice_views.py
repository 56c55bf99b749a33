"""A click at a pixel of a slice view lands where the view shows that pixel, and on the voxel that is shown there."""

import numpy as np
import pytest

SHAPE = (24, 30, 36)


def rotation(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    """4x4 rotation about an axis through the origin (Rodrigues)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    angle = np.deg2rad(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


@pytest.fixture
def oblique_volume(slicer_harness):
    """4 x 3 x 5 mm, oblique, one axis flipped, under a rotated transform; its node and its IJK to world."""
    import slicer

    ijk_to_ras = rotation(25, (1, 2, 3)) @ np.diag([-4.0, 3.0, 5.0, 1.0])
    ijk_to_ras[:3, 3] = (60, -40, -50)
    to_world = rotation(-40, (0, 1, 1))
    to_world[:3, 3] = (10, 20, -5)
    values = np.zeros(SHAPE, np.float32)
    values[10:14, 12:18, 15:22] = 8
    values[9:15, 3:6, 4:8] = 8
    volume = slicer.util.addVolumeFromArray(values, ijkToRAS=ijk_to_ras, name="PET")
    volume.CreateDefaultDisplayNodes()
    transform = slicer_harness.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(to_world))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    return volume, to_world @ ijk_to_ras


@pytest.fixture
def fiducials(slicer_harness):
    """The list of points that a click in place mode goes to."""
    import slicer

    node = slicer_harness.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "clicks")
    node.CreateDefaultDisplayNodes()
    logic = slicer.modules.markups.logic()
    logic.SetActiveList(node)
    logic.StartPlaceMode(True)
    return node


def last_point_ras(fiducials) -> np.ndarray:
    return np.array(fiducials.GetNthControlPointPositionWorld(fiducials.GetNumberOfDefinedControlPoints() - 1))


@pytest.mark.parametrize("name", ["Red", "Green", "Yellow"])
@pytest.mark.parametrize("view_follows_volume", [False, True])
def test_a_place_click_lands_where_the_slice_node_says(
    slicer_views, oblique_volume, fiducials, name: str, view_follows_volume: bool
) -> None:
    from Testing.slicer_harness.slice_views import click, pixel_to_ras, ras_to_pixel

    volume, ijk_to_world = oblique_volume
    view = slicer_views[name]
    view.show(volume)
    if view_follows_volume:
        view.node.RotateToVolumePlane(volume)
    voxel_ras = (ijk_to_world @ [17, 14, 11, 1])[:3]
    view.jump_to(voxel_ras)
    pixel = ras_to_pixel(view, voxel_ras)
    half_a_pixel_mm = np.linalg.norm(pixel_to_ras(view, (0.5, 0.5)) - pixel_to_ras(view, (0, 0)))
    assert np.linalg.norm(pixel_to_ras(view, pixel) - voxel_ras) <= half_a_pixel_mm
    click(view, pixel)
    clicked_ras = last_point_ras(fiducials)
    np.testing.assert_allclose(clicked_ras, pixel_to_ras(view, pixel), atol=1e-6)
    index_ijk = np.linalg.solve(ijk_to_world, [*clicked_ras, 1])[:3]
    assert np.rint(index_ijk).tolist() == [17, 14, 11]


def test_clicks_without_place_mode_place_nothing(slicer_views, oblique_volume, fiducials) -> None:
    import slicer

    from Testing.slicer_harness.slice_views import click

    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    slicer_views["Red"].show(oblique_volume[0])
    click(slicer_views["Red"], (200, 150))
    assert fiducials.GetNumberOfDefinedControlPoints() == 0


def test_a_point_is_dragged_with_the_mouse(slicer_views, oblique_volume, fiducials) -> None:
    import slicer

    from Testing.slicer_harness.slice_views import click, drag, pixel_to_ras

    view = slicer_views["Red"]
    view.show(oblique_volume[0])
    click(view, (200, 150))
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    drag(view, (200, 150), (240, 170))
    np.testing.assert_allclose(last_point_ras(fiducials), pixel_to_ras(view, (240, 170)), atol=1e-6)


def test_what_is_bright_in_the_volume_is_bright_in_the_picture_at_its_pixel(slicer_views, oblique_volume) -> None:
    from Testing.slicer_harness.slice_views import ras_to_pixel

    volume, ijk_to_world = oblique_volume
    hot_ras, cold_ras = ((ijk_to_world @ [*ijk, 1])[:3] for ijk in ((6, 4, 12), (6, 25, 12)))
    view = slicer_views["Red"]
    view.show(volume)
    view.node.RotateToVolumePlane(volume)
    view.jump_to(hot_ras)
    picture = view.picture()
    height, width, _ = picture.shape
    assert view.node.GetDimensions()[:2] == (width, height) == view.size
    (hot_x, hot_y), (cold_x, cold_y) = ras_to_pixel(view, hot_ras), ras_to_pixel(view, cold_ras)
    assert picture[height - 1 - hot_y, hot_x].min() > 200
    assert picture[height - 1 - cold_y, cold_x].max() < 50


def test_layers_and_fit_are_set_as_by_any_module(slicer_views, oblique_volume) -> None:
    import slicer

    volume, ijk_to_world = oblique_volume
    slicer.util.setSliceViewerLayers(background=volume, fit=True, rotateToVolumePlane=True)
    view = slicer_views["Yellow"]
    assert view.logic.GetSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID()
    normal = slicer.util.arrayFromVTKMatrix(view.node.GetSliceToRAS())[:3, 2]
    axes = ijk_to_world[:3, :3] / np.linalg.norm(ijk_to_world[:3, :3], axis=0)
    assert np.isclose(np.abs(normal @ axes), 1).sum() == 1
    view.node.SetFieldOfView(1, 1, 1)
    slicer.util.resetSliceViews()
    assert view.node.GetFieldOfView()[0] > 50


@pytest.mark.slow
def test_the_views_make_a_picture(slicer_views, oblique_volume, fiducials, tmp_path) -> None:
    import slicer

    from Testing.slicer_harness.slice_views import click, ras_to_pixel, save_pictures

    volume, ijk_to_world = oblique_volume
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    segment = segmentation.GetSegmentation().AddEmptySegment("", "lesion", (1, 0, 0))
    mask = (slicer.util.arrayFromVolume(volume) > 4).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment, volume)
    hot_ras = (ijk_to_world @ [18, 15, 12, 1])[:3]
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    for view in slicer_views.values():
        view.jump_to(hot_ras)
    click(slicer_views["Red"], ras_to_pixel(slicer_views["Red"], hot_ras))
    save_pictures(slicer_views, tmp_path / "views.png")
    red = slicer_views["Red"].picture().astype(int)
    reddish = red[..., 0] - red[..., 1:].max(axis=-1) > 60
    assert 100 < reddish.sum() < red[..., 0].size / 4
    assert (tmp_path / "views.png").stat().st_size > 1000
