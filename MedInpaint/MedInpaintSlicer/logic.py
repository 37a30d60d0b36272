"""The functions that scripts call; the panel calls the same."""

from collections.abc import Mapping

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from . import evaluation
from .jobs import evaluate, fill, impute, process
from .jobs.sequence import SequenceJob
from .jobs.volumes import VolumesJob
from .nodes import arguments, sequences
from .nodes.segments import allSegmentIds
from .parameters import MedInpaintParameterNode


class MedInpaintLogic(ScriptedLoadableModuleLogic):
    """Fills, estimates and evaluations from scripts, without panel and main window.

    In the Python console::

        from MedInpaint import MedInpaintLogic
        filled = MedInpaintLogic().inpaint(getNode("T1"), getNode("Segmentation"), segmentIds=["Segment_1"])
    """

    def getParameterNode(self) -> MedInpaintParameterNode:
        """Return the panel's choices, which are kept in the scene."""
        return MedInpaintParameterNode(super().getParameterNode())  # type: ignore[call-arg]  # the wrapper takes it

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
        log=None,
    ):
        """Fill the chosen segments of a volume; the voxels outside them, and the volume itself, stay as they are.

        Args:
            volumeNode: a scalar volume.
            segmentationNode: where the hole is marked; it may be under another parent transform than the volume.
            segmentIds: one segment id, or several; their union is the hole. None: all segments.
            method: a name out of ``MedInpaintLib.list_methods()``, or ``"auto"``.
            parameters: the method's parameters, name -> value; those not given have their defaults.
            blend: how the fill meets its surroundings: ``"auto"``, ``"paste"``, ``"feather"`` or ``"poisson"``.
            device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
            seed: the same seed gives the same voxels.
            dilateMm: the hole is grown by this many mm first.
            guides: one scalar volume or several, with other contrasts of the same subject, undamaged where the hole is,
                for the methods that can use them; they may have other grids and parent transforms than the volume.
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
            log: called with each other line that the worker process prints.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.jobs.fill.FillJob``, which has
            ``cancel()``, ``state``, ``outputVolume``, ``uncertaintyVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the filling failed.
        """
        arguments.checkVolume("volumeNode", volumeNode)
        arguments.checkSegmentation("segmentationNode", segmentationNode)
        arguments.checkVolume("outputVolume", outputVolume)
        request = fill.requestOf(
            volumeNode,
            segmentationNode,
            _chosen(segmentationNode, segmentIds),
            method=method,
            parameters=parameters,
            blend=blend,
            device=device,
            seed=seed,
            dilateMm=dilateMm,
            guides=guides,
            exemplars=exemplars,
            selfCheck=selfCheck,
            outputVolume=outputVolume,
            uncertainty=uncertainty,
        )
        return self._do(fill.FillJob, request, wait, progress=progress, warning=warning, finished=finished, log=log)

    def inpaintVolumes(
        self,
        volumeNodes,
        segmentations,
        segmentIds=None,
        wait=True,
        progress=None,
        warning=None,
        finished=None,
        log=None,
        **options,
    ):
        """Fill many volumes, one after another; each as :meth:`inpaint` does. One that fails does not stop the others.

        Args:
            volumeNodes: scalar volumes.
            segmentations: the segmentation that marks the hole in all of them, or volume -> its own segmentation.
            segmentIds: segment ids, for all of them or volume -> ids. None: all segments.
            wait, finished, log: as for :meth:`inpaint`.
            progress: called with a fraction of 0..1 of all and where it is, as "2 of 5: T1: Filling".
            warning: called with each new warning as text.
            options: what else :meth:`inpaint` takes, but for ``outputVolume``; the same for all. A volume is guided by
                those of ``guides`` that are not itself.

        Returns:
            volume -> the volume node that holds its result, or the error that says why it was not filled; without
            waiting, a ``MedInpaintSlicer.jobs.volumes.VolumesJob``, which has ``cancel()`` (what was filled before is
            kept), ``state``, ``results`` (what is returned with waiting), ``reports``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: not one of the volumes could be filled.
        """
        for each in segmentations.values() if isinstance(segmentations, Mapping) else [segmentations]:
            arguments.checkSegmentation("segmentations", each)
        job = VolumesJob(
            arguments.volumes("volumeNodes", volumeNodes),
            segmentations,
            _idsOfEach(segmentIds),
            fill.requestOf(**options),
            _runnerFor(wait),
            progress=progress,
            warning=warning,
            finished=finished,
            log=log,
        )
        return _started(job, wait, "results")

    def inpaintSequence(
        self,
        sequence,
        segmentation,
        segmentIds=None,
        wait=True,
        progress=None,
        warning=None,
        finished=None,
        log=None,
        **options,
    ):
        """Fill every frame of a sequence of volumes, each by itself as :meth:`inpaint` does, into a new sequence.

        The new sequence has the index of the input and is added to its browser, where its proxy lies and looks like
        the input's. A frame that could not be filled is in it as it was; its attribute ``MedInpaint.NotFilled`` and
        its description say why. The selected frame stays selected, and nothing that was there is changed.

        Args:
            sequence: a sequence of scalar volumes, or a sequence browser, of which the first such sequence is taken.
            segmentation: marks the hole: one segmentation for all frames; a node that shows the segmentation of the
                selected frame in the same browser; or the sequence of segmentations itself.
            segmentIds: segment ids, the same in all frames. None: all segments.
            wait, finished, log: as for :meth:`inpaint`.
            progress, warning: as for :meth:`inpaintVolumes`.
            options: what else :meth:`inpaint` takes, but for ``outputVolume``. Of ``guides`` that change over the
                sequence, too, each frame is guided by its own.

        Returns:
            The new sequence node; with ``uncertainty=True``, it refers to the sequence of the standard deviations:
            ``GetNodeReference("MedInpaint.Uncertainty")``. Without waiting, a
            ``MedInpaintSlicer.jobs.sequence.SequenceJob``, which has ``cancel()`` (when frames were filled before, the
            new sequence has them, and the others as they were), ``state``, ``results`` (index value -> the new frame,
            or the error that says why it was not filled), ``reports``, ``outputSequence``, ``outputVolume``
            (its proxy), ``uncertaintySequence``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the sequence cannot be used, or not one frame could be filled.
        """
        arguments.checkNode("sequence", sequence)
        arguments.checkNode("segmentation", segmentation)
        sequenceNode = sequences.volumeSequenceOf(sequence)
        job = SequenceJob(
            sequenceNode,
            sequence if sequence is not sequenceNode else sequences.browserOf(sequenceNode),
            segmentation,
            _ids(segmentIds),
            fill.requestOf(**options),
            _runnerFor(wait),
            progress=progress,
            warning=warning,
            finished=finished,
            log=log,
        )
        return _started(job, wait, "outputSequence")

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
        log=None,
    ):
        """Estimate a contrast of a head that was not acquired, or is ruined, from others of the same subject.

        To repair a part of an image, fill it: ``inpaint(..., method="collagan", parameters={"target": "FLAIR",
        "guides": "T1, T2"}, guides=[t1, t2])``; voxels outside the segments stay as they are then.

        Args:
            volumes: contrast (T1, T2, FLAIR or T1C) -> a scalar volume, or None; one or more. They may have other grids
                and parent transforms than the reference.
            target: the contrast to estimate; a volume of it is not read.
            like: a volume of the target contrast, of another session or subject, whose intensities the result is to
                have. None: the median of the core of the head becomes 1000.
            register: register the volumes rigidly to the reference first.
            model: a model by name or folder; ``"auto"`` takes the first that estimates contrasts.
            reference: the contrast on whose grid, and under whose parent transform, the result is. None: the first.
            outputVolume: takes the result; None: a new volume beside the reference.
            device, wait, progress, warning, finished, log: as for :meth:`inpaint`.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.jobs.impute.ImputeJob``, which
            has ``cancel()``, ``state``, ``outputVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the estimate failed.
        """
        arguments.checkMapping("volumes", volumes)
        for name, node in volumes.items():
            arguments.text("volumes (a contrast)", name)
            arguments.checkVolume(f"volumes['{name}']", node)
        for name, text in (("target", target), ("device", device), *([("reference", reference)] if reference else [])):
            arguments.text(name, text)
        for name, node in (("like", like), ("outputVolume", outputVolume)):
            arguments.checkVolume(name, node)
        arguments.checkPath("model", model)
        request = impute.Request(dict(volumes), target, like, register, model, reference, outputVolume, device)
        return self._do(impute.ImputeJob, request, wait, progress=progress, warning=warning, finished=finished, log=log)

    def evaluate(
        self,
        volumeNode,
        holes=None,
        methods=evaluation.QUICK_METHODS,
        segmentationNode=None,
        segmentIds=None,
        avoid=None,
        parameters=None,
        convention="masked",
        device="auto",
        seed=0,
        wait=True,
        progress=None,
        warning=None,
        finished=None,
        log=None,
    ):
        """Score methods on holes that are cut out of a healthy volume, where the truth is known.

        Args:
            volumeNode: a scalar volume, healthy where holes may lie; it is not changed.
            holes: what to cut out at random places of the body: a description such as ``"spheres:20mm:6"`` or several,
                each evaluated by itself. None: ``"spheres:20mm:6"``, but nothing where a segmentation is given.
                ``MedInpaintLib.holes.grammar()`` has all descriptions.
            methods: names out of ``MedInpaintLib.list_methods()``, or ``"auto"``. The trivial fill ``"shell-mean"`` is
                always added, as the yardstick. A method that fails is left out with a warning.
            segmentationNode: marks holes: each connected part of its segments is one.
            segmentIds: segment ids; None: all segments.
            avoid: a segmentation of where no random hole may lie, such as lesions.
            parameters: method -> its parameters, name -> value; those not given have their defaults.
            convention: of the scores: ``"masked"``, ``"brats"`` or ``"rfr-report"``.
            device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; for the methods that want a GPU.
            seed: the same seed gives the same holes and the same fills.
            wait, progress, warning, finished, log: as for :meth:`inpaint`.

        Returns:
            The table node with a row for each set of holes, method and hole. Its node reference ``MedInpaint.Summary``
            is the table with a row for each method, and ``MedInpaint.Chart`` the plots, one for each set of holes.
            Without waiting, a ``MedInpaintSlicer.jobs.evaluate.EvaluateJob``, which has ``cancel()``, ``state``,
            ``scoresTable``, ``summaryTable``, ``charts``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or nothing could be scored.
        """
        if holes is None:
            holes = () if segmentationNode is not None else ("spheres:20mm:6",)
        arguments.checkVolume("volumeNode", volumeNode)
        arguments.checkSegmentation("segmentationNode", segmentationNode)
        arguments.checkSegmentation("avoid", avoid)
        request = evaluate.Request(
            volumeNode,
            holes=arguments.texts("holes", holes),
            methods=arguments.texts("methods", methods),
            segmentationNode=segmentationNode,
            segmentIds=_chosen(segmentationNode, segmentIds),
            avoidNode=avoid,
            avoidSegmentIds=allSegmentIds(avoid),
            parameters=arguments.values("parameters", parameters),
            convention=arguments.text("convention", convention),
            device=arguments.text("device", device),
            seed=arguments.wholeNumber("seed", seed),
        )
        callbacks = {"progress": progress, "warning": warning, "finished": finished, "log": log}
        return _started(evaluate.EvaluateJob(request, _runnerFor(wait)(), **callbacks), wait, "scoresTable")

    def _do(self, kind, request, wait, **callbacks):
        return _started(kind(request, _runnerFor(wait)(), **callbacks), wait)


def _runnerFor(wait: bool):
    return process.ForegroundRunner if wait else process.BackgroundRunner


def _started(job, wait: bool, result: str = "outputVolume"):
    """Start a job and return its result when waiting for it, else the job."""
    job.start()
    if not wait:
        return job
    if job.error is not None:
        raise job.error
    return getattr(job, result)


def _ids(segmentIds) -> tuple[str, ...] | None:
    """Return one segment id or several as a tuple; None: all segments."""
    return None if segmentIds is None else arguments.texts("segmentIds", segmentIds)


def _idsOfEach(segmentIds):
    """Return segment ids for all volumes, or volume -> ids."""
    if not isinstance(segmentIds, Mapping):
        return _ids(segmentIds)
    return {volume: _ids(each) for volume, each in segmentIds.items()}


def _chosen(segmentationNode, segmentIds) -> tuple[str, ...]:
    ids = _ids(segmentIds)
    return allSegmentIds(segmentationNode) if ids is None else ids
