"""SegAnyPET-Lite, the small model whose weights are bundled."""
