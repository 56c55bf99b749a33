"""Client of a server."""
