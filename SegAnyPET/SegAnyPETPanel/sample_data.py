"""The phantom PET in Slicer's module Sample Data: simulated on this computer, so that nothing is downloaded."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

#: Seed of the phantom, always the same one.
SEED = 3
NAME = "PhantomPET"
SUV_CODE = "{SUVbw}g/ml"


def registerSampleData(thumbnail: str) -> None:
    """Offer the phantom in the category SegAnyPET.

    Args:
        thumbnail: path of a picture.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SegAnyPET",
        sampleName=NAME,
        thumbnailFileName=thumbnail,
        uris="",  # nothing is downloaded, but Slicer takes the lengths of these three
        fileNames=NAME,
        nodeNames=NAME,
        customDownloader=makePhantom,
    )


def makePhantom(source: Any = None) -> list[Any]:
    """Simulate a whole-body PET in SUV, without torch, and add it to the scene; about a second.

    Returns:
        A list of the volume node, as Sample Data expects it.
    """
    from SegAnyPETLib.mrml.nodes.pet_window import show_as_pet
    from SegAnyPETLib.simulation.phantom import make_phantom

    image = make_phantom(SEED).image
    node = slicer.util.addVolumeFromArray(image.array_kji, ijkToRAS=image.ijk_to_ras, name=NAME)
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(SUV_CODE, "UCUM", "Standardized Uptake Value body weight")
    node.SetVoxelValueUnits(units)
    show_as_pet(node)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return [node]
