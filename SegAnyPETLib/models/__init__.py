"""Networks, their specifications and weights, and the engine that runs them."""
