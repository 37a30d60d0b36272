"""The Slicer module MedInpaint: fill holes in medical images.

Only Slicer is imported here: a module file runs when Slicer starts. What the module does is in the folder
MedInpaintSlicer beside this file, and the filling itself in the package MedInpaintLib, in a process of its own.
"""

import sys

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from MedInpaintSlicer import filljob, imputejob, layout, process, scene
from MedInpaintSlicer.imputepanel import ImputePanel
from MedInpaintSlicer.panel import Panel
from MedInpaintSlicer.parameters import MedInpaintParameterNode

layout.makeEngineImportable()


class MedInpaint(ScriptedLoadableModule):
    """What Slicer shows about the module."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedInpaint")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = ["Segmentations", "Volumes"]
        self.parent.contributors = ["MedInpaint contributors"]
        self.parent.helpText = _(
            "Fills holes in images: missing voxels, lesions (lesion filling), implants and their artifacts, the table. "
            "Mark the hole as a segment, choose a method, press Apply: a new volume has believable tissue there, "
            "and every voxel outside the hole is exactly as it was. "
            "A contrast of a head that is missing or ruined (T1, T2, FLAIR, T1 post) can be estimated from the others. "
            "Everything runs on this computer. For research; not for clinical use."
        )
        self.parent.acknowledgementText = _("Made by the MedInpaint contributors. License: Apache-2.0.")


class MedInpaintWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel's life: made, entered, left, scene closed, destroyed.

    What the tabs show and do is in ``Panel`` (fill a hole) and ``ImputePanel`` (missing contrast).
    """

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self.imputePanel = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self) -> None:
        """Make the widgets."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MedInpaint.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedInpaintLogic()
        self.panel = Panel(self.ui, self.logic)
        self.imputePanel = ImputePanel(self.ui, self.logic)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Slicer closes, or the module is reloaded."""
        for panel in self._panels():
            panel.run.close()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """The user comes to this module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user goes to another module; what runs goes on."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """The nodes are about to go, and with them what a running job would fill."""
        for panel in self._panels():
            panel.run.cancel()
        self.setParameterNode(None)
        for panel in self._panels():
            panel.clear()

    def onSceneEndClose(self, caller, event) -> None:
        """Start afresh when the module is on the screen."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event) -> None:
        """A scene was loaded: show its choices.

        The parameter node was read before all nodes that it refers to were there, so it is read anew; and the widgets
        learn of the nodes only after this event.
        """
        if self.parent.isEntered:
            self.initializeParameterNode()
            for panel in self._panels():
                panel.refreshSoon()

    def onReload(self) -> None:
        """Reload the helper packages as well, which Slicer would keep."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("MedInpaintSlicer", "MedInpaintLib"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self) -> None:
        """Show the scene's parameter node, with inputs chosen where there is little choice."""
        self.setParameterNode(self.logic.getParameterNode())
        node = self._parameterNode
        if node.inputVolume is None:
            node.inputVolume = scene.firstNode("vtkMRMLScalarVolumeNode")
        if node.segmentation is None:
            node.segmentation = scene.firstNode("vtkMRMLSegmentationNode")
        if node.imputeSegmentation is None:
            node.imputeSegmentation = node.segmentation
        for panel in self._panels():
            panel.chooseOnlySegment()

    def setParameterNode(self, parameterNode: MedInpaintParameterNode | None) -> None:
        """Connect the panel to a parameter node, or to none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        for panel in self._panels():
            panel.setParameterNode(parameterNode)

    def onParameterNodeModified(self, caller, event) -> None:
        """A choice was made, here or by a script."""
        for panel in self._panels():
            panel.refresh()

    def _panels(self) -> tuple:
        return self.panel, self.imputePanel


class MedInpaintLogic(ScriptedLoadableModuleLogic):
    """Filling and estimating from scripts; needs no panel and no main window.

    In the Python console::

        from MedInpaint import MedInpaintLogic
        filled = MedInpaintLogic().inpaint(getNode("T1"), getNode("Segmentation"), segmentIds=["Segment_1"])
    """

    def getParameterNode(self) -> MedInpaintParameterNode:
        """The panel's choices, which are kept in the scene."""
        return MedInpaintParameterNode(super().getParameterNode())

    def inpaint(
        self,
        volumeNode,
        segmentationNode,
        segmentIds=None,
        method="auto",
        parameters=None,
        blend="auto",
        device="auto",
        seed=0,
        dilateMm=0,
        guides=(),
        exemplars=None,
        selfCheck=False,
        outputVolume=None,
        uncertainty=False,
        wait=True,
        progress=None,
        warning=None,
        finished=None,
    ):
        """Fill the chosen segments of a volume; the voxels outside them, and the volume itself, stay as they are.

        Args:
            volumeNode: a scalar volume.
            segmentationNode: where the hole is marked; it may be under another parent transform than the volume.
            segmentIds: segment ids; their union is the hole. None: all segments.
            method: a name out of ``MedInpaintLib.methods()``, or ``"auto"``.
            parameters: the method's parameters, name -> value; those not given have their defaults.
            blend: how the fill meets its surroundings: ``"auto"``, ``"paste"``, ``"feather"`` or ``"poisson"``.
            device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
            seed: the same seed gives the same voxels.
            dilateMm: the hole is grown by this many mm first.
            guides: scalar volumes with other contrasts of the same subject, undamaged where the hole is, for the
                methods that can use them; they may have other grids and parent transforms than the volume.
            exemplars: a folder with other scans of the same contrast, for the methods that take tissue from them.
            selfCheck: fill holes like this one in healthy tissue of the same volume first; with ``method="auto"``,
                several methods are tried and the best one is taken. The job's ``report["self_check"]`` has the scores,
                and the result's attribute ``MedInpaint.SelfCheck`` has them as JSON.
            outputVolume: takes the result; None: a new volume beside the input.
            uncertainty: also add a volume with the standard deviation of what was filled in: the result's
                ``GetNodeReference("MedInpaint.Uncertainty")``.
            wait: whether to come back only when all is done. Without waiting, the job goes on while the application's
                event loop runs.
            progress: called with a fraction of 0..1 and the name of the stage.
            warning: called with each warning as text; warnings are also logged and written onto the result.
            finished: called with the job once it has ended, whether done, failed or cancelled.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.filljob.FillJob``, which has
            ``cancel()``, ``state``, ``outputVolume``, ``uncertaintyVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the filling failed.
        """
        request = filljob.Request(
            volumeNode=volumeNode,
            segmentationNode=segmentationNode,
            segmentIds=scene.allSegmentIds(segmentationNode) if segmentIds is None else tuple(segmentIds),
            method=method,
            parameters=parameters or {},
            blend=blend,
            device=device,
            seed=seed,
            dilateMm=dilateMm,
            guides=tuple(guides),
            exemplars=str(exemplars) if exemplars else None,
            selfCheck=selfCheck,
            outputVolume=outputVolume,
            uncertainty=uncertainty,
        )
        return self._do(filljob.FillJob, request, wait, progress, warning, finished)

    def impute(
        self,
        volumes,
        target,
        like=None,
        register=False,
        model="auto",
        reference=None,
        outputVolume=None,
        device="auto",
        wait=True,
        progress=None,
        warning=None,
        finished=None,
    ):
        """Estimate a contrast of a head that was not acquired, or is ruined, from others of the same subject.

        To mend a part of an image, fill it: ``inpaint(..., method="collagan", parameters={"target": "FLAIR", "guides":
        "T1, T2"}, guides=[t1, t2])``; what is outside the segments stays as it is then.

        Args:
            volumes: contrast (T1, T2, FLAIR or T1C) -> a scalar volume, or None; one or more. They may have other grids
                and parent transforms than the reference.
            target: the contrast that is wanted; a volume of it is not looked at.
            like: a volume of the wanted contrast, of another session or subject, whose intensities the result is to
                have. None: the median of the core of the head becomes 1000.
            register: lay the volumes rigidly over the reference first.
            model: a model by name or folder; ``"auto"`` takes the first that estimates contrasts.
            reference: the contrast on whose grid, and under whose parent transform, the result is. None: the first.
            outputVolume: takes the result; None: a new volume beside the reference.
            device, wait, progress, warning, finished: as for :meth:`inpaint`.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.imputejob.ImputeJob``, which
            has ``cancel()``, ``state``, ``outputVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the estimate failed.
        """
        request = imputejob.Request(dict(volumes), target, like, register, model, reference, outputVolume, device)
        return self._do(imputejob.ImputeJob, request, wait, progress, warning, finished)

    def _do(self, kind, request, wait, progress, warning, finished):
        runner = process.ForegroundRunner() if wait else process.BackgroundRunner()
        job = kind(request, runner, progress=progress, warning=warning, finished=finished)
        job.start()
        if not wait:
            return job
        if job.error is not None:
            raise job.error
        return job.outputVolume


class MedInpaintTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer: the main path on the sample, and the engine's self-tests in Slicer's own Python."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        for test in (self.test_a_lesion_of_the_sample_is_filled, self.test_the_engine_is_sound):
            self.setUp()
            test()

    def test_a_lesion_of_the_sample_is_filled(self) -> None:
        """Volume + segment -> new volume: changed in the hole, bit-identical outside, on the same grid."""
        from MedInpaintLib import samples

        sample = samples.sample("brain-t1-lesion")
        volume = slicer.util.loadVolume(str(sample.image))
        segmentation = slicer.util.loadSegmentation(str(sample.mask))
        segmentIds = list(segmentation.GetSegmentation().GetSegmentIDs())
        before = slicer.util.arrayFromVolume(volume).copy()
        hole = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segmentIds[0], volume) > 0

        filled = MedInpaintLogic().inpaint(volume, segmentation, segmentIds[:1], method="harmonic")

        after = slicer.util.arrayFromVolume(filled)
        assert (slicer.util.arrayFromVolume(volume) == before).all(), "the input volume has changed"
        assert (after[~hole] == before[~hole]).all(), "voxels outside the hole have changed"
        assert (after[hole] != before[hole]).any(), "nothing was filled"
        assert filled.GetAttribute("MedInpaint.Method") == "harmonic"
        self.delayDisplay("The lesion is filled.")

    def test_the_engine_is_sound(self) -> None:
        """Blending, metrics and solvers give their known answers with the packages that Slicer has."""
        from MedInpaintLib import selftest

        failed = [f"{name}: {message}" for name, passed, message in selftest.run() if not passed]
        assert failed == []
        self.delayDisplay("The engine's self-tests passed.")
