"""Convert between Slicer's scene and the library's types; no Qt.

A `Volume` lives in the RAS frame of its volume node, not in the world: a transform above the node moves neither the
voxels that the model sees nor the segment. Points and masks live in the same frame; what the user places in the world
is converted on its way in; see `SegAnyPETLib.mrml.nodes.frames`.
"""
