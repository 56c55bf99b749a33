"""Deployments and tasks on a Ray cluster (experimental)."""
