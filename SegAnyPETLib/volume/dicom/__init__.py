"""The PET series in a folder of DICOM files."""
