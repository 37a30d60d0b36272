"""The Slicer module MedInpaint: fill holes in medical images.

Only Slicer is imported here, because module files run when Slicer starts. The module's code is in the folder
MedInpaintSlicer beside this file; the engine is the package MedInpaintLib, which runs in its own process.
"""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

from MedInpaintSlicer import layout, sampledata, theme
from MedInpaintSlicer.jobs import process
from MedInpaintSlicer.logic import MedInpaintLogic  # noqa: F401  scripts import it from here
from MedInpaintSlicer.panel import Panel
from MedInpaintSlicer.selftest import MedInpaintTest  # noqa: F401  Slicer looks for it here

layout.makeEngineImportable()


class MedInpaint(ScriptedLoadableModule):
    """The module's registration, and the texts that Slicer shows about it."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedInpaint")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = ["Segmentations", "Sequences", "Volumes"]
        self.parent.contributors = ["MedInpaint contributors"]
        self.parent.helpText = _(
            "Fills holes in images: missing voxels, lesions (lesion filling), implants and their artifacts, the table. "
            "Mark the hole as a segment, choose a method, press Apply: a new volume has believable tissue there, "
            "and every voxel outside the hole is exactly as it was. "
            "A contrast of a head that is missing or ruined (T1, T2, FLAIR, T1 post) can be estimated from the others. "
            "Everything runs on this computer. For research; not for clinical use."
        )
        self.parent.acknowledgementText = _("Made by the MedInpaint contributors. License: Apache-2.0.")
        self.parent.icon = theme.icon("MedInpaint")
        # The module Sample Data exists only after all modules are loaded.
        slicer.app.connect("startupCompleted()", sampledata.register)
        # Python's own end may come too late: the panel ends its jobs when it is destroyed, a script's have no panel.
        slicer.app.connect("aboutToQuit()", process.endAll)


class MedInpaintWidget(Panel):
    """The panel, by the name that Slicer looks for."""
