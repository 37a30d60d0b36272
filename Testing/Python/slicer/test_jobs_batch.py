"""Many fillings one after another; with the engine, and with workers that only pretend."""

import functools

import numpy as np
import pytest
import slicer
from panelhost import mrml
from panelhost.batches import Workers, addSequence, damagedRamp, framesOf, nodeNames
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, ramp, rotation

from MedInpaintLib.errors import InputError, MaskError, MedInpaintError, ParameterError
from MedInpaintSlicer.jobs import fill, process
from MedInpaintSlicer.jobs import volumes as volumesjobs
from MedInpaintSlicer.jobs.sequence import SequenceJob
from MedInpaintSlicer.jobs.volumes import VolumesJob
from MedInpaintSlicer.nodes import sequences


def _request(values):
    """What a script asks for, by the names of :class:`MedInpaintLogic`."""
    return fill.requestOf(**{"method": "harmonic", **(values or {})})


def _started(kind, *inputs, segmentIds=None, options=None, workers=None, **callbacks):
    job = kind(*inputs, segmentIds, _request(options), workers or process.ForegroundRunner, **callbacks)
    job.start()
    return job


_volumesJob = functools.partial(_started, VolumesJob)
_sequenceJob = functools.partial(_started, SequenceJob)


def _volumes(count: int = 3):
    """Damaged volumes "V0", "V1", ..., and a segmentation with the hole of them all."""
    volumes = [addVolume(damagedRamp(number), name=f"V{number}") for number in range(count)]
    return volumes, addSegmentation(volumes[0], lesion=box())


def _sequence(count: int = 4):
    """A damaged sequence, its browser, and a segmentation with the hole of all frames."""
    sequence, browser = addSequence([damagedRamp(number) for number in range(count)])
    return sequence, browser, addSegmentation(browser.GetProxyNode(sequence), lesion=box())


def _volumesBatch(count: int = 3, **asked):
    """Pretending workers, the batch that has been started with them, its volumes and their segmentation."""
    workers, inputs = Workers(), _volumes(count)
    return workers, _volumesJob(*inputs, workers=workers, **asked), *inputs


def _sequenceBatch(count: int = 4, **asked):
    """Pretending workers, the batch that has been started with them, its sequence, the browser and the segmentation."""
    workers, inputs = Workers(), _sequence(count)
    return workers, _sequenceJob(*inputs, workers=workers, **asked), *inputs


def _voxels(node) -> np.ndarray:
    return slicer.util.arrayFromVolume(node)


# Volumes


def test_each_volume_gets_its_own_result_and_stays_as_it_was():
    volumes, segmentation = _volumes()
    job = _volumesJob(volumes, segmentation)
    assert job.state == "done"
    assert list(job.results) == job.filled == volumes
    for number, volume in enumerate(volumes):
        result = job.results[volume]
        # A linear image is harmonic along every axis of the grid, so the fill restores it.
        assert np.array_equal(_voxels(result), ramp() + number)
        assert np.array_equal(_voxels(volume), damagedRamp(number))
        assert result.GetName() == f"V{number} filled (harmonic)"
        assert job.reports[volume]["method"] == "harmonic"
    assert job.outputVolume is job.results[volumes[0]]
    assert job.failures == job.warnings == []


def test_one_that_cannot_be_filled_does_not_stop_the_others():
    volumes, segmentation = _volumes()
    far = np.eye(4)
    far[:3, 3] = 500
    volumes[1].SetAndObserveTransformNodeID(addTransform(far).GetID())
    workers = Workers()
    job = _volumesJob(volumes, segmentation, workers=workers)
    workers.fill()
    workers.fill()
    assert job.state == "done"
    assert job.filled == [volumes[0], volumes[2]]
    assert isinstance(job.results[volumes[1]], MaskError)
    assert job.results[volumes[1]].__traceback__ is None, "it would keep the image and the hole in memory"
    (line,) = job.failures
    assert line.startswith("V1: No voxel of volume 'V1' is inside")
    assert [hasattr(each, "job") for each in workers.runners] == [True, False, True], "there is nothing for V1's worker"


