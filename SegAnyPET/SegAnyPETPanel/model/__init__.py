"""The model behind the panel: which one, where it runs, and what it needs."""
