"""A study without readers: robots with a human pace read phantoms."""
