"""Show unexpected exceptions of slots to the user instead of letting them escape into Qt."""

import functools
from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _


def guarded(slot: Callable[..., object]) -> Callable[..., None]:
    """Wrap a slot so that its exceptions are displayed, with details for a bug report."""

    @functools.wraps(slot)
    def run(*arguments: Any) -> None:
        with slicer.util.tryWithErrorDisplay(_("SegAnyPET could not do that."), waitCursor=False):
            slot(*arguments)

    return run


def guardedTimer(parent: Any, ms: int, slot: Callable[[], object], singleShot: bool = False) -> Any:
    """Make a QTimer, not yet started, that calls a guarded slot.

    Args:
        parent: the widget that owns it.
        ms: its interval.
        slot: called at each timeout.
        singleShot: whether it stops after the first timeout.
    """
    timer = qt.QTimer(parent)
    timer.setSingleShot(singleShot)
    timer.setInterval(ms)
    timer.connect("timeout()", guarded(slot))
    return timer
