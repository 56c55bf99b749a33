"""What is wrong with the program itself is shown to the user, and ends where it began."""

import functools

import slicer
from slicer.i18n import tr as _


def guarded(slot):
    """A slot whose unforeseen errors are shown, with their details for a report."""

    @functools.wraps(slot)
    def run(*arguments):
        with slicer.util.tryWithErrorDisplay(_("SegAnyPET could not do that."), waitCursor=False):
            slot(*arguments)

    return run
