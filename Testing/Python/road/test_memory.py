"""Memory that is too small: for all slices at once, for one, for the network; on a device, and on the CPU.

No GPU is needed: what is put on the device ``cuda`` stays on the CPU here, and networks there refuse large batches as
PyTorch does.
"""

from __future__ import annotations

import concurrent.futures
import json
import threading

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.job import guarded

torch = pytest.importorskip("torch")

from MedInpaintLib.memory import OnDevice, is_out_of_memory  # noqa: E402

ERRORS = {
    "CUDA": torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "the driver": RuntimeError("CUDA error: out of memory"),
    "a library": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "MPS": RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB, max allowed: 9.07 GB)."),
    "Linux": RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
    "Windows": RuntimeError("[enforce fail at alloc_cpu.cpp:80] DefaultCPUAllocator: not enough memory: you tried"),
}
LEARNED = ["unet", "pconv", "rfr", "context-encoder", "edge-guided", "boundary-aware", "vae-latent", "gan-latent"]


# portions


class Cramped:
    """A device on which so many items fit at once; the CPU takes ``on_cpu``."""

    def __init__(self, fits, on_cpu=100, error=ERRORS["CUDA"]):
        self.fits, self.on_cpu, self.error = fits, on_cpu, error
        self.tried = []

    def work(self, network, device, rows):
        assert network == f"on {device}"
        count = rows.stop - rows.start
        self.tried.append((device, count))
        if count > (self.on_cpu if device == "cpu" else self.fits):
            raise self.error
        self.done += range(rows.start, rows.stop)

    def run(self, on_device, count, at_most):
        self.tried, self.done = [], []
        on_device.portions(count, at_most, self.work)
        assert self.done == list(range(count))
        return self.tried


def loaded(device="cuda"):
    return OnDevice("on {}".format, device)


def test_all_fit_in_portions_of_the_size_that_is_asked_for():
    there = loaded()
    assert Cramped(100).run(there, 10, 4) == [("cuda", 4), ("cuda", 4), ("cuda", 2)]
    assert (there.warnings, there.notes) == ((), {})


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_portions_are_halved_until_they_fit_and_stay_so(error):
    there, device = loaded(), Cramped(3, error=error)
    assert [count for _, count in device.run(there, 11, 8)] == [8, 4, 2, 2, 2, 2, 2, 1]
    assert [count for _, count in device.run(there, 3, 8)] == [2, 1]
    assert (there.device, there.warnings) == ("cuda", ())
    assert "fewer were taken" in there.notes["memory"]


def test_where_not_even_one_fits_the_cpu_goes_on_from_there_with_whole_portions():
    there, device = loaded(), Cramped(0)
    assert device.run(there, 6, 4) == [("cuda", 4), ("cuda", 2), ("cuda", 1), ("cpu", 4), ("cpu", 2)]
    assert there.device == "cpu"
    assert there.warnings == (
        "The memory of the device 'cuda' was too small even for one slice at a time; the CPU was used.",
    )
    assert device.run(there, 2, 4) == [("cpu", 2)]


def test_two_threads_that_find_the_memory_too_small_at_once_both_go_on_on_the_cpu():
    there, both_failed = loaded(), threading.Barrier(2)
    done = []

    def work(network, device, rows):
        if device != "cpu":
            both_failed.wait(timeout=30)
            raise ERRORS["CUDA"]
        done.append((network, rows))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(there.portions, 1, 4, work) for _ in range(2)]:
            future.result()
    assert done == [("on cpu", slice(0, 1))] * 2
    assert len(there.warnings) == 1


def test_what_was_done_on_the_device_is_not_done_again():
    there, device = loaded(), Cramped(4)
    done = []

    def work(network, place, rows):
        device.fits = 4 if rows.start < 4 else 0  # something else has taken the memory by then
        device.work(network, place, rows)
        done.append((place, rows.start))

    device.done = []
    there.portions(8, 4, work)
    assert done == [("cuda", 0), ("cpu", 4)]


