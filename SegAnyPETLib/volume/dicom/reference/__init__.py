"""Masks that others drew of a PET: DICOM RTSTRUCT and DICOM SEG on the PET's grid."""