def test_one_that_fails_in_its_worker_does_not_stop_the_others():
    ended = []
    workers, job, volumes, *_ = _volumesBatch(finished=ended.append)
    workers.fail("Too much.")
    workers.fill()
    workers.runners[-1].exit(-11)
    assert ended == [job]
    assert job.state == "done"
    assert isinstance(job.results[volumes[0]], MaskError)
    assert "SIGSEGV" in str(job.results[volumes[2]])
    assert [line[:4] for line in job.failures] == ["V0: ", "V2: "]


def test_one_worker_at_a_time():
    workers, job, *_ = _volumesBatch()
    for number in range(3):
        assert len(workers.runners) == number + 1
        assert job.state == "running"
        workers.fill()
    assert job.state == "done"


def test_when_none_was_filled_the_batch_has_failed():
    workers, job, *_ = _volumesBatch(2)
    before = nodeNames()
    workers.fail("Too much.")
    workers.fail("Too much.")
    assert job.state == "failed"
    assert type(job.error) is MedInpaintError
    assert str(job.error) == "Nothing was filled. V0, V1: Too much."
    assert job.outputVolume is None
    assert nodeNames() == before


def test_the_error_of_a_single_one_is_its_own():
    workers, job, *_ = _volumesBatch(1)
    workers.fail("Too much.")
    assert isinstance(job.error, MaskError)
    assert str(job.error) == "Too much."


def test_each_volume_can_have_its_own_segments():
    volumes, segmentation = _volumes()
    other = addSegmentation(volumes[1], lesion=box(), corner=box(k=(0, 1)))
    workers = Workers()
    own = {volumes[0]: segmentation, volumes[1]: other}
    job = _volumesJob(volumes, own, segmentIds={volumes[1]: ["corner"]}, workers=workers)
    workers.fill()
    workers.fill()
    assert np.array_equal(_voxels(job.results[volumes[0]]) != damagedRamp(0), box())
    assert np.array_equal(_voxels(job.results[volumes[1]]) == 999, box(k=(0, 1)))
    assert job.failures == ["V2: It has no segmentation that marks a hole."]


def test_a_volume_is_guided_by_the_others_and_never_by_itself():
    volumes, segmentation = _volumes()
    workers = Workers()
    _volumesJob(volumes, segmentation, options={"guides": volumes}, workers=workers)
    guides = []
    for _ in volumes:
        guides.append([path.rpartition("/")[2] for path in workers.runners[-1].job["guides"]])
        workers.fill()
    assert guides == [["V1.nrrd", "V2.nrrd"], ["V0.nrrd", "V2.nrrd"], ["V0.nrrd", "V1.nrrd"]]


def test_the_options_reach_each_worker():
    volumes, segmentation = _volumes(2)
    workers = Workers()
    options = {"method": "patch", "parameters": {"size": 5}, "blend": "feather", "seed": 3, "dilateMm": 2.5}
    job = _volumesJob(volumes, segmentation, options=options | {"uncertainty": True}, workers=workers)
    for volume in volumes:
        asked = workers.runners[-1].job
        assert (asked["method"], asked["parameters"], asked["blend"]) == ("patch", {"size": 5}, "feather")
        assert (asked["seed"], asked["dilate_mm"]) == (3, 2.5)
        workers.fill()
        assert job.results[volume].GetNodeReference("MedInpaint.Uncertainty") is not None


def test_what_makes_no_sense_for_many_is_refused_at_once():
    volumes, segmentation = _volumes(1)
    with pytest.raises(ParameterError, match="each gets a new one"):
        _volumesJob(volumes, segmentation, options={"outputVolume": addVolume()})
    with pytest.raises(TypeError, match="speed"):
        _volumesJob(volumes, segmentation, options={"speed": 9})
    with pytest.raises(InputError, match="nothing to fill"):
        _volumesJob([], segmentation)


