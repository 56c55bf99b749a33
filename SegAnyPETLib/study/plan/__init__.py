"""What a study fixes before its first reading."""
