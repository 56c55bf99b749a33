"""The phantom PET in Slicer's module Sample Data: simulated on this computer, so that nothing is downloaded."""

import slicer
import slicer.util

#: The phantom that is made, always the same one.
SEED = 3
NAME = "PhantomPET"
SUV_CODE = "{SUVbw}g/ml"


def registerSampleData(thumbnail):
    """Offer the phantom in the category SegAnyPET.

    Args:
        thumbnail: path of a picture.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SegAnyPET",
        sampleName=NAME,
        thumbnailFileName=thumbnail,
        nodeNames=NAME,
        customDownloader=makePhantom,
    )


def makePhantom(source=None):
    """Simulate a whole-body PET in SUV, without torch, and add it to the scene; about a second.

    Returns:
        The list of the volume node, as Sample Data expects it.
    """
    from SegAnyPETLib.mrml.pet_window import show_as_pet
    from SegAnyPETLib.simulation.phantom import make_phantom

    image = make_phantom(SEED).image
    return [phantomNode(image, show_as_pet)]


def phantomNode(image, show):
    """A volume node of a `Volume` in SUV."""
    node = slicer.util.addVolumeFromArray(image.array_kji, ijkToRAS=image.ijk_to_ras, name=NAME)
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(SUV_CODE, "UCUM", "Standardized Uptake Value body weight")
    node.SetVoxelValueUnits(units)
    show(node)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node