def test_a_volume_that_is_given_twice_is_filled_once():
    volumes, segmentation = _volumes(1)
    workers = Workers()
    job = _volumesJob(volumes * 2, segmentation, workers=workers)
    workers.fill()
    assert job.state == "done"
    assert len(workers.runners) == 1


def test_the_progress_is_that_of_all_and_says_where_it_is():
    told = []
    workers, *_ = _volumesBatch(2, progress=lambda *said: told.append(said))
    workers.runners[-1].say({"event": "progress", "fraction": 0.5, "stage": "Filling"})
    workers.fail("No.")
    workers.runners[-1].say({"event": "progress", "fraction": 0.5, "stage": "Filling"})
    assert told == [
        (0.0, "1 of 2: V0"),
        (0.25, "1 of 2: V0: Filling"),
        (0.5, "2 of 2: V1"),
        (0.75, "2 of 2: V1: Filling"),
    ]


def test_a_warning_is_told_once_and_at_the_end_with_all_that_it_is_about():
    told = []
    workers, job, *_ = _volumesBatch(2, warning=told.append)
    for message in ("Large hole.", "Large hole."):
        workers.runners[-1].say({"event": "warning", "message": message})
        workers.fill()
    assert told == ["V0: Large hole."]
    assert job.warnings == ["V0, V1: Large hole."]


def test_cancelling_ends_the_worker_and_keeps_what_was_filled():
    ended = []
    workers, job, volumes, *_ = _volumesBatch(finished=ended.append)
    workers.fill()
    before = nodeNames()
    job.cancel()
    assert workers.runners[-1].killed
    assert job.state == "cancelled"
    assert ended == [job]
    assert job.filled == volumes[:1]
    workers.runners[-1].exit(-9)  # the process's end is told later
    assert len(workers.runners) == 2
    assert nodeNames() == before
    job.cancel()
    assert ended == [job]


def test_one_who_is_told_of_the_progress_can_cancel():
    volumes, segmentation = _volumes(1)
    workers = Workers()
    job = VolumesJob(volumes, segmentation, None, _request({}), workers, progress=lambda *said: job.cancel())
    job.start()
    assert job.state == "cancelled"
    assert workers.runners == []


def test_volumes_and_segmentations_that_are_removed_meanwhile_are_left_out():
    workers, job, volumes, segmentation = _volumesBatch(4)
    slicer.mrmlScene.RemoveNode(volumes[0])
    assert workers.runners[0].killed
    slicer.mrmlScene.RemoveNode(volumes[2])
    workers.fill()
    assert job.state == "running"
    slicer.mrmlScene.RemoveNode(segmentation)  # the hole of the one that runs has been read
    workers.fill()
    assert job.filled == [volumes[1], volumes[3]]
    assert [line[:3] for line in job.failures] == ["V0:", "V2:"]
    assert "'V2' was removed from the scene" in job.failures[1]


def test_a_segmentation_that_is_removed_ends_the_batch_one_by_one():
    workers, job, volumes, segmentation = _volumesBatch()
    slicer.mrmlScene.RemoveNode(segmentation)
    workers.fill()
    assert job.filled == volumes[:1]
    assert job.failures == ["V1, V2: 'Segmentation' was removed from the scene before."]


def test_closing_the_scene_ends_all():
    ended = []
    workers, job, *_ = _volumesBatch(finished=ended.append)
    mrml.clearScene()
    assert job.state == "cancelled"
    assert ended == [job]
    assert workers.runners[0].killed
    assert len(workers.runners) == 1


def test_a_long_batch_is_no_deep_one():
    """A filling for which one waits ends inside its start."""

    class Failing:
        def start(self, command, folder, onLine, onExit):
            onExit(1)

        def kill(self):
            pass

    volumes = [addVolume(damagedRamp(0), name=f"V{number}") for number in range(300)]
    job = _volumesJob(volumes, addSegmentation(volumes[0], lesion=box()), workers=Failing)
    assert job.state == "failed"
    assert len(job.results) == 300


