"""Single nodes, segments' images and points: converted to and from the library's types, and how they look."""
