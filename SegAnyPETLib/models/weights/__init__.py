"""Weights by name: where they come from, where they are stored, which are trusted; no torch."""
