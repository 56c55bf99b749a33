"""Units of a volume's values."""

from __future__ import annotations

#: Body-weight SUV, g/ml.
SUV_UNITS = "SUVbw"