def test_the_cpu_too_can_have_too_little():
    for start in ("cpu", "cuda"):
        there, device = loaded(start), Cramped(0, on_cpu=2, error=ERRORS["Linux"])
        assert device.run(there, 4, 4)[-2:] == [("cpu", 2), ("cpu", 2)]
    with pytest.raises(MemoryError):
        Cramped(0, on_cpu=0, error=ERRORS["Linux"]).run(loaded(), 4, 4)


def test_a_network_that_does_not_fit_is_loaded_on_the_cpu():
    def load(device):
        if device != "cpu":
            raise ERRORS["the driver"]
        return "on cpu"

    there = OnDevice(load, "cuda:1")
    assert (there.network, there.device) == ("on cpu", "cpu")
    assert there.warnings == ("The memory of the device 'cuda:1' was too small for the network; the CPU was used.",)

    def never(device):
        raise ERRORS["the driver" if device != "cpu" else "Linux"]

    with pytest.raises(MemoryError):
        OnDevice(never, "cuda")


@pytest.mark.parametrize(
    "error",
    [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory"), Cancelled("Cancelled.")],
)
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error)):
        Cramped(0, error=error).run(loaded(), 4, 4)


def test_what_the_failed_try_held_is_let_go_before_the_next_one():
    import weakref

    held = []

    def work(network, device, rows):
        assert not any(each() is not None for each in held)
        tensor = torch.zeros(rows.stop - rows.start, 9)
        held.append(weakref.ref(tensor))
        if len(tensor) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    loaded().portions(4, 4, work)
    assert len(held) > 4


# the whole road


@pytest.fixture
def gpu(monkeypatch):
    """``gpu(fits)``: a machine with a CUDA device whose networks take so many slices at once."""

    def make(fits, network_fits=True):
        to_tensor, to_module = torch.Tensor.to, torch.nn.Module.to
        largest = []

        def look(module, inputs):
            if len(inputs[0]) > fits:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            largest.append(len(inputs[0]))

        def module_to(module, *arguments, **options):
            if arguments != ("cuda",):
                return to_module(module, *arguments, **options)
            if not network_fits:
                raise RuntimeError("CUDA error: out of memory")
            for each in (module, *module.children()):  # generators are called by their parts
                each.register_forward_pre_hook(look)
            return module

        def tensor_to(tensor, *arguments, **options):
            return tensor if arguments == ("cuda",) else to_tensor(tensor, *arguments, **options)

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.Tensor, "to", tensor_to)
        monkeypatch.setattr(torch.nn.Module, "to", module_to)
        return largest

    return make


def scene(shape=(14, 24, 20)):
    image = np.random.default_rng(0).normal(500, 100, shape).astype(np.float32)
    hole = np.zeros(shape, bool)
    hole[3:11, 10:15, 8:12] = True
    return image, hole


def filled(method, device):
    image, hole = scene()
    parameters = {"steps": 5, "restarts": 2} if method.endswith("latent") else {}
    return mi.inpaint(image, hole, method=method, modality="MR", spacing=2.0, device=device, parameters=parameters)


@pytest.mark.parametrize("method", LEARNED)
@pytest.mark.parametrize("fits", [3, 1])
def test_a_fill_in_smaller_portions_is_the_same(method, fits, gpu):
    plain = filled(method, "cpu")
    largest = gpu(fits)
    found = filled(method, "cuda")
    assert max(largest) <= fits
    np.testing.assert_allclose(found.volume.array, plain.volume.array, rtol=1e-5)
    assert found.report["device"] == "cuda"
    assert found.report["notes"]["memory"].startswith("Too small")
    assert "memory" not in plain.report["notes"]
    assert found.report["notes"]["frames"] == plain.report["notes"]["frames"]
    assert found.report["warnings"] == plain.report["warnings"]


