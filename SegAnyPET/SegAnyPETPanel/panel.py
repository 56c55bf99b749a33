"""The panel: turn what the user does into jobs of the controller, and their results into what the user sees.

The scene holds the state. The panel keeps which segment is selected; the `ActionQueue` keeps what waits and what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.editor import SegmentEditor, editor_node
from SegAnyPETLib.mrml.nodes.points import points_of
from SegAnyPETLib.mrml.nodes.prompt_markups import PromptMarkups
from SegAnyPETLib.mrml.nodes.terminology import KINDS, SegmentKind
from SegAnyPETLib.mrml.segment_jobs import BatchJob, ClickContext, Job
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.target_list import Failure
from SegAnyPETPanel.actions.action_queue import ActionQueue
from SegAnyPETPanel.actions.click_jobs import ClickJobs
from SegAnyPETPanel.actions.errand import Errand
from SegAnyPETPanel.actions.runner import Runner
from SegAnyPETPanel.guard import guardedTimer
from SegAnyPETPanel.model.choice import savedChoice
from SegAnyPETPanel.model.control import ModelControl
from SegAnyPETPanel.model.cpu_fallback import isDeviceError
from SegAnyPETPanel.model.model import Model
from SegAnyPETPanel.numbers import Numbers
from SegAnyPETPanel.panel_view import PanelView
from SegAnyPETPanel.selection import Selection
from SegAnyPETPanel.sentences import batchSummary, sentence
from SegAnyPETPanel.suv_section import SuvSection
from SegAnyPETPanel.thread_logs import ThreadLogs
from SegAnyPETPanel.views.connections import connect
from SegAnyPETPanel.views.editor_widget import EditorSegment, EditorWidgetHistory, makeEditorWidget
from SegAnyPETPanel.views.pet_views import showPet
from SegAnyPETPanel.views.placing import Placing
from SegAnyPETPanel.views.row_actions import RowActions
from SegAnyPETPanel.views.scene_watch import SceneWatch
from SegAnyPETPanel.views.shortcuts import Shortcuts
from SegAnyPETPanel.views.target_table import selectedId

#: Delay after which changes of the scene are shown, in ms: a single edit causes several events.
SETTLE_MS = 100


class Panel:
    """Connects the widgets of the .ui file with the scene.

    Args:
        ui: the widgets by name.
        parent: the module's widget.
        model: the model to begin with; by default the one that the user chose last.

    Attributes:
        selection: the nodes and the segment that clicks go to.
        queue: what the user asked for.
        models: the model that clicks go to.
        view: the widgets that only show something.
    """

    def __init__(self, ui: Any, parent: Any, model: Model | None = None) -> None:
        self.ui = ui
        self.selection = Selection()
        self.markups = PromptMarkups(slicer.mrmlScene)
        self.placing = Placing()
        self.editorWidget = makeEditorWidget(ui.editorButton.layout())
        self.shortcuts = Shortcuts(ui, self.onEscape)
        self._editorSegment = EditorSegment(self.editorWidget, self.onTargetChosen)
        history = EditorWidgetHistory(self.editorWidget)
        editor = SegmentEditor(slicer.mrmlScene, slicer.app.applicationLogic(), editor_node(slicer.mrmlScene), history)
        self.controller = Controller(editor)
        self._shownNodes: tuple[Any, Any] = (None, None)
        self._refreshTimer = guardedTimer(parent, SETTLE_MS, self.refresh, singleShot=True)
        self._numbers = Numbers(ui, parent, self.refresh, lambda text: self.view.setStatus(text))
        self.view = PanelView(
            ui, self.controller, history, self.markups, self.placing, self._numbers, self._refreshTimer.start
        )
        self._pointsTimer = guardedTimer(parent, 0, self.queuePointChanges, singleShot=True)
        self._watch = SceneWatch(self._refreshTimer.start, self._pointsTimer.start, self.view.showPlacing)
        self._logs = ThreadLogs(parent)
        self.queue = ActionQueue(Runner(parent), model or Model(savedChoice()), self)
        self.models = ModelControl(ui, self.queue, self.view.setStatus)
        self._rowActions = RowActions(ui, self.controller, self.selection, self._queueStep)
        self.view.showRowActions = self._rowActions.showEnabled
        self._suv = SuvSection(ui, self.selection, self.queue, self.view.setStatus)
        connect(ui, self)

    @property
    def settled(self) -> bool:
        """Whether nothing runs, waits or is still to be shown."""
        waits = self._refreshTimer.active or self._pointsTimer.active or self._numbers.busy
        return self.queue.idle and not waits

    # What the user does

    def onPlace(self, positive: bool, on: bool) -> None:
        """Start or stop placing points: the button for positive or for negative ones was pressed or released."""
        if on:
            self._startPlacing(positive)
        else:
            self.placing.stop()

    def onEscape(self) -> None:
        """Stop placing points, and leave the editor's effect."""
        self.placing.stop()
        self.editorWidget.setActiveEffect(None)

    def onSliceViewAdded(self) -> None:
        """Let points be placed in a slice view that another layout brought."""
        self.markups.show_in_slices()

    def onNextLesion(self) -> None:
        """Let the next positive click begin another lesion."""
        self.queuePointChanges()
        self.queue.push(lambda: self._select(None), needsModel=False)
        self._startPlacing(positive=True)

    def onRefine(self) -> None:
        """Let the model refine the selected segment."""
        self.queuePointChanges()
        self.queue.push(lambda: self._jobs().refine())

    def onResize(self, larger: bool) -> None:
        """Take the next larger or smaller mask that the click may mean, without another click."""
        self.queuePointChanges()
        self.queue.push(lambda: self._jobs().resize(larger))

    def onUndo(self) -> None:
        """Take the last step back, click and mask together."""
        self._queueStep(self.controller.editor.history.undo)

    def onRedo(self) -> None:
        """Repeat what was taken back."""
        self._queueStep(self.controller.editor.history.redo)

    def onCancel(self) -> None:
        """Cancel what runs, and drop what waits."""
        self.view.setStatus(_("Cancelling ..."))
        self.queue.cancel()

    def onUseFiducials(self) -> None:
        """Make one lesion of every point in the chosen list."""
        node = self.ui.fiducialSelector.currentNode()
        if node is None:
            self.view.setStatus(_("Choose a list of points first."))
            return
        self.queuePointChanges()
        self._pushBatch(lambda context: list(points_of(node, context.volume_node).values()))

    def onRowSelected(self) -> None:
        """Send clicks to the segment of the selected row, and look at it."""
        segmentId = selectedId(self.ui.targetTable)
        if segmentId is not None and segmentId != self.selection.segmentId:
            self.onTargetChosen(segmentId)
            self.selection.lookAt(segmentId)

    def onTargetChosen(self, segmentId: str) -> None:
        """Send clicks to a segment that was chosen in the list or in the editor."""
        self.queuePointChanges()
        self.queue.push(lambda: self._select(segmentId), needsModel=False)

    def queuePointChanges(self) -> None:
        """Queue what the user placed, dragged or deleted in the views, in its order."""
        self._followSegments()
        context = self.selection.context()
        if context is not None:
            for change in self.markups.collect_changes(context.volume_node):
                self.queue.push(lambda change=change: self._jobs(create=True).change(change, self._snap))  # type: ignore[misc]

    # The scene

    def setParameters(self, parameters: Any | None) -> None:
        """Work on a parameter node, or on none while a scene closes."""
        self.selection.parameters = parameters
        if parameters is None:
            self._watch.end()
        else:
            self.onSceneChanged()

    def forgetScene(self) -> None:
        """Drop everything tied to the closing scene; the result of a running job will be dropped."""
        self.queue.cancel()
        self.placing.stop()
        self.editorWidget.setActiveEffect(None)
        self.editorWidget.setSegmentationNode(None)
        self.editorWidget.removeViewObservations()
        self.controller.forget()
        self.view.forgetScene()
        self._shownNodes = (None, None)
        self.selection.forgetScene()

    def onSceneChanged(self) -> None:
        """Follow the parameter node: another volume, segmentation or setting."""
        context = self.selection.context()
        nodes = (None, None) if context is None else (context.volume_node, context.segmentation)
        if nodes != self._shownNodes:
            self._followNodes(*nodes)
        self._refreshTimer.start()

    def observeViews(self) -> None:
        """Let the editor observe the views, which it does not while a scene closes."""
        self.editorWidget.setupViewObservations()

    def enter(self) -> None:
        """Observe the views and take the keys: the user came to the module."""
        self.observeViews()
        window = slicer.util.mainWindow()
        if window is not None:
            self.shortcuts.silence()
            self.editorWidget.installKeyboardShortcuts(window)
            self.shortcuts.install()

    def exit(self) -> None:
        """Give views and keys back: the user left the module. A running job goes on."""
        self.placing.stop()
        self.editorWidget.setActiveEffect(None)
        self.shortcuts.remove()
        self.editorWidget.uninstallKeyboardShortcuts()
        self.editorWidget.removeViewObservations()

    def close(self) -> None:
        """Release everything: the module's widget is being destroyed."""
        self._watch.end()
        self._refreshTimer.stop()
        self._pointsTimer.stop()
        self.queue.close()
        self._numbers.close()
        self._logs.close()

    # Callbacks of the queue

    def onStarting(self) -> None:
        """Install what the model needs."""
        self.view.setStatus(_("Starting the model ..."))
        self._showEnabled()
        self.models.prepare()

    def onStarted(self) -> None:
        """Show that the model is ready."""
        self.view.setStatus(_("The model is ready."))
        self.models.show()

    def onBusy(self, job: Job | BatchJob | Errand | None) -> None:
        """Show that the model is at work."""
        if job is not None:
            self.view.setStatus(getattr(job, "note", "") or _("The model is at work ..."))
        self._showEnabled()

    def onPoll(self) -> None:
        """Show the progress, and write the lesions of a batch that are ready."""
        job, model = self.queue.job, self.models.model
        self.view.showProgress(job)
        if isinstance(job, BatchJob):
            with self._editorSegment.paused():
                self.controller.write_next(job, self._kind)
            if not job.stopped:
                self.view.setStatus(_("{done} of {all} points ...").format(done=job.done, all=len(job.points)))
        elif job is None and model.progress:
            self.view.setStatus(_("Starting the model: {state}").format(state=model.progress))
        self._showEnabled()

    def onFinished(self, job: Job | BatchJob | Errand) -> None:
        """Write the result of a job."""
        if isinstance(job, Errand):
            job.finish()
            return
        ids: list[str] | None
        with self._editorSegment.paused():
            if isinstance(job, BatchJob):
                ids, status = self.controller.finish_each(job, self._kind), batchSummary(job)
            else:
                written, status = self.controller.finish(job, self._kind), _("Done.")
                ids = None if written is None else [written]
        if ids is None:
            status = _("The scene was changed meanwhile; the model's answer was dropped.")
        self.view.setStatus(status)
        if ids:
            self.selection.keepSegmentation()
            self._select(ids[-1])
        self.selection.removeUnusedSegmentation()
        if ids is not None and isinstance(job, BatchJob) and job.batch is not None:
            self._repeatOnCpu(job.batch.failures)

    def onFailed(self, error: BaseException, job: Job | BatchJob | Errand | None) -> None:
        """Show why a job failed; if the device is the reason, offer the CPU."""
        self.selection.removeUnusedSegmentation()
        if not isinstance(error, SegAnyPETError):
            self.view.setStatus(_("SegAnyPET could not do that."))
            raise error
        self.view.setStatus(sentence(error))
        self.models.show()
        if isDeviceError(error, self.models.model.choice) and self.models.agreesToCpu(error):
            self.queue.repeat()

    def onIdle(self) -> None:
        """Show the scene: nothing waits."""
        self.refresh()

    # Actions, called by the queue when their turn comes

    def _startPlacing(self, positive: bool) -> None:
        self.markups.show_in_slices()
        self.placing.start(self.markups.positive if positive else self.markups.negative)

    def _jobs(self, create: bool = False) -> ClickJobs:
        context, backend = self.selection.context(create), self.models.model.backend
        if context is None or backend is None:
            raise InputError(_("Choose a PET."))
        return ClickJobs(self.controller, context, self.selection.segmentId, backend)

    def _pushBatch(self, points: Callable[[ClickContext], Sequence[Point]]) -> None:
        self.queue.push(lambda: self._jobs(create=True).batch(points, self._snap))

    def _queueStep(self, change: Callable[[], None]) -> None:
        self.queuePointChanges()
        self.queue.push(lambda: self._step(change), needsModel=False)

    def _step(self, change: Callable[[], None]) -> None:
        before = self.selection.segmentIds()
        change()
        returned = [segmentId for segmentId in self.selection.segmentIds() if segmentId not in before]
        if returned:
            self._select(returned[-1])
        self.view.setStatus("")

    def _holdEditor(self) -> None:
        """Give the editor back what the panel works on: its selectors choose by themselves when the scene changes."""
        volume, segmentation = self._shownNodes
        if not self.controller.editor.edits(segmentation, volume):
            with self._editorSegment.paused():
                self.controller.editor.select(segmentation, volume)
            if self.selection.segmentId is not None:
                self._editorSegment.show(self.selection.segmentId)

    def _followSegments(self) -> None:
        came = self.selection.followSegments()
        if came is not None:
            self._editorSegment.show(came)

    def _select(self, segmentId: str | None) -> None:
        self.selection.segmentId = segmentId
        if segmentId is not None:
            self._editorSegment.show(segmentId)
        else:
            self.view.setStatus(_("Click in the next lesion."))
        self._refreshTimer.start()

    # Consequences

    def _followNodes(self, volume: Any | None, segmentation: Any | None) -> None:
        previous, self._shownNodes = self._shownNodes, (volume, segmentation)
        created = previous[0] is volume and previous[1] is None
        if not created and not self.queue.idle:
            self.queue.cancel()
        markups = self.markups.positive, self.markups.negative
        self._watch.watch(volume, segmentation, self.controller.editor.node, markups)
        if volume is not None and volume is not previous[0]:
            showPet(volume)  # first: the editor shows its source as it is
        self.controller.editor.select(segmentation, volume)
        if not created:
            self.selection.segmentId = None

    def _repeatOnCpu(self, failures: Sequence[Failure]) -> None:
        """Offer the CPU for the points of a batch for which the device failed."""
        failed = [failure for failure in failures if isDeviceError(failure.error, self.models.model.choice)]
        if failed and self.models.agreesToCpu(failed[0].error):
            points = [failure.point for failure in failed]
            self._pushBatch(lambda context: points)

    @property
    def _kind(self) -> SegmentKind:
        return KINDS[self.ui.kindSelector.currentIndex]

    @property
    def _snap(self) -> bool:
        return bool(self.selection.parameters.snap)

    # What is shown

    def refresh(self) -> None:
        """Show what the scene holds."""
        if self.selection.parameters is None:
            return
        self._refreshTimer.stop()
        self._holdEditor()
        self._followSegments()
        self.view.showScene(self.selection)
        if self.queue.idle and not self._pointsTimer.active:
            self.view.showPoints(self.selection)
        self._showEnabled()

    def _showEnabled(self) -> None:
        self.view.showEnabled(self.selection, self.queue.busy, self.queue.starting)