def test_a_stop_while_waiting_ends_all():
    class Interrupted:
        def start(self, command, folder, onLine, onExit):
            raise KeyboardInterrupt

        def kill(self):
            pass

    sequence, browser, segmentation = _sequence(2)
    before = nodeNames()
    job = SequenceJob(sequence, browser, segmentation, None, _request({}), Interrupted)
    with pytest.raises(KeyboardInterrupt):
        job.start()
    assert job.state == "failed"
    assert nodeNames() == before


def test_a_fault_of_the_program_is_told_and_does_not_stop_the_others(monkeypatch):
    volumes, segmentation = _volumes(2)
    workers = Workers()
    monkeypatch.setattr(volumesjobs, "allSegmentIds", lambda node: [][1])
    job = _volumesJob(volumes, segmentation, workers=workers)
    assert job.state == "failed"
    assert "report it" in str(job.error)
    assert "IndexError" in job.failures[0]


# Sequences


def test_every_frame_is_filled_exactly_and_the_input_stays_bit_identical():
    sequence, browser, segmentation = _sequence()
    browser.SetSelectedItemNumber(2)
    proxy = browser.GetProxyNode(sequence)
    before = framesOf(sequence)
    nodes = nodeNames()
    job = _sequenceJob(sequence, browser, segmentation)
    assert job.state == "done", job.error
    filled = framesOf(job.outputSequence)
    assert list(filled) == ["0.0", "0.5", "1.0", "1.5"]
    for number, (value, array) in enumerate(filled.items()):
        assert np.array_equal(array, ramp() + number)
        assert array.dtype == np.int16
        assert job.results[value] is job.outputSequence.GetDataNodeAtValue(value)
        assert job.results[value].GetAttribute("MedInpaint.Method") == "harmonic"
        assert "of 'CT' filled" in job.results[value].GetDescription()
    assert all(np.array_equal(array, before[value]) for value, array in framesOf(sequence).items())
    assert browser.GetSelectedItemNumber() == 2
    assert browser.GetProxyNode(sequence) is proxy
    assert np.array_equal(_voxels(proxy), damagedRamp(2))
    assert np.array_equal(_voxels(job.outputVolume), ramp() + 2)
    added = [each.partition(" ")[0].rstrip("0123456789") for each in set(nodeNames()) - set(nodes)]
    assert sorted(added) == [
        "vtkMRMLScalarVolumeDisplayNode",
        "vtkMRMLScalarVolumeNode",
        "vtkMRMLSequenceNode",
        "vtkMRMLVolumeArchetypeStorageNode",
    ]


def test_the_hole_is_where_parent_transforms_put_it():
    sequence, browser = addSequence([np.where(box(i=(5, 10)), 0, ramp()).astype(np.int16)] * 2)
    proxy = browser.GetProxyNode(sequence)
    segmentation = addSegmentation(proxy, lesion=box())
    shift, turned = np.eye(4), rotation(25, "Y")
    shift[:3, 3] = obliqueMatrix()[:3, 0]
    proxy.SetAndObserveTransformNodeID(addTransform(turned).GetID())
    segmentation.SetAndObserveTransformNodeID(addTransform(turned @ shift).GetID())
    job = _sequenceJob(sequence, browser, segmentation)
    assert all(np.allclose(array, ramp(), atol=1) for array in framesOf(job.outputSequence).values())
    assert job.outputVolume.GetParentTransformNode() is proxy.GetParentTransformNode()


