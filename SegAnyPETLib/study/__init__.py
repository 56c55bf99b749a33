"""Reader studies of annotation: plan, event log, times, statistics, report."""
