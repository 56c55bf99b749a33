"""The `Backend` protocol and its implementations."""