def test_a_hole_that_moves_with_a_transform_is_filled_where_it_is_in_each_frame():
    moves = []
    for number in range(3):
        matrix = np.eye(4)
        matrix[:3, 3] = number * obliqueMatrix()[:3, 0]
        moves.append(addTransform(matrix))
    holes = [box(i=(4 + number, 9 + number)) for number in range(3)]
    sequence, browser = addSequence([np.where(hole, 0, ramp()).astype(np.int16) for hole in holes])
    moving, _ = addSequence(moves, "Motion", browser=browser)
    segmentation = addSegmentation(browser.GetProxyNode(sequence), lesion=box())
    segmentation.SetAndObserveTransformNodeID(browser.GetProxyNode(moving).GetID())
    nodes = nodeNames()
    workers = Workers()
    job = _sequenceJob(sequence, browser, segmentation, workers=workers)
    for _ in range(3):
        workers.fill()
    for array, hole in zip(framesOf(job.outputSequence).values(), holes, strict=True):
        assert np.array_equal(array == 999, hole)
    assert set(nodes) < set(nodeNames())


def _changingSegmentation(holes, browser):
    volume = addVolume()
    frames = [addSegmentation(volume, lesion=hole) for hole in holes]
    slicer.mrmlScene.RemoveNode(volume)
    return addSequence(frames, "Lesions", browser=browser)[0]


@pytest.mark.parametrize("given", ["proxy", "sequence"])
def test_a_segmentation_that_changes_is_taken_as_it_is_in_each_frame(given):
    sequence, browser = addSequence([ramp(), ramp() + 1])
    holes = [box(), box(k=(1, 3))]
    segmentations = _changingSegmentation(holes, browser)
    proxy = browser.GetProxyNode(segmentations)
    workers = Workers()
    segmentation = proxy if given == "proxy" else segmentations
    job = _sequenceJob(sequence, browser, segmentation, segmentIds=["lesion"], workers=workers)
    for _ in holes:
        workers.fill()
    for array, hole in zip(framesOf(job.outputSequence).values(), holes, strict=True):
        assert np.array_equal(array == 999, hole)
    assert proxy.GetScene() is slicer.mrmlScene


def test_guides_that_change_are_those_of_the_frame():
    from MedInpaintLib import Volume

    sequence, browser, segmentation = _sequence(2)
    changing, _ = addSequence([ramp() + 50, ramp() + 60], "T2", browser=browser)
    still = addVolume(ramp() + 70, name="Still")
    guides = [browser.GetProxyNode(changing), still, browser.GetProxyNode(sequence)]
    workers = Workers()
    _sequenceJob(sequence, browser, segmentation, options={"guides": guides}, workers=workers)
    for number in (50, 60):
        arrays = [Volume.read(path).array for path in workers.runners[-1].job["guides"]]
        assert len(arrays) == 2, "a frame is not its own guide"
        assert np.array_equal(arrays[0], ramp() + number)
        assert np.array_equal(arrays[1], ramp() + 70)
        workers.fill()


def test_a_frame_that_cannot_be_filled_is_in_the_result_as_it_was_and_says_why():
    sequence, browser = addSequence([damagedRamp(number) for number in range(3)])
    segmentations = _changingSegmentation([box(), np.zeros_like(box())], browser)
    workers = Workers()
    job = _sequenceJob(sequence, browser, browser.GetProxyNode(segmentations), workers=workers)
    workers.fill()
    assert job.state == "done"
    arrays = framesOf(job.outputSequence)
    assert np.array_equal(arrays["0.5"], damagedRamp(1))
    assert np.array_equal(arrays["1.0"], damagedRamp(2))
    empty, missing = (job.outputSequence.GetDataNodeAtValue(value) for value in ("0.5", "1.0"))
    assert "No voxel" in empty.GetAttribute("MedInpaint.NotFilled")
    assert missing.GetAttribute("MedInpaint.NotFilled") == "Sequence 'Lesions' has nothing at time 1.0 s."
    assert job.failures[1] == "time 1.0 s: Sequence 'Lesions' has nothing at time 1.0 s."
    assert "1 of 3 frames of 'CT' filled" in job.outputSequence.GetDescription()


