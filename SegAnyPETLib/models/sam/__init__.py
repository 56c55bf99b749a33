"""The published SegAnyPET architecture: SAM-Med3D, which the General and Lesion weights run in."""
