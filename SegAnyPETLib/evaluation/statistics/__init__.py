"""What many targets say together: intervals over cases, strata, and comparisons with other methods."""
