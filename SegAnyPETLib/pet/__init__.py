"""What PET values mean: SUV from DICOM tags, quantities of a segment, threshold methods."""
