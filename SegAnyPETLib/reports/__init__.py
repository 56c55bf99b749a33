"""Self-contained HTML pages and figures, one look for all reports."""
