"""The diagnosis: true, complete, and never stopped by what it is there to find."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import diagnosis, samples, selftest
from MedInpaintLib.cli.app import app
from MedInpaintLib.diagnosis import Finding, Section

TITLES = ["MedInpaint", "Machine", "Packages", "Models", "Sample data", "PyTorch", "Self-test"]


def run(environment=None, *options):
    command = [sys.executable, *options, "-m", "MedInpaintLib.diagnosis"]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env={**os.environ, **(environment or {})}, check=False
    )


def titles(text: str) -> list[str]:
    """Of the sections of a printed report: what is not indented, and the line that closes it is none."""
    return [line for line in text.splitlines() if line and line[:2] not in ("  ", "! ") and not line.endswith(".")]


def section(title: str) -> Section:
    return next(each for each in diagnosis.report() if each.title == title)


@pytest.fixture
def fake_package(tmp_path):
    """``fake_package(name, code)``: the environment of a Python that finds a package with this code first."""

    def make(name, code):
        (tmp_path / "fake" / name).mkdir(parents=True)
        (tmp_path / "fake" / name / "__init__.py").write_text(code)
        return {"PYTHONPATH": os.pathsep.join([str(tmp_path / "fake"), str(Path(mi.__file__).parents[1])])}

    return make


# where all is well


def test_it_prints_all_that_there_is_and_all_is_well():
    process = run()
    assert (process.returncode, process.stderr) == (0, "")
    text = process.stdout
    assert titles(text) == TITLES
    assert f"MedInpaint {mi.__version__}" in text
    assert f"Python {platform.python_version()}" in text
    for package in ("numpy", "scipy", "torch"):
        if shutil.which("pip") is None or package in {each.name for each in importlib.metadata.distributions()}:
            assert f"{package} {importlib.metadata.version(package)}" in text
    for name, bundle in mi.list_models().items():
        assert f"{name}: {bundle.architecture}, {bundle.modality}" in text
    assert all(name in text for name in samples.samples())
    assert f"{len(selftest.run())} of {len(selftest.run())} checks passed" in text
    assert text.endswith("All is well.\n")


def test_the_command_prints_the_same():
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0, result.output
    assert titles(result.output) == TITLES


def test_the_report_as_a_text_is_what_is_printed(capsys):
    found = diagnosis.report()
    assert [each.title for each in found] == TITLES
    diagnosis.main()

    def without_numbers(text):  # memory is used while this runs
        return [line for line in text.splitlines() if " free" not in line]

    assert without_numbers(diagnosis.text(found)) == without_numbers(capsys.readouterr().out)


def test_the_name_of_the_user_is_not_told(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")
    assert Section("Models", (Finding("/home/anna/models/x"),)).text() == "Models\n  ~/models/x"


# what is wrong is said, marked, and in the exit code


def test_a_package_that_is_needed_and_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    found = next(each for each in section("Packages").findings if each.text.startswith("scipy"))
    assert found == Finding("scipy: not installed; MedInpaint needs it", well=False)


def test_a_package_that_some_methods_need_and_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    text = section("Packages").text()
    assert "  opencv-python-headless: not installed; needed by: navier-stokes, telea" in text
    assert "  scikit-image: not installed; no method needs it" in text
    assert "  pydicom: not installed; needed to write DICOM, " in text
    assert section("Packages").well


def test_a_package_that_is_broken(fake_package):
    process = run(fake_package("cv2", "raise OSError('libGL.so.1: cannot open shared object file')"))
    assert process.returncode == 1
    assert titles(process.stdout) == TITLES
    assert "! opencv-python-headless is installed and cannot be imported; install it again. OSError: libGL" in (
        process.stdout
    )
    assert process.stdout.endswith("1 thing is not well, see the lines that begin with '!'.\n")


def test_a_package_that_misses_another_one_is_broken_too(fake_package):
    process = run(fake_package("skimage", "import no_such_package"))
    assert "! scikit-image is installed and cannot be imported" in process.stdout
    assert "No module named 'no_such_package'" in process.stdout


def test_torch_that_is_broken_hides_nothing_else(fake_package):
    process = run(fake_package("torch", "raise OSError('a library is missing')"))
    assert process.returncode == 1
    assert titles(process.stdout) == TITLES
    assert "! torch is installed and cannot be imported; install it again. OSError: a library is missing" in (
        process.stdout
    )
    assert "  numpy " in process.stdout
    assert "! The context loss is a weighted mean" in process.stdout


def test_torch_that_ends_the_process_does_not_take_away_what_was_found_before(fake_package):
    process = run(fake_package("torch", "import os; os._exit(86)"))
    assert process.returncode == 86
    assert titles(process.stdout) == TITLES[: TITLES.index("PyTorch")]


def test_numpy_that_is_broken_hides_only_what_needs_it(fake_package):
    process = run(fake_package("numpy", "raise ImportError('wrong architecture')"))
    assert process.returncode == 1
    assert [line for line in titles(process.stdout) if line in TITLES] == TITLES  # others have their say, too
    assert "! numpy is installed and cannot be imported" in process.stdout
    assert f"  MedInpaint {mi.__version__}" in process.stdout
    assert "  Cores: " in process.stdout
    assert "! This could not be found out: ImportError: wrong architecture" in process.stdout


def test_models_that_are_broken(tmp_path, tiny_models, monkeypatch):
    pytest.importorskip("torch")
    for name in ("a-tiny-unet", "a-tiny-vae"):
        shutil.copytree(tiny_models / name, tmp_path / name)
    weights = tmp_path / "a-tiny-unet" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (tmp_path / "a-tiny-vae" / "bundle.json").write_text("{")
    process = run({"MEDINPAINT_MODELS": str(tmp_path)})
    assert process.returncode == 1
    (altered,) = [line for line in process.stdout.splitlines() if line.startswith("! a-tiny-unet: ")]
    assert "the sha256 is" in altered
    (broken,) = [line for line in process.stdout.splitlines() if line.startswith("! a-tiny-vae: ")]
    assert "is not JSON" in broken
    assert "2 things are not well" in process.stdout


def test_methods_without_a_model_are_told_and_that_is_no_fault(monkeypatch):
    from MedInpaintLib.models import store

    monkeypatch.setattr(store, "models", dict)
    monkeypatch.setattr(store, "broken", dict)
    found = section("Models")
    assert found.well
    learned = ", ".join(name for name, info in mi.list_methods().items() if info.needs_model)
    assert f"There is no model for: {learned};" in found.text()


def test_sample_data_that_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(samples, "resource_folders", lambda kind: ())
    found = section("Sample data")
    assert not found.well
    assert "The sample data are missing from this installation" in found.text()


def test_a_sample_that_cannot_be_read(monkeypatch, tmp_path):
    known = samples.samples()
    first, second, *_ = known.values()
    (tmp_path / "x.nii.gz").write_text("version https://git-lfs.github.com/spec/v1")
    broken = SimpleNamespace(image=tmp_path / "x.nii.gz", mask=first.mask, modality="MR")
    monkeypatch.setattr(samples, "samples", lambda: {"x": broken, "y": second})
    found = section("Sample data").findings
    assert [each.well for each in found] == [False, True]


def test_a_self_test_that_fails(monkeypatch):
    monkeypatch.setattr(selftest, "run", lambda: [("One is one", True, "deviation 0"), ("Two", False, "deviation 3")])
    found = section("Self-test")
    assert found.findings == (Finding("1 of 2 checks passed"), Finding("Two: deviation 3", well=False))


def test_checks_that_are_left_out_do_not_count(monkeypatch):
    outcomes = [("One is one", True, "deviation 0"), ("Two", True, "left out: torch is not installed")]
    monkeypatch.setattr(selftest, "run", lambda: outcomes)
    said = "1 of 1 checks passed; 1 left out, whose packages are not installed"
    assert section("Self-test").findings == (Finding(said),)


def test_what_goes_wrong_in_one_section_is_said_there_and_the_others_come(monkeypatch):
    def fail(*arguments):
        raise KeyError("x\ny")

    monkeypatch.setattr(diagnosis.platform, "platform", fail)
    monkeypatch.setattr(diagnosis, "memory", fail)
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", fail)
    found = diagnosis.report()
    assert [each.title for each in found] == TITLES
    assert [each.well for each in found] == [False, False, True, True, True, True, True]
    assert found[0].findings[0] == Finding(f"MedInpaint {mi.__version__}")
    assert found[0].findings[-1].text == "This could not be found out: KeyError: 'x\\ny'"
    assert sum(not each.well for each in found[1].findings) == 2
    assert "NVIDIA" in found[1].text()


# the machine


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux in two ways")
def test_main_memory_is_what_the_system_says():
    total, free = diagnosis.memory()
    assert total == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < free < total


def test_main_memory_of_windows(monkeypatch):
    def fill(reference):
        status = reference._obj
        assert ctypes.sizeof(status) == status.length == 64  # of MEMORYSTATUSEX
        raw = (ctypes.c_uint64 * 8).from_buffer(status)
        raw[1], raw[2] = 16 * 2**30, 5 * 2**30  # ullTotalPhys, ullAvailPhys
        return 1

    kernel = SimpleNamespace(GlobalMemoryStatusEx=fill)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert diagnosis.memory() == (16 * 2**30, 5 * 2**30)
    kernel.GlobalMemoryStatusEx = lambda reference: 0
    with pytest.raises(OSError, match="GlobalMemoryStatusEx"):
        diagnosis.memory()


VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            300000.
Pages inactive:                          290000.
Pages speculative:                         5000.
"Translation faults":                 123456789.
"""


