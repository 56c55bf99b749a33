"""Messages between client and server."""
