"""The harness is tested with its own fixtures."""

from Testing.slicer_harness.fixtures import *  # noqa: F403