@pytest.mark.parametrize(("answer", "free"), [(VM_STAT, 16384 * 305000), (OSError("no"), None)])
def test_main_memory_of_macos(monkeypatch, answer, free):
    def said(program, *arguments):
        if program == "sysctl":
            return "17179869184"
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(diagnosis, "_said_by", said)
    assert diagnosis.memory() == (2**34, free)


def nvidia_smi(folder: Path, code: str) -> None:
    """A program of that name."""
    script, path = folder / "nvidia_smi.py", folder / "nvidia-smi"
    script.write_text(code)
    # A first line may hold no spaces, as the place of this Python may.
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    path.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="its programs begin in another way")
@pytest.mark.parametrize(
    ("code", "line"),
    [
        (
            "import sys; assert '--format=csv,noheader' in sys.argv\n"
            "print('NVIDIA H100 80GB HBM3, 550.54.15, 81559 MiB, 81008 MiB')",
            "NVIDIA GPU: NVIDIA H100 80GB HBM3, driver 550.54.15, 81559 MiB, 81008 MiB free",
        ),
        ("print('[N/A]')", "NVIDIA GPU: [N/A], driver , ,  free"),
        (
            "print('NVIDIA-SMI has failed because it\\ncould not communicate.'); raise SystemExit(9)",
            "nvidia-smi fails (NVIDIA-SMI has failed because it could not communicate.)",
        ),
        ("import time; time.sleep(60)", "nvidia-smi fails (TimeoutExpired"),
    ],
)
def test_the_driver_is_what_nvidias_program_says(tmp_path, monkeypatch, code, line):
    nvidia_smi(tmp_path, code)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(diagnosis, "PATIENCE", 2)
    found = section("Machine")
    assert line in found.text()
    assert found.well


def test_without_nvidias_program_there_is_no_driver(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "NVIDIA driver: none (there is no program nvidia-smi)" in section("Machine").text()
    assert section("Machine").well


def test_gpus_are_told_with_their_memory(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {'AB'[number]}")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (3 * 2**30, 8 * 2**30))
    text = section("PyTorch").text()
    assert "Devices: cuda, cuda:0, cuda:1, cpu" in text
    assert "cuda:0: GPU A" in text
    assert "cuda:1: GPU B" in text
    assert "cuda:1: 8.0 GiB, 3.0 GiB free" in text

    def busy(number):
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")

    monkeypatch.setattr(torch.cuda, "mem_get_info", busy)
    found = section("PyTorch")
    assert "cuda:1: GPU B" in found.text()
    assert not found.well
