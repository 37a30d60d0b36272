"""What scripts call; the panel calls the same."""

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from .jobs import fill, impute, process
from .nodes.segments import allSegmentIds
from .parameters import MedInpaintParameterNode


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
        log=None,
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
            log: called with each other line that the worker process prints.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.jobs.fill.FillJob``, which has
            ``cancel()``, ``state``, ``outputVolume``, ``uncertaintyVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the filling failed.
        """
        request = fill.Request(
            volumeNode=volumeNode,
            segmentationNode=segmentationNode,
            segmentIds=allSegmentIds(segmentationNode) if segmentIds is None else tuple(segmentIds),
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
        return self._do(fill.FillJob, request, wait, progress=progress, warning=warning, finished=finished, log=log)

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
            device, wait, progress, warning, finished, log: as for :meth:`inpaint`.

        Returns:
            The volume node that holds the result; without waiting, a ``MedInpaintSlicer.jobs.impute.ImputeJob``, which
            has ``cancel()``, ``state``, ``outputVolume``, ``report``, ``warnings`` and ``error``.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used, or the estimate failed.
        """
        request = impute.Request(dict(volumes), target, like, register, model, reference, outputVolume, device)
        return self._do(impute.ImputeJob, request, wait, progress=progress, warning=warning, finished=finished, log=log)

    def _do(self, kind, request, wait, **callbacks):
        runner = process.ForegroundRunner() if wait else process.BackgroundRunner()
        job = kind(request, runner, **callbacks)
        job.start()
        if not wait:
            return job
        if job.error is not None:
            raise job.error
        return job.outputVolume
