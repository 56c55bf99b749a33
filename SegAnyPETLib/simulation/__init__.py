"""Simulated bodies, lesions and scanners; no torch."""
