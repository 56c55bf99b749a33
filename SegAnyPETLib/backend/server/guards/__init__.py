"""What protects the server from hostile or broken clients."""
