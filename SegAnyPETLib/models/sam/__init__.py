"""The published SegAnyPET architecture, SAM-Med3D, for the General and Lesion weights."""
