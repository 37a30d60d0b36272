"""The panel of the module: the tabs, the log, and the parameter node of the scene that they show."""

import logging
import sys
from typing import Any

import slicer
import vtk
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from . import log
from .logic import MedInpaintLogic
from .nodes import images
from .pages.batch import BatchPage
from .pages.contrast import ContrastPage
from .pages.evaluate import EvaluatePage
from .pages.fill import FillPage
from .pages.models import ModelsPage
from .pages.page import Page


class Panel(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel as Slicer creates, enters, leaves and destroys it; the tabs are in the folder pages.

    Attributes:
        fillPage, contrastPage, ...: the tabs; ``pages`` has all of them in order.
        log: the log at the lower end.
    """

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self.log: Any = None
        self.pages: tuple[Page, ...] = ()
        self._parameterNode: Any = None
        self._observed = None
        self._parameterNodeGuiTag = None

    def setup(self) -> None:
        """Make the widgets."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MedInpaint.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self.logic = MedInpaintLogic()
        self.log = log.Log(self.ui)
        self.fillPage = FillPage(self.logic, self.log.add)
        self.contrastPage = ContrastPage(self.logic, self.log.add)
        self.batchPage = BatchPage(self.logic, self.log.add)
        self.evaluatePage = EvaluatePage(self.logic, self.log.add)
        self.modelsPage = ModelsPage(
            self.logic,
            self.log.add,
            changed=self.refreshPages,
            showFill=lambda: self.showPage(self.fillPage),
            showContrast=lambda: self.showPage(self.contrastPage),
        )
        self.pages = (self.fillPage, self.contrastPage, self.evaluatePage, self.batchPage, self.modelsPage)
        for page in self.pages:
            self.ui.tabWidget.addTab(page.widget, page.title())
            self.ui.tabWidget.setTabToolTip(self.ui.tabWidget.count - 1, page.purpose())
            page.widget.setMRMLScene(slicer.mrmlScene)
        self.ui.tabWidget.connect("currentChanged(int)", self.onTabChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Release everything: Slicer closes, or the module is reloaded."""
        for page in self.pages:
            page.close()
        self.log.close()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """Show the scene's choices when the user enters this module."""
        self.initializeParameterNode()
        for page in self.pages:
            page.enter()

    def exit(self) -> None:
        """Release the scene when the user leaves this module; a running job continues."""
        for page in self.pages:
            page.leave()
        self.setParameterNode(None)

    def onTabChanged(self, index: int) -> None:
        """Refresh the tab that comes to the front, and let the others rest."""
        for page in self.pages:
            if page is not self.pages[index]:
                page.rest()
        self.pages[index].refresh()

    def onSceneStartClose(self, caller, event) -> None:
        """Cancel running jobs: their nodes are about to be removed."""
        for page in self.pages:
            page.cancel()
        self.setParameterNode(None)
        for page in self.pages:
            page.clear()

    def onSceneEndClose(self, caller, event) -> None:
        """Show the empty scene's choices if the module is on the screen."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event) -> None:
        """Show the choices of a loaded scene.

        The parameter node was read before the nodes that it refers to, so it is read again; the widgets get the nodes
        only after this event.
        """
        if self.parent.isEntered:
            self.initializeParameterNode()
            for page in self.pages:
                page.refreshSoon()

    def onReload(self) -> None:
        """Reload the helper packages too, which Slicer does not do by itself."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("MedInpaintSlicer", "MedInpaintLib"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self) -> None:
        """Show the scene's parameter node, and choose inputs where none are chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        node = self._parameterNode
        if node.inputVolume is None:
            node.inputVolume = images.firstNode("vtkMRMLScalarVolumeNode")
        if node.segmentation is None:
            node.segmentation = images.firstNode("vtkMRMLSegmentationNode")
        if node.imputeSegmentation is None:
            node.imputeSegmentation = node.segmentation
        for page in self.pages:
            page.chooseDefaults()

    def setParameterNode(self, parameterNode: Any) -> None:
        """Connect the panel to a :class:`MedInpaintParameterNode`, or to none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._observed, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui.tabWidget)
            # The node itself: an observed wrapper would stay in memory with everything that it observes.
            self._observed = parameterNode.parameterNode
            self.addObserver(self._observed, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        for page in self.pages:
            page.setParameterNode(parameterNode)

    def onParameterNodeModified(self, caller, event) -> None:
        """Refresh after the user or a script has changed a choice."""
        self.refreshPages()

    def refreshPages(self) -> None:
        """Refresh all tabs; one that fails does not stop the others."""
        for page in self.pages:
            try:
                page.refresh()
            except Exception:
                logging.exception("MedInpaint: the tab %s cannot show the scene", page.title())

    def showPage(self, page) -> None:
        """Bring a tab to the front and show its current choices."""
        page.setParameterNode(self._parameterNode)
        self.ui.tabWidget.currentIndex = self.pages.index(page)
