"""The panel: what the user does becomes jobs of the controller, and their ends become what the user sees.

The scene holds the state. The panel keeps which segment is selected; `Work` keeps what waits and what runs.
"""

from dataclasses import replace

import qt
import slicer
from slicer.i18n import tr as _

from SegAnyPETLib.errors import DeviceMissing, InputError, OutOfMemory, SegAnyPETError
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.editor import SegmentEditor, editor_node
from SegAnyPETLib.mrml.pet_window import show_as_pet
from SegAnyPETLib.mrml.points import points_of
from SegAnyPETLib.mrml.prompt_markups import PromptMarkups, number_of
from SegAnyPETLib.mrml.segment_jobs import BatchJob, Place
from SegAnyPETLib.mrml.segmentations import new_segmentation
from SegAnyPETLib.mrml.target_rows import TargetRows
from SegAnyPETLib.mrml.terminology import KINDS
from SegAnyPETLib.mrml.volumes import units_of
from SegAnyPETLib.pet.reading import SUV_UNITS
from SegAnyPETPanel import requirements
from SegAnyPETPanel.editor_widget import EditorWidgetHistory, makeEditorWidget
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.model import Model
from SegAnyPETPanel.model_choice import SERVER, saveChoice, savedChoice
from SegAnyPETPanel.model_section import ModelSection
from SegAnyPETPanel.placing import Placing
from SegAnyPETPanel.scene_watch import SceneWatch
from SegAnyPETPanel.shortcuts import Shortcuts
from SegAnyPETPanel.target_table import fillTable, selectedId, setUpTable
from SegAnyPETPanel.work import Work

#: Changes of the scene are shown after so many ms: a single edit makes several events.
SETTLE_MS = 100