def test_when_no_frame_was_filled_there_is_no_trace():
    sequence, browser, segmentation = _sequence(3)
    nodes = nodeNames()
    workers = Workers()
    job = _sequenceJob(sequence, browser, segmentation, workers=workers)
    for _ in range(3):
        workers.fail("Too much.")
    assert job.state == "failed"
    assert str(job.error).endswith("time 0.0 s, time 0.5 s, time 1.0 s: Too much.")
    assert job.outputSequence is None
    assert nodeNames() == nodes
    assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1


def test_cancelling_keeps_the_frames_that_were_filled_among_the_others():
    ended = []
    workers, job, *_ = _sequenceBatch(finished=ended.append)
    workers.fill()
    job.cancel()
    assert ended == [job]
    assert workers.runners[-1].killed
    assert job.state == "cancelled"
    arrays = framesOf(job.outputSequence)
    assert np.array_equal(arrays["0.0"] == 999, box())
    for number, value in ((1, "0.5"), (2, "1.0"), (3, "1.5")):
        assert np.array_equal(arrays[value], damagedRamp(number))
        assert "cancelled" in job.outputSequence.GetDataNodeAtValue(value).GetAttribute("MedInpaint.NotFilled")
    hidden = [each for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if each.GetHideFromEditors()]
    assert hidden == []


def test_cancelling_before_any_frame_was_filled_leaves_no_trace():
    sequence, browser, segmentation = _sequence()
    nodes = nodeNames()
    workers = Workers()
    job = _sequenceJob(sequence, browser, segmentation, workers=workers)
    assert nodeNames() != nodes, "a frame is in the scene while it is filled"
    job.cancel()
    assert nodeNames() == nodes
    assert job.outputSequence is None


def test_removing_the_sequence_ends_all_at_once():
    ended = []
    workers, job, sequence, *_ = _sequenceBatch(finished=ended.append)
    workers.fill()
    slicer.mrmlScene.RemoveNode(sequence)
    assert workers.runners[-1].killed
    assert ended == [job]
    assert job.state == "failed"
    assert isinstance(job.error, InputError)
    assert "removed" in str(job.error)
    names = [each.partition(" ")[2] for each in nodeNames()]
    assert "CT filled (harmonic)" not in names


def test_without_a_browser_there_is_only_the_sequence():
    workers, job, _, browser, *_ = _sequenceBatch(2)
    workers.fill()
    slicer.mrmlScene.RemoveNode(browser)
    workers.fill()
    assert job.state == "done"
    assert job.outputSequence.GetScene() is slicer.mrmlScene
    assert job.outputVolume is None


def test_closing_the_scene_takes_the_sequence_with_it():
    workers, job, *_ = _sequenceBatch()
    workers.fill()
    mrml.clearScene()
    assert job.state == "cancelled"
    assert job.outputSequence is None
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []


