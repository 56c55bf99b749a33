"""Results as DICOM objects that refer to the images of the PET, for a PACS. They carry the patient's identifiers."""