class Panel:
    """Connects the widgets of the .ui file with the scene.

    Args:
        ui: the widgets by their names.
        parent: the module's widget.

    Attributes:
        parameters: the `SegAnyPETParameters`, None while a scene closes.
        selected: id of the segment that clicks go to, None where the next click begins another.
    """

    def __init__(self, ui, parent):
        self.ui = ui
        self.parameters = None
        self.selected = None
        self.markups = PromptMarkups(slicer.mrmlScene)
        self.placing = Placing()
        self.modelSection = ModelSection(ui)
        self.shortcuts = Shortcuts(ui)
        self.editorWidget = makeEditorWidget(ui.editorButton.layout())
        editor = SegmentEditor(
            slicer.mrmlScene,
            slicer.app.applicationLogic(),
            editor_node(slicer.mrmlScene),
            EditorWidgetHistory(self.editorWidget),
        )
        self.controller = Controller(editor)
        self._rows = TargetRows()
        self._shownPlace = (None, None)
        self._made = None
        self._refreshTimer = self._timer(parent, SETTLE_MS, self.refresh)
        self._pointsTimer = self._timer(parent, 0, self.takePoints)
        self._watch = SceneWatch(self._refreshTimer.start, self._pointsTimer.start, self._showPlacing)
        self.work = Work(parent, Model(savedChoice()), self)
        self.modelSection.show(self.work.model.choice)
        self._connect()
        self._showModel()

    # What the user does

    def onPlace(self, positive, on):
        """The button for points in the lesion, or for those outside, was pressed or released."""
        if on:
            self.placing.start(self.markups.positive if positive else self.markups.negative)
        else:
            self.placing.stop()

    def onNextLesion(self):
        """The next positive click begins another lesion."""
        self.takePoints()
        self.work.push(lambda: self._select(None), asksModel=False)
        self.placing.start(self.markups.positive)

    def onMend(self):
        """Let the model refine the selected segment."""
        self.takePoints()
        self.work.push(lambda: self._onSelected(self.controller.refine))

    def onUndo(self):
        """Take the last step back, click and mask together."""
        self.takePoints()
        self.work.push(lambda: self._step(self.controller.editor.history.undo), asksModel=False)

    def onRedo(self):
        """Do again what was taken back."""
        self.takePoints()
        self.work.push(lambda: self._step(self.controller.editor.history.redo), asksModel=False)

    def onCancel(self):
        """Stop the model, and drop what waits."""
        self._setStatus(_("Cancelling ..."))
        self.work.cancel()

    def onUseFiducials(self):
        """Make one lesion of every point in the chosen list."""
        node = self.ui.fiducialSelector.currentNode()
        if node is None:
            self._setStatus(_("Choose a list of points first."))
            return
        self.takePoints()
        self.work.push(lambda: self._batch(lambda place: list(points_of(node, place.volume_node).values())))

    def onStartModel(self):
        """Start the model with the settings of the panel."""
        choice = self.modelSection.choice()
        self.work.cancel()
        self.work.push(lambda: self._switch(choice), asksModel=False)
        self.work.start()

    def onTargetChosen(self):
        """Another row was selected."""
        segmentId = selectedId(self.ui.targetTable)
        if segmentId is None or segmentId == self.selected:
            return
        self.takePoints()
        self.work.push(lambda: self._select(segmentId), asksModel=False)
        self._lookAt(segmentId)

    def takePoints(self):
        """What the user placed, dragged or deleted becomes acts, in their order."""
        place = self.place()
        if place is not None:
            for change in self.markups.take(place.volume_node):
                self.work.push(lambda change=change: self._pointAct(change))

    # The scene

    def setParameters(self, parameters):
        """Work on a parameter node; on none while a scene closes."""
        self.parameters = parameters
        if parameters is None:
            self._watch.end()
        else:
            self.onSceneChanged()

    def forgetScene(self):
        """Forget whatever belongs to a scene that closes; an answer that is on its way will be dropped."""
        self.work.cancel()
        self.placing.stop()
        self.controller.forget()
        self._rows.forget()
        self._shownPlace, self._made, self.selected = (None, None), None, None

    def onSceneChanged(self):
        """Volume, segmentation or a setting is another one."""
        place = self.place()
        now = (None, None) if place is None else (place.volume_node, place.segmentation)
        if now != self._shownPlace:
            self._placeChanged(now)
        self._refreshTimer.start()

    def place(self, make=False):
        """Volume and segmentation, None without a volume; a segmentation is made where asked for."""
        if self.parameters is None or self.parameters.volume is None:
            return None
        if self.parameters.segmentation is None and make:
            self._made = new_segmentation(slicer.mrmlScene, self.parameters.volume)
            self.parameters.segmentation = self._made
        return Place(self.parameters.volume, self.parameters.segmentation)

    def enter(self):
        """The user comes to the module."""
        self.editorWidget.setupViewObservations()
        window = slicer.util.mainWindow()
        if window is not None:
            self.editorWidget.installKeyboardShortcuts(window)
        self.shortcuts.install()

    def exit(self):
        """The user leaves the module; what runs goes on."""
        self.placing.stop()
        self.editorWidget.setActiveEffect(None)
        self.editorWidget.uninstallKeyboardShortcuts()
        self.editorWidget.removeViewObservations()
        self.shortcuts.remove()

    def close(self):
        """Let go of everything, when the module goes."""
        self._watch.end()
        self._refreshTimer.stop()
        self._pointsTimer.stop()
        self.work.close()

    # How the work goes

    def onStarting(self):
        """The model is to be started: install what it lacks."""
        self._setStatus(_("Starting the model ..."))
        requirements.ensure(self.work.model.choice.place)

    def onStarted(self):
        """The model is ready."""
        self._setStatus(_("The model is ready."))
        self._showModel()

    def onBusy(self, job):
        """The model begins."""
        if job is not None:
            self._setStatus(getattr(job, "note", "") or _("The model is at work ..."))
        self._showEnabled()

    def onPoll(self):
        """Show how far it is, and write what a batch has made so far."""
        job, model, bar = self.work.job, self.work.model, self.ui.progressBar
        batch = isinstance(job, BatchJob)
        bar.maximum, bar.value = (len(job.points), job.done) if batch else (0, 0)
        if batch:
            self.controller.write_next(job, KINDS[self.ui.kindSelector.currentIndex])
        if batch and not job.stopped:
            self._setStatus(_("{done} of {all} points ...").format(done=job.done, all=len(job.points)))
        elif model.running is None and model.progress:
            self._setStatus(_("Starting the model: {state}").format(state=model.progress))
        self._showEnabled()

    def onFinished(self, job):
        """Write what the model answered."""
        kind = KINDS[self.ui.kindSelector.currentIndex]
        if isinstance(job, BatchJob):
            ids = self.controller.finish_each(job, kind)
        else:
            written = self.controller.finish(job, kind)
            ids = None if written is None else [written]
        if ids is None:
            self._setStatus(_("The scene was changed meanwhile; the model's answer was dropped."))
        elif isinstance(job, BatchJob):
            self._tellBatch(job)
        else:
            self._setStatus(_("Done."))
        if ids:
            self._made = None
            self._select(ids[-1])
        self._tidy()
        if ids is not None and isinstance(job, BatchJob):
            self._repeatOnCpu(job.batch.failures)

    def onFailed(self, error, job):
        """Say why; where the device is the reason, offer the CPU."""
        self._tidy()
        if not isinstance(error, SegAnyPETError):
            self._setStatus(_("SegAnyPET could not do that."))
            raise error
        self._setStatus(_sentence(error))
        self._showModel()
        if self._isOfDevice(error) and self._agreesToCpu(error):
            self.work.repeat()

    def onIdle(self):
        """Nothing waits."""
        self.refresh()

    # Acts

    def _pointAct(self, change):
        place, backend, snap = self.place(make=True), self.work.model.running, self.parameters.snap
        if change.was is None:
            return self.controller.click(place, self.selected, change.now, backend, snap)
        number = None
        if self.selected is not None:
            number = number_of(change.was, self.controller.points(place, self.selected))
        if number is None:  # its click was refused, or came to nothing
            return None
        if change.now is None:
            return self.controller.remove(place, self.selected, number, backend)
        return self.controller.move(place, self.selected, number, change.now, backend)

    def _onSelected(self, ask):
        if self.selected is None:
            raise InputError(_("Choose a segment in the list first."))
        return ask(self.place(), self.selected, self.work.model.running)

    def _batch(self, pointsIn):
        place = self.place(make=True)
        if place is None:
            return None
        return self.controller.click_each(place, pointsIn(place), self.work.model.running, self.parameters.snap)

    def _step(self, act):
        before = self._segmentIds()
        act()
        came = [segmentId for segmentId in self._segmentIds() if segmentId not in before]
        if came:
            self._select(came[-1])
        self._setStatus("")

    def _switch(self, choice):
        saveChoice(choice)
        self.work.model.close()
        self.work.model = Model(choice)
        self._showModel()

    def _select(self, segmentId):
        self.selected = segmentId
        if segmentId is not None:
            self.editorWidget.setCurrentSegmentID(segmentId)
        else:
            self._setStatus(_("Click in the next lesion."))
        self._refreshTimer.start()

    # Consequences

    def _placeChanged(self, now):
        before, self._shownPlace = self._shownPlace, now
        made = before[0] is now[0] and before[1] is None
        if not made and not self.work.idle:
            self.work.cancel()
        volume, segmentation = now
        self._watch.watch(volume, segmentation, (self.markups.positive, self.markups.negative))
        editor = self.controller.editor
        if segmentation is not None:
            editor.select(segmentation, volume)
        if volume is not before[0]:
            editor.node.SetAndObserveSourceVolumeNode(volume)
        if not made:
            self.selected = None

    def _tidy(self):
        """Take a segmentation away that was made for a lesion which did not come."""
        made, self._made = self._made, None
        if made is not None and made.GetScene() is not None and not made.GetSegmentation().GetNumberOfSegments():
            slicer.mrmlScene.RemoveNode(made)

    def _isOfDevice(self, error):
        choice = self.work.model.choice
        if choice.place == SERVER or choice.device == "cpu":
            return False
        return isinstance(error, OutOfMemory | DeviceMissing)

    def _agreesToCpu(self, error):
        question = _("{error} Run the model on the CPU instead? It is slower.").format(error=_sentence(error))
        if not slicer.util.confirmYesNoDisplay(question):
            return False
        choice = replace(self.work.model.choice, device="cpu")
        self.modelSection.show(choice)
        self._switch(choice)
        return True

    def _repeatOnCpu(self, failures):
        """Offer the CPU for the points of a batch that the device failed."""
        failed = [failure for failure in failures if self._isOfDevice(failure.error)]
        if failed and self._agreesToCpu(failed[0].error):
            points = [failure.point for failure in failed]
            self.work.push(lambda: self._batch(lambda place: points))

    def _tellBatch(self, job):
        batch = job.batch
        text = _("{made} of {all} points became lesions.").format(made=len(batch.made), all=len(job.points))
        if batch.failures:
            text += " " + _sentence(batch.failures[0].error)
        if batch.left:
            text += " " + _("The others were cancelled.")
        self._setStatus(text)

    def _lookAt(self, segmentId):
        center = self.parameters.segmentation.GetSegmentCenterRAS(segmentId)
        if center is not None:
            slicer.modules.markups.logic().JumpSlicesToLocation(*center, True)

    def _segmentIds(self):
        place = self.place()
        if place is None or place.segmentation is None:
            return []
        return list(place.segmentation.GetSegmentation().GetSegmentIDs())

    # What is shown

    def refresh(self):
        """Show what the scene holds."""
        if self.parameters is None:
            return
        self._refreshTimer.stop()
        place = self.place()
        if self.selected not in self._segmentIds():
            self.selected = None
        try:
            rows = self._targetRows(place)
        except SegAnyPETError as error:
            rows = []
            self._setStatus(_sentence(error))
        fillTable(self.ui.targetTable, rows, self.selected)
        self._showTarget(rows)
        self._showVolume(place)
        if self.work.idle and not self._pointsTimer.active:
            self._showPoints(place)
        self._showEnabled()

    def _targetRows(self, place):
        if place is None:
            return []
        volume = self.controller.volumes.volume_of(place.volume_node)
        return [] if place.segmentation is None else self._rows.of(place, volume)

    def _showPoints(self, place):
        points = ()
        if place is not None and self.selected is not None:
            try:
                points = self.controller.points(place, self.selected)
            except SegAnyPETError as error:
                self._setStatus(_sentence(error))
        self.markups.show(None if place is None else place.volume_node, points)

    def _showTarget(self, rows):
        names = [row.name for row in rows if row.segment_id == self.selected]
        text = _("Clicks go to {name}.").format(name=names[0]) if names else _("The next click begins a new segment.")
        self.ui.targetLabel.text = text

    def _showVolume(self, place):
        suv = place is not None and units_of(place.volume_node) == SUV_UNITS
        setUpTable(self.ui.targetTable, suv)
        if place is None:
            text = _("Choose a PET.")
        elif suv:
            text = _("The values are SUV (body weight).")
        else:
            text = _("Caution: this volume does not say that its values are SUV. The model expects SUV.")
        self.ui.suvLabel.text = text
        self.ui.suvLabel.styleSheet = "" if suv or place is None else "color: #b35900; font-weight: bold"

    def _showModel(self):
        model = self.work.model
        self.modelSection.showState(model, requirements.missing(model.choice.place))

    def _showEnabled(self):
        ui, busy, place = self.ui, self.work.busy, self.place()
        segments = place is not None and place.segmentation is not None
        ui.progressBar.visible = ui.cancelButton.enabled = busy
        for button in (ui.positiveButton, ui.negativeButton, ui.nextButton, ui.petWindowButton):
            button.enabled = place is not None
        ui.undoButton.enabled = ui.redoButton.enabled = segments and not busy
        ui.refineButton.enabled = self.selected is not None
        ui.useFiducialsButton.enabled = place is not None and not busy
        self._showPlacing()

    def _showPlacing(self):
        node, ui = self.placing.node, self.ui
        shown = ((ui.positiveButton, self.markups.positive), (ui.negativeButton, self.markups.negative))
        for button, own in shown:
            blocked = button.blockSignals(True)
            button.checked = node is own
            button.blockSignals(blocked)

    def _setStatus(self, text):
        self.ui.statusLabel.text = text

    # Connections

    def _connect(self):
        ui = self.ui
        ui.positiveButton.connect("toggled(bool)", guarded(lambda on: self.onPlace(True, on)))
        ui.negativeButton.connect("toggled(bool)", guarded(lambda on: self.onPlace(False, on)))
        ui.nextButton.connect("clicked()", guarded(self.onNextLesion))
        ui.refineButton.connect("clicked()", guarded(self.onMend))
        ui.undoButton.connect("clicked()", guarded(self.onUndo))
        ui.redoButton.connect("clicked()", guarded(self.onRedo))
        ui.cancelButton.connect("clicked()", guarded(self.onCancel))
        ui.useFiducialsButton.connect("clicked()", guarded(self.onUseFiducials))
        ui.startButton.connect("clicked()", guarded(self.onStartModel))
        ui.petWindowButton.connect("clicked()", guarded(lambda: show_as_pet(self.parameters.volume)))
        ui.targetTable.connect("itemSelectionChanged()", guarded(self.onTargetChosen))

    def _timer(self, parent, ms, slot):
        timer = qt.QTimer(parent)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.connect("timeout()", guarded(slot))
        return timer


def _sentence(error):
    """What an error says, as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
