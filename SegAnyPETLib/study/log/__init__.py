"""What a reader did, event by event."""
