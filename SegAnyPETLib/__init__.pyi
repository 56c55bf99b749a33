from SegAnyPETLib.backend.in_process import load_backend as load_backend
from SegAnyPETLib.errors import InputError as InputError
from SegAnyPETLib.errors import SegAnyPETError as SegAnyPETError
from SegAnyPETLib.pet.quantities import quantities as quantities
from SegAnyPETLib.pet.reading import read_pet as read_pet
from SegAnyPETLib.prompts import MaskPrompt as MaskPrompt
from SegAnyPETLib.prompts import Point as Point
from SegAnyPETLib.session.session import InteractiveSession as InteractiveSession
from SegAnyPETLib.volume.io import read_labels as read_labels
from SegAnyPETLib.volume.segmentation import Segment as Segment
from SegAnyPETLib.volume.segmentation import read_segmentation as read_segmentation
from SegAnyPETLib.volume.segmentation import write_mask as write_mask
from SegAnyPETLib.volume.volume import Volume as Volume

__version__: str
