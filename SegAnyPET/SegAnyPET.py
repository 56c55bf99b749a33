"""Registers SegAnyPET with 3D Slicer.

The interactive panel is not part of this release; the module says so, and where the command line is.
"""

import qt
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget


class SegAnyPET(ScriptedLoadableModule):
    """Title, category and help of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SegAnyPET")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = []
        self.parent.contributors = ["SegAnyPET contributors"]
        self.parent.helpText = _(
            "Promptable segmentation of whole-body PET. Research use only, not a medical device. "
            "This release works from the command line (seganypet segment); "
            "its .seg.nrrd files open here with their segment names."
        )
        self.parent.acknowledgementText = _("Method: SegAnyPET, arXiv 2502.14351.")


class SegAnyPETWidget(ScriptedLoadableModuleWidget):
    """Says what this release can do."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        notice = qt.QLabel(
            _(
                "The interactive panel is not part of this release. Use the command line (seganypet segment), "
                "then open its .seg.nrrd file here. Research use only, not a medical device."
            )
        )
        notice.wordWrap = True
        self.layout.addWidget(notice)
        self.layout.addStretch(1)
