"""The interactive session that every front end drives."""
