"""How long a reader worked, from his log."""
