"""The `Backend` protocol and what lies behind it."""
