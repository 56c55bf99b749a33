"""The interactive session that every front end drives, and the record by which it is continued."""

from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.state import StepResult

__all__ = ["InteractiveSession", "SavedPrompts", "StepResult"]
