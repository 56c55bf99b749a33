"""Geometry: volumes, windows, sampling both ways, reading and writing."""
