"""Networks, their specifications and weights by name, and the engine that runs them."""
