"""What the module saves in the scene."""

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class SegAnyPETParameters:
    """Fields of the parameter node.

    Attributes:
        volume: the PET that is clicked.
        segmentation: the masks are written to it.
        snap: whether a positive click means the hottest voxel near it.
    """

    volume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    snap: bool = False
