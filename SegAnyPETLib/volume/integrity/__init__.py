"""Faults of image files that ITK reads over in silence, format by format."""
