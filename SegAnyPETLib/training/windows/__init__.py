"""The windows that a network is trained on: simulated ones, and those of real PET."""
