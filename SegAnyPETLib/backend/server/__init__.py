"""Inference server: one application around the engines, wherever it runs."""
