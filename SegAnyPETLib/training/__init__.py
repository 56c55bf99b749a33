"""Simulated PET, datasets, click simulation, losses and trainers."""
