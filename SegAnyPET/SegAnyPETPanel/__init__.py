"""The panel of the SegAnyPET module; Slicer does not look for modules in this folder."""
