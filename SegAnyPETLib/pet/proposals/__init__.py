"""Candidate lesions of a whole scan: hot regions, split into single ones, sorted by how much they look like disease.

A proposal is never a segment until somebody accepts it.
"""
