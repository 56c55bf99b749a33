"""Widgets, keys and mouse modes that the panel is made of."""
