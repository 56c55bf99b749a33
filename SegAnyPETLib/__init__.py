"""Promptable segmentation of whole-body PET.

Importing this package alone loads neither torch nor Slicer nor Qt.
"""

__version__ = "0.2.0"
