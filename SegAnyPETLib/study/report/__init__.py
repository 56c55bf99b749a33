"""The report of a study: a page, its figures, and its tables as CSV."""
