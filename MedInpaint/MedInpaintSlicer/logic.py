"""The functions that scripts call; the panel calls the same."""

from collections.abc import Mapping

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from . import evaluation
from .jobs import evaluate, fill, impute, process
from .jobs.sequence import SequenceJob
from .jobs.volumes import VolumesJob
from .nodes import arguments, lesionback, sequences
from .nodes.segments import allSegmentIds
from .parameters import MedInpaintParameterNode


class MedInpaintLogic(ScriptedLoadableModuleLogic):
    """The functions for scripts: fill, estimate and evaluate without panel and main window.

    In the Python console::

        from MedInpaint import MedInpaintLogic
        filled = MedInpaintLogic().inpaint(getNode("T1"), getNode("Segmentation"), segmentIds=["Segment_1"])
    """

    def getParameterNode(self) -> MedInpaintParameterNode:
        """Return the panel's choices in the scene."""
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
        grain=False,
        guides=(),
        exemplars=None,
        selfCheck=False,
        regions=False,
        outputVolume=None,
        uncertainty=False,
        samples=0,
        force=False,
        workers=None,
        wait=True,
        progress=None,
        warning=None,
        finished=None,
        log=None,
    ):
        """Fill segments of a volume; the voxels outside them, and the input volume, do not change.

        Args:
            volumeNode: a scalar volume.
            segmentationNode: marks the hole; it may be under another parent transform than the volume.
            segmentIds: one segment id or several, whose union is the hole. None: all segments.
            method: a name from ``MedInpaintLib.list_methods()``, or ``"auto"``.
            parameters: the method's parameters, name -> value; missing ones have their defaults.
            blend: how the fill is joined to its rim: ``"auto"``, ``"paste"``, ``"feather"`` or ``"poisson"``.
            device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
            seed: the same seed gives the same voxels.
            dilateMm: the hole is grown by this many mm first.
            grain: add noise like that of the scan to fills that are smoother than it.
            guides: one scalar volume or several: other contrasts of the same subject, undamaged inside the hole. They
                may have other grids and parent transforms. Ignored by methods that cannot use them.
            exemplars: a folder with scans of other subjects in the same contrast, for the methods that use them.
            selfCheck: first fill trial holes in healthy tissue of the same volume; with ``method="auto"``, several
                methods are tried and the best one is used. The scores are in the job's ``report["self_check"]``, and
                as JSON in the result's attribute ``MedInpaint.SelfCheck``.
            regions: name the regions of the brain that each part lies in, by the atlas, in the job's
                ``report["parts"]``; takes some seconds.
            outputVolume: takes the result; None: a new volume beside the input.
            uncertainty: also add a volume with the standard deviation of the error, where one is known: the result's
                ``GetNodeReference("MedInpaint.Uncertainty")``.
            samples: also add a sequence of so many plausible fills, 0 to 100, which differ as the uncertainty says: the
                result's ``GetNodeReference("MedInpaint.Samples")``.
            force: fill although the hole looks wrong, for example inverted.
            workers: how many parts of the hole are filled at a time; None: as many as there are cores. The voxels are
                the same.
            wait: return only when all is done; otherwise the job runs while the application's event loop runs.
            progress: called with a fraction of 0..1 and the name of the stage.
            warning: called with each warning as text; warnings are also logged and written to the result.
            finished: called with the job when it is done, failed or cancelled.
            log: called with each other line that the worker process prints.

        Returns:
            The volume node of the result; without waiting, a ``MedInpaintSlicer.jobs.fill.FillJob``, which has
            ``cancel()``, ``state``, ``outputVolume``, ``uncertaintyVolume``, ``samplesSequence``, ``report``,
            ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the fill failed.
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
            grain=grain,
            guides=guides,
            exemplars=exemplars,
            selfCheck=selfCheck,
            regions=regions,
            outputVolume=outputVolume,
            uncertainty=uncertainty,
            samples=samples,
            force=force,
            workers=workers,
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
        """Fill many volumes one after another, as :meth:`inpaint` does; one that fails does not stop the others.

        Args:
            volumeNodes: scalar volumes.
            segmentations: one segmentation for all of them, or volume -> segmentation.
            segmentIds: segment ids for all of them, or volume -> ids. None: all segments.
            wait, finished, log: as for :meth:`inpaint`.
            progress: called with the fraction of all, 0..1, and the current stage: "2 of 5: T1: Filling".
            warning: called with each new warning as text.
            options: further arguments of :meth:`inpaint` except ``outputVolume``; the same for all. A volume is not
                used as its own guide.

        Returns:
            volume -> the volume node of its result, or the error that says why it was not filled; without waiting, a
            ``MedInpaintSlicer.jobs.volumes.VolumesJob``, which has ``cancel()`` (keeps the volumes filled so far),
            ``state``, ``results`` (returned when waiting), ``reports``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: none of the volumes could be filled.
        """
        for node in segmentations.values() if isinstance(segmentations, Mapping) else [segmentations]:
            arguments.checkSegmentation("segmentations", node)
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
        """Fill every frame of a sequence of volumes separately, as :meth:`inpaint` does, into a new sequence.

        The new sequence has the input's index and is added to the input's browser; its proxy has the input proxy's
        transform and appearance. A frame that could not be filled is copied unchanged; its attribute
        ``MedInpaint.NotFilled`` and its description say why. The selected frame stays selected.

        Args:
            sequence: a sequence of scalar volumes, or a sequence browser, whose first such sequence is used.
            segmentation: marks the hole: one segmentation for all frames; a node that shows the segmentation of the
                selected frame in the same browser; or the sequence of segmentations itself.
            segmentIds: segment ids, the same in all frames. None: all segments.
            wait, finished, log: as for :meth:`inpaint`.
            progress, warning: as for :meth:`inpaintVolumes`.
            options: further arguments of :meth:`inpaint` except ``outputVolume``. Guides may also change from frame to
                frame.

        Returns:
            The new sequence node; with ``uncertainty=True``, it refers to the sequence of the standard deviations:
            ``GetNodeReference("MedInpaint.Uncertainty")``. Without waiting, a
            ``MedInpaintSlicer.jobs.sequence.SequenceJob``, which has ``cancel()`` (keeps the frames filled so far; the
            others are unchanged), ``state``, ``results`` (index value -> the new frame, or the error that says why it
            was not filled), ``reports``, ``outputSequence``, ``outputVolume`` (its proxy), ``uncertaintySequence``,
            ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the sequence cannot be used, or no frame could be filled.
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
        """Estimate a missing or ruined contrast of a head from other contrasts of the same subject.

        To repair only a part of an image, fill it: ``inpaint(..., method="collagan", parameters={"target": "FLAIR",
        "guides": "T1, T2"}, guides=[t1, t2])``; voxels outside the segments then do not change.

        Args:
            volumes: contrast (T1, T2, FLAIR or T1C) -> a scalar volume or None; one or more. They may have other grids
                and parent transforms than the reference.
            target: the contrast to estimate; its own volume is not read.
            like: a volume of the target contrast, of another session or subject, whose intensities the result gets.
                None: the median of the core of the head becomes 1000.
            register: register the volumes rigidly to the reference first.
            model: a model's name or folder; ``"auto"``: the first model that estimates contrasts.
            reference: the contrast whose grid and parent transform the result gets. None: the first.
            outputVolume: takes the result; None: a new volume beside the reference.
            device, wait, progress, warning, finished, log: as for :meth:`inpaint`.

        Returns:
            The volume node of the result; without waiting, a ``MedInpaintSlicer.jobs.impute.ImputeJob``, which has
            ``cancel()``, ``state``, ``outputVolume``, ``report``, ``warnings`` and ``error``.

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

    def lesionBack(self, segmentation, lesion, segmentIds=None, volume=None, cut=False, number=None, warning=None):
        """Put a lesion back into a segmentation that was made of the filled volume, and measure the regions.

        Args:
            segmentation: a segmentation, or a label map volume; it does not change.
            lesion: the segmentation that marked the hole of the fill.
            segmentIds: its segments; None: all.
            volume: on whose grid segments are compared; None: the volume that they were drawn on.
            cut: only take the lesion away from the regions; otherwise, it becomes a segment or label of its own.
            number: the lesion's label in a label map; ``"sides"``: FreeSurfer's 25 (left) and 57 (right). None: 99
                where the labels are FreeSurfer's, else one more than the highest.
            warning: called with each warning as text.

        Returns:
            A new segmentation or label map volume. It refers to a table with a row for each region, its volume before
            and after, and how much of it lies under the lesion: ``GetNodeReference("MedInpaint.Regions")``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the nodes cannot be used.
        """
        arguments.checkSegmentation("lesion", lesion)
        arguments.checkVolume("volume", volume)
        marks = lesionback.Lesion(lesion, _chosen(lesion, segmentIds))
        node, warnings = lesionback.putBack(segmentation, marks, volume, cut=bool(cut), number=number)
        for each in warnings if warning is not None else ():
            warning(each)
        return node

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
        """Score methods on holes cut out of a healthy volume, where the truth is known.

        Args:
            volumeNode: a scalar volume, healthy where holes may lie; it is not changed.
            holes: the holes to cut out at random positions in the body: a description such as ``"spheres:20mm:6"``, or
                several, each a set of its own; see ``MedInpaintLib.holes.grammar()``. None: ``"spheres:20mm:6"``, or
                no random holes if there is a segmentation.
            methods: names from ``MedInpaintLib.list_methods()``, or ``"auto"``. The trivial fill ``"shell-mean"`` is
                always added as the yardstick. A method that fails is left out with a warning.
            segmentationNode: marks holes, one for each connected part of its segments.
            segmentIds: segment ids; None: all segments.
            avoid: a segmentation of tissue where no random hole may lie, such as lesions.
            parameters: method -> its parameters, name -> value; missing ones have their defaults.
            convention: of the scores: ``"masked"``, ``"brats"`` or ``"rfr-report"``.
            device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; for methods that use a GPU.
            seed: the same seed gives the same holes and the same fills.
            wait, progress, warning, finished, log: as for :meth:`inpaint`.

        Returns:
            The table node with a row for each set of holes, method and hole. It refers to the table with a row for each
            method (``MedInpaint.Summary``) and to a plot for each set of holes (``MedInpaint.Chart``). Without waiting,
            a ``MedInpaintSlicer.jobs.evaluate.EvaluateJob``, which has ``cancel()``, ``state``, ``scoresTable``,
            ``summaryTable``, ``charts``, ``report``, ``warnings`` and ``error``.

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
    """Start a job; return its result when waiting, else the job itself."""
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
    return {volume: _ids(ids) for volume, ids in segmentIds.items()}


def _chosen(segmentationNode, segmentIds) -> tuple[str, ...]:
    ids = _ids(segmentIds)
    return allSegmentIds(segmentationNode) if ids is None else ids
