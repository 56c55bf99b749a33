"""Series from a PACS and results to it, by DICOMweb."""
