"""The picture of the panel beside the slice views in the README; SEGANYPET_PICTURES=folder keeps it."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.slow

#: A lesion of the phantom of Sample Data, and what lies beside it; RAS mm.
LESION_RAS, BESIDE_RAS = (-72.0, 67.5, -327.0), (-72.0, 90.0, -327.0)
#: Of every view, as wide and as high as the views are.
FIELD_OF_VIEW_MM = (240.0, 180.0)
NAME = "slicer.png"


def grabbed(widget) -> NDArray[np.uint8]:
    """A widget as it looks, (height, width, 3)."""
    import qt

    image = widget.grab().toImage().convertToFormat(qt.QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("SEGANYPET_PICTURES", tmp_path))


def test_the_panel_and_the_views_after_a_click(slicer_views, unopened, folder) -> None:
    from matplotlib.image import imsave
    from SegAnyPETPanel.sample_data import makePhantom

    from Testing.slicer_harness.slice_views import click, ras_to_pixel

    user = unopened
    (volume,) = makePhantom()
    user.ui.volumeSelector.setCurrentNode(volume)
    user.choose("inside")
    user.rest()
    for view in slicer_views.values():
        view.show(volume)
        view.node.SetFieldOfView(*FIELD_OF_VIEW_MM, 1)
        view.node.JumpSliceByCentering(*LESION_RAS)
    before = {name: view.picture() for name, view in slicer_views.items()}
    red = slicer_views["Red"]
    user.press("positiveButton")
    click(red, ras_to_pixel(red, LESION_RAS))
    user.rest()
    user.press("negativeButton")
    click(red, ras_to_pixel(red, BESIDE_RAS))
    user.rest()
    assert user.names() == ["Lesion 1"]
    pictures = {name: view.picture() for name, view in slicer_views.items()}
    assert all((pictures[name] != before[name]).any() for name in pictures)
    user.widget.parent.resize(520, 3 * 300)
    user.harness.app.processEvents()
    panel = grabbed(user.widget.parent)
    views = np.concatenate(list(pictures.values()))
    height = max(len(panel), len(views))
    sides = [np.pad(side, ((0, height - len(side)), (0, 0), (0, 0)), constant_values=255) for side in (panel, views)]
    folder.mkdir(exist_ok=True)
    imsave(folder / NAME, np.concatenate(sides, axis=1))
    assert (folder / NAME).stat().st_size > 10_000
