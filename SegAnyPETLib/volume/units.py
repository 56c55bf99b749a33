"""Units of a volume's values."""

from __future__ import annotations

from typing import Final, Literal

#: What the values of a volume are; empty if it is not known.
Units = Literal["SUVbw", "Bq/ml", ""]

#: Body-weight SUV, g/ml.
SUV_UNITS: Final = "SUVbw"
#: Activity concentration.
BQML_UNITS: Final = "Bq/ml"
