"""How good the masks are: metrics, a simulated user, baselines, curves and reports."""
