"""The effect's options: the widgets below the effect buttons, from top to bottom."""

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from . import engine

#: The choice that leaves the method to the engine.
AUTOMATIC = "auto"

_BOX = "QLabel {{ background-color: rgba({color}); border-radius: 3px; padding: 5px; }}"

#: Kinds of messages -> style sheet, as in the module's Run.ui.
STYLES = {
    "": "",
    "error": _BOX.format(color="220, 60, 50, 70"),
    "warning": _BOX.format(color="250, 200, 40, 90"),
    "result": _BOX.format(color="70, 160, 90, 60"),
}


class Options:
    """The effect's widgets and messages; the effect connects their signals."""

    def __init__(self, scriptedEffect) -> None:
        self._makeChoices(scriptedEffect)
        self._makeRunArea(scriptedEffect)
        self.progressBar.visible = False
        self.say("")
        self.warn("")
        self.tellLive("")

    def offer(self, methods: dict, mostGrowth: float) -> None:
        """Offer methods (name -> ``MethodInfo``) in the combo box, and set the maximum growth of the hole in mm."""
        self.growSlider.maximum = mostGrowth
        automatic = _(
            "Chooses for each part of the hole by its size, depth and side and by the kind of image, and says why."
        )
        engine.addMethods(self.methodCombo, methods)
        self.methodCombo.setItemData(0, automatic, qt.Qt.ToolTipRole)

    def showMethod(self, method: str) -> None:
        """Choose a method in the combo box, which shows nothing if the method is not offered."""
        row = self.methodCombo.findData(method)
        self.methodCombo.currentIndex = row
        summary = self.methodCombo.itemData(row, qt.Qt.ToolTipRole) if row >= 0 else ""
        self.methodCombo.toolTip = "\n".join(filter(None, [_("How the segment is filled."), summary]))

    def showOutput(self, outputVolume, sourceVolume) -> None:
        """Choose the output volume, or none for a new one; the source volume cannot be chosen."""
        hidden = [sourceVolume.GetID()] if sourceVolume is not None else []
        # A selector that loses its node would choose the next one, which would then be overwritten.
        self.outputSelector.sortFilterProxyModel().hiddenNodeIDs = hidden
        self.outputSelector.setCurrentNode(outputVolume)

    def say(self, text: str, kind: str = "") -> None:
        """Show a message about the run: its stage, its result (kind "result") or its error ("error")."""
        _show(self.messageLabel, text, kind)

    def warn(self, text: str) -> None:
        """Show a warning; hide the label if the text is empty."""
        _show(self.warningLabel, text, "warning")

    def tellLive(self, text: str) -> None:
        """Show a message about the live preview; hide the label if the text is empty."""
        _show(self.liveLabel, text, "")

    def reveal(self) -> None:
        """Scroll to the message."""
        area = engine.scrollAreaAround(self.messageLabel)
        if area is not None and self.messageLabel.visible:
            area.ensureWidgetVisible(self.messageLabel, 0, 0)

    def _makeChoices(self, scriptedEffect) -> None:
        self.methodCombo = qt.QComboBox()
        self.methodCombo.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
        self.methodCombo.minimumContentsLength = 8
        scriptedEffect.addLabeledOptionsWidget(_("Method:"), self.methodCombo)

        self.growSlider = ctk.ctkSliderWidget()
        self.growSlider.singleStep = 0.5
        self.growSlider.decimals = 1
        self.growSlider.suffix = _(" mm")
        self.growSlider.setToolTip(
            _("Fill this much around the segment, too: useful when its edge still shows what you want to remove.")
        )
        scriptedEffect.addLabeledOptionsWidget(_("Grow hole by:"), self.growSlider)

        self.outputSelector = slicer.qMRMLNodeComboBox()
        self.outputSelector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        self.outputSelector.showChildNodeTypes = False
        self.outputSelector.addEnabled = False
        self.outputSelector.removeEnabled = False
        self.outputSelector.noneEnabled = True
        self.outputSelector.noneDisplay = _("Create new volume")
        self.outputSelector.setMRMLScene(slicer.mrmlScene)
        self.outputSelector.setToolTip(_("Takes the result. The source volume itself is never changed."))
        scriptedEffect.addLabeledOptionsWidget(_("Output volume:"), self.outputSelector)

        self.uncertaintyBox = qt.QCheckBox(_("Uncertainty volume"))
        self.uncertaintyBox.setToolTip(
            _("Also make a volume that shows, voxel by voxel, how far the truth may be off, in the units of the image.")
        )
        scriptedEffect.addOptionsWidget(self.uncertaintyBox)

        self.liveBox = qt.QCheckBox(_("Live preview"))
        self.liveBox.setToolTip(
            _(
                "Show a smooth fill of the selected segment in the slice views, and follow each stroke while you use "
                "Paint, Erase or any other effect. Apply removes the preview and fills by the chosen method."
            )
        )
        scriptedEffect.addOptionsWidget(self.liveBox)
        self.liveLabel = _wrappingLabel(_("The state of the live preview."))
        scriptedEffect.addOptionsWidget(self.liveLabel)

    def _makeRunArea(self, scriptedEffect) -> None:
        self.applyButton = qt.QPushButton(_("Apply"))
        self.progressBar = qt.QProgressBar()
        self.progressBar.setToolTip(_("The progress of the fill."))
        self.messageLabel = _wrappingLabel(_("The state of the fill, or its result."))
        self.warningLabel = _wrappingLabel(_("What you should know about the result."))
        self.flipButton = qt.QPushButton(_("Before / after"))
        self.flipButton.setToolTip(_("Switch the slice views between the source volume and the filled one."))
        self.moreButton = qt.QPushButton(_("More options..."))
        self.moreButton.setToolTip(
            _(
                "Open the module MedInpaint with these choices: it has several segments at once, "
                "the options of each method, other contrasts as guides, and the self-check."
            )
        )
        buttons = qt.QHBoxLayout()
        buttons.addWidget(self.flipButton)
        buttons.addWidget(self.moreButton)
        area = qt.QVBoxLayout()
        area.addWidget(self.applyButton)
        area.addWidget(self.progressBar)
        area.addLayout(buttons)
        area.addWidget(self.messageLabel)
        area.addWidget(self.warningLabel)
        scriptedEffect.addOptionsWidget(area)


def _show(label, text: str, kind: str) -> None:
    label.styleSheet = STYLES[kind]
    label.text = text
    label.visible = bool(text)


def _wrappingLabel(toolTip: str):
    """Return a label that never requests more width than there is."""
    label = qt.QLabel()
    label.wordWrap = True
    label.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
    label.setToolTip(toolTip)
    return label
