"""Networks, their specifications and weights, and the engine that runs them. Importing this room loads torch."""
