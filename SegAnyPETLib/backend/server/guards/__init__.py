"""Protection of the server from hostile or broken clients."""
