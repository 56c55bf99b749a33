"""What the user asked for: queued on the GUI thread, run beside it."""