def test_the_uncertainty_is_a_sequence_of_its_own():
    workers, job, *_ = _sequenceBatch(2, options={"uncertainty": True})
    workers.fill(value=3)
    workers.fail("Too much.")
    arrays = framesOf(job.uncertaintySequence)
    assert np.array_equal(arrays["0.0"], box() * np.float32(3))
    assert not arrays["0.5"].any()
    assert job.outputSequence.GetNodeReference("MedInpaint.Uncertainty") is job.uncertaintySequence
    names = {each.GetName() for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
    assert names == {"CT", "CT filled (harmonic)", "CT uncertainty (harmonic)"}


def test_there_is_no_sequence_of_the_uncertainty_where_a_frame_has_none():
    workers, job, *_ = _sequenceBatch(2, options={"uncertainty": True})
    workers.fill(value=3)
    workers.fill(value=4, uncertainty={"basis": "", "reason": "never measured", "factors": {}})
    assert job.state == "done", job.error
    assert job.uncertaintySequence is None
    assert job.outputSequence.GetNodeReference("MedInpaint.Uncertainty") is None
    names = {each.GetName() for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
    assert names == {"CT", "CT filled (harmonic)"}


def test_a_sequence_whose_frames_were_filled_differently_says_so():
    workers, job, *_ = _sequenceBatch(2, options={"method": "auto"})
    workers.fill(method="harmonic")
    workers.fill(method="patch")
    assert job.outputSequence.GetName() == "CT filled (auto)"
    assert [each["method"] for each in job.reports.values()] == ["harmonic", "patch"]


# Taking back


def _synchronized(browser) -> list:
    return [browser.GetProxyNode(each) for each in slicer.util.getNodesByClass("vtkMRMLSequenceNode")]


def test_undo_removes_all_results_and_nothing_else():
    volumes, segmentation = _volumes(2)
    before, workers = set(nodeNames()), Workers()
    job = _volumesJob(volumes, segmentation, options={"uncertainty": True}, workers=workers)
    workers.fill()
    job.undo()
    assert job.results[volumes[0]].GetScene() is not None, "while it runs, nothing is taken back"
    workers.fill()
    made = set(nodeNames()) - before
    assert len(job.created) == 4
    other = addVolume(name="Other")
    after = set(nodeNames())
    job.undo()
    job.undo()
    assert set(nodeNames()) == after - made
    assert other.GetScene() is not None


def test_undo_after_cancel_removes_what_was_kept_as_far_as_it_is_still_there():
    volumes, segmentation = _volumes()
    before, workers = nodeNames(), Workers()
    job = _volumesJob(volumes, segmentation, workers=workers)
    workers.fill()
    workers.fill()
    job.cancel()
    slicer.mrmlScene.RemoveNode(job.results[volumes[0]].GetDisplayNode())
    slicer.mrmlScene.RemoveNode(job.results[volumes[0]])
    job.undo()
    assert nodeNames() == before


@pytest.mark.parametrize("uncertainty", [False, True])
def test_undo_takes_the_new_sequences_out_of_the_scene_and_the_browser(uncertainty):
    sequence, browser, segmentation = _sequence(2)
    browser.SetSelectedItemNumber(1)
    before, workers = nodeNames(), Workers()
    shown = _synchronized(browser)
    job = _sequenceJob(sequence, browser, segmentation, options={"uncertainty": uncertainty}, workers=workers)
    workers.fill()
    workers.fill()
    made = job.outputSequence
    assert browser.IsSynchronizedSequenceNode(made)
    assert len(job.created) == (4 if uncertainty else 2)
    job.undo()
    job.undo()
    assert nodeNames() == before
    assert made.GetScene() is None
    assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1
    assert browser.GetSelectedItemNumber() == 1
    assert _synchronized(browser) == shown


@pytest.mark.parametrize("gone", ["browser", "sequence", "proxy", "input"])
def test_undo_of_a_sequence_does_no_harm_when_some_of_it_was_removed_by_hand(gone):
    workers, job, sequence, browser, *_ = _sequenceBatch(2)
    workers.fill()
    workers.fill()
    nodes = {"browser": browser, "sequence": job.outputSequence, "proxy": job.outputVolume, "input": sequence}
    slicer.mrmlScene.RemoveNode(nodes[gone])
    job.undo()
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == ([] if gone == "input" else [sequence])
    names = {each.GetName() for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
    assert names <= {"CT"}


def test_a_sequence_that_cannot_be_shown_leaves_nothing_behind(monkeypatch):
    def fail(*given):
        raise RuntimeError("no colors")

    sequence, browser, segmentation = _sequence(2)
    before, workers, ended = nodeNames(), Workers(), []
    monkeypatch.setattr(sequences.FilledSequence, "_showUncertainty", fail)
    options = {"uncertainty": True}
    job = _sequenceJob(sequence, browser, segmentation, options=options, workers=workers, finished=ended.append)
    workers.fill()
    workers.fill()
    assert ended == [job]
    assert job.state == "failed"
    assert str(job.error) == "no colors"
    assert nodeNames() == before
    assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1
