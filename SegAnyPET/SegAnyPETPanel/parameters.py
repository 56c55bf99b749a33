"""What the module keeps in the scene."""

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class SegAnyPETParameters:
    """Fields of the parameter node.

    Attributes:
        volume: the PET that is clicked.
        segmentation: where the masks go.
        snap: whether a click means the hottest voxel near it.
    """

    volume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    snap: bool = False
