"""Body-weight SUV from the tags of a DICOM PET series."""
