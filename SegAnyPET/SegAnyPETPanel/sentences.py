"""Errors and results as sentences for the user."""

from __future__ import annotations

from slicer.i18n import tr as _

from SegAnyPETLib.mrml.nodes.suv_volume import ReadingNotes
from SegAnyPETLib.mrml.segment_jobs import BatchJob


def sentence(error: BaseException) -> str:
    """Return the message of an error as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def batchSummary(job: BatchJob) -> str:
    """Return what a batch that has run led to: how many lesions, the first failure, and whether it was cancelled."""
    batch = job.batch
    if batch is None:
        raise ValueError("the batch has not run")
    parts = [_("{made} of {all} points became lesions.").format(made=len(batch.made), all=len(job.points))]
    if batch.failures:
        parts.append(sentence(batch.failures[0].error))
    if batch.left:
        parts.append(_("The others were cancelled."))
    return " ".join(parts)


def notesText(found: ReadingNotes) -> str:
    """Return what was doubtful or assumed when a volume was read, one line each, with what it is about."""
    lines = [f"{note.kind.value.capitalize()}: {note.message}" for note in found.notes]
    if found.assumed:
        lines.append(_("Assumed: {what}").format(what="; ".join(found.assumed)))
    return "\n".join(lines)
