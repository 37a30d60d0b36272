"""The parts of the ``slicer`` namespace that the application adds to slicer-core, without Qt.

Real: the scene, the nodes, the logics of volumes, segmentations, sequences, tables and plots, saving and loading,
``slicer.util``.
Imitated: ``slicer.app`` and ``slicer.i18n``, as far as MedInpaint uses them.
"""

import os
import sys
import tempfile
import types
from pathlib import Path

import slicer
import slicer.util

REPOSITORY = Path(__file__).resolve().parents[3]


class App:
    """``slicer.app``, as far as MedInpaint and slicer.util use it."""

    def __init__(self, temporaryPath: str, logic) -> None:
        self.temporaryPath = temporaryPath
        self.applicationVersion = "5.13.0"
        self._logic = logic

    def applicationLogic(self):
        """What all module logics share."""
        return self._logic

    def testingEnabled(self) -> bool:
        """Whether popups are answered and nothing is installed; here as for a user."""
        return False

    def startupEnvironment(self):
        """The environment in which Slicer was started."""

        class Environment:
            keys = staticmethod(lambda: list(os.environ))
            value = staticmethod(os.environ.get)

        return Environment()


def install() -> None:
    """Make ``slicer`` look like the application's, with an empty scene; once for the life of the process."""
    if hasattr(slicer, "mrmlScene"):
        return
    for folder in (REPOSITORY / "MedInpaint", REPOSITORY):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    temporary = tempfile.mkdtemp(prefix="panelhost-")
    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    application.SetTemporaryPath(temporary)

    def logic(kind, name):
        made = kind()
        made.SetMRMLApplicationLogic(application)
        made.SetMRMLScene(scene)
        application.SetModuleLogic(name, made)
        return made

    colors = application.GetColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    application.SetModuleLogic("Colors", colors)
    volumes = logic(slicer.vtkSlicerVolumesLogic, "Volumes")
    segmentations = logic(slicer.vtkSlicerSegmentationsModuleLogic, "Segmentations")
    tables = logic(slicer.vtkSlicerTablesLogic, "Tables")
    plots = logic(slicer.vtkSlicerPlotsLogic, "Plots")
    sequences = logic(slicer.vtkSlicerSequencesLogic, "Sequences")

    # Scene bundles (MRB) are read through the data manager, which needs a folder for its cache.
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(scene)
    remote.SetMRMLApplicationLogic(application)
    remote.GetCacheManager().SetRemoteCacheDirectory(temporary)
    transfer = slicer.vtkDataIOManagerLogic()
    transfer.SetMRMLScene(scene)
    transfer.SetMRMLApplicationLogic(application)
    transfer.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()

    # Which the module Colors does.
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())

    slicer.mrmlScene = scene
    slicer.app = App(temporary, application)
    slicer.modules = types.SimpleNamespace(
        volumes=types.SimpleNamespace(logic=lambda: volumes),
        segmentations=types.SimpleNamespace(logic=lambda: segmentations),
        tables=types.SimpleNamespace(logic=lambda: tables),
        plots=types.SimpleNamespace(logic=lambda: plots),
        sequences=types.SimpleNamespace(logic=lambda: sequences),
    )
    # VTK's Python objects die with their last reference, and the scene does not hold its logics.
    slicer.panelhost_keeps = (application, remote, transfer)
    module("slicer.i18n", tr=lambda text: text, translate=lambda context, text: text)


def clearScene() -> None:
    """An empty scene, as after File > Close scene."""
    slicer.mrmlScene.Clear(False)
    # It is made when it is first asked for; in the application that has always happened already.
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def module(name: str, **members):
    """Make a module that can be imported as ``name``."""
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, made)
    return made