@pytest.mark.parametrize("method", LEARNED)
def test_a_fill_for_which_the_memory_is_too_small_is_done_on_the_cpu_and_it_is_said(method, gpu):
    plain = filled(method, "cpu")
    gpu(0)
    found = filled(method, "auto")
    np.testing.assert_array_equal(found.volume.array, plain.volume.array)
    assert found.report["device"] == "cpu"
    warning = "The memory of the device 'cuda' was too small even for one slice at a time; the CPU was used."
    assert found.report["warnings"] == [warning, *plain.report["warnings"]]
    json.dumps(found.report, allow_nan=False)


def test_the_second_region_of_a_hole_does_not_try_in_vain_again(gpu):
    image, hole = scene((40, 24, 20))
    hole[30:36, 10:15, 8:12] = True
    options = {"method": "unet", "modality": "MR", "spacing": 2.0}
    plain = mi.inpaint(image, hole, device="cpu", **options)
    assert plain.report["hole"]["regions"] == 2
    gpu(0)
    found = mi.inpaint(image, hole, device="cuda", **options)
    np.testing.assert_array_equal(found.volume.array, plain.volume.array)
    assert sum("The memory of" in warning for warning in found.report["warnings"]) == 1


def test_a_network_that_does_not_fit_the_device_fills_on_the_cpu(gpu):
    gpu(100, network_fits=False)
    found = filled("unet", "cuda").report
    assert found["device"] == "cpu"
    assert "The memory of the device 'cuda' was too small for the network; the CPU was used." in found["warnings"]


def contrasts():
    """Two images of one head of 140 mm: what is bright in one is dark in the other."""
    shape = (9, 40, 40)
    texture = np.random.default_rng(0).uniform(-1, 1, shape)
    head = np.hypot(*(np.indices(shape[1:]) - 19.5)) < 17.5
    levels = {"T1": 600 + 150 * texture, "T2": 400 - 150 * texture}
    return {name: mi.Volume((head * each).astype(np.float32), (4.0,) * 3) for name, each in levels.items()}


def estimated(device):
    return mi.impute(contrasts(), "FLAIR", model="a-tiny-collagan", device=device)


def test_an_estimate_in_smaller_portions_is_the_same(gpu):
    plain = estimated("cpu")
    largest = gpu(2)
    found = estimated("cuda")
    assert max(largest) == 2
    # Integers: what lay halfway between two may be rounded to either.
    np.testing.assert_allclose(found.volume.array, plain.volume.array, atol=1)
    assert found.report["device"] == "cuda"
    assert found.report["notes"]["memory"].startswith("Too small")
    assert found.report["warnings"] == plain.report["warnings"]


def test_an_estimate_for_which_the_memory_is_too_small_is_made_on_the_cpu_and_it_is_said(gpu):
    plain = estimated("cpu")
    gpu(0)
    found = estimated("cuda")
    np.testing.assert_array_equal(found.volume.array, plain.volume.array)
    assert found.report["device"] == "cpu"
    assert found.report["warnings"][0].startswith("The memory of the device 'cuda' was too small even for one slice")
    assert found.report["notes"] == {}


def test_a_hole_that_is_filled_from_other_contrasts_gives_way_too(gpu):
    images = contrasts()
    hole = np.zeros(images["T1"].array.shape, bool)
    hole[2:7, 8:14, 8:14] = True
    options = {
        "method": "collagan",
        "modality": "MR",
        "guides": [images["T2"]],
        "parameters": {"target": "T1", "guides": "T2"},
    }
    plain = mi.inpaint(images["T1"], hole, device="cpu", **options)
    gpu(0)
    found = mi.inpaint(images["T1"], hole, device="cuda", **options)
    np.testing.assert_array_equal(found.volume.array, plain.volume.array)
    assert found.report["device"] == "cpu"
    assert any("too small even for one slice" in warning for warning in found.report["warnings"])


def test_where_the_cpu_has_too_little_the_job_says_what_to_do(monkeypatch):
    def refuse(*arguments, **options):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("MedInpaintLib.networks.unet.UNet.forward", refuse)
    events = []
    assert guarded(lambda: filled("unet", "cpu"), events.append) == 1
    assert events[-1]["kind"] == "MachineError"
    assert "crop it around the hole" in events[-1]["message"]
