"""What must stand beside every result."""

NOTICE = "Research use only, not a medical device."
