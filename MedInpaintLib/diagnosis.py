"""Diagnosis: what MedInpaint runs on, and whether all that it needs is there. A text to copy into a question.

``python -m MedInpaintLib.diagnosis`` prints it, section by section; the exit code is 1 where something needed is
missing or broken. An error in one section hides no other. PyTorch comes last: importing it takes seconds and, where it
is broken, can end the process.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator

from . import __version__
from .threads import one_for_blas

#: Packages, as pip names them, and the modules in them: those that every fill needs, and those that some methods need.
NEEDED = {"numpy": "numpy", "scipy": "scipy", "SimpleITK": "SimpleITK"}
OPTIONAL = {
    "nibabel": "nibabel",
    "pydicom": "pydicom",
    "highdicom": "highdicom",
    "scikit-image": "skimage",
    "opencv-python-headless": "cv2",
    "safetensors": "safetensors",
}
TORCH = "torch"
#: What a package is for that no method needs.
PURPOSES = {"pydicom": "needed to write DICOM, and to read segmentations, structure sets and enhanced images"}
#: Seconds to wait for a program that describes the machine.
PATIENCE = 20
_GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line, and whether it is fine."""

    text: str
    well: bool = True


@dataclasses.dataclass(frozen=True)
class Section:
    """Findings about one thing."""

    title: str
    findings: tuple[Finding, ...]

    @property
    def well(self) -> bool:
        """Whether all findings are fine."""
        return all(each.well for each in self.findings)

    def text(self) -> str:
        """Format the title and a line for each finding; an exclamation mark marks problems."""
        home = os.path.expanduser("~")
        lines = [self.title, *(f"{'  ' if each.well else '! '}{each.text}" for each in self.findings)]
        # The home folder's name holds the user's name, which is private.
        return "\n".join(line.replace(home, "~") if len(home) > 1 else line for line in lines)


Part = Callable[[], Iterable[Finding]]


def report() -> list[Section]:
    """Return all sections."""
    return list(sections())


def sections() -> Iterator[Section]:
    """Yield the sections one by one: the first can be shown before PyTorch is imported."""
    parts: dict[str, Part] = {
        "MedInpaint": _software,
        "Machine": _machine,
        "Packages": _packages,
        "Models": _models,
        "Sample data": _samples,
        "PyTorch": _torch,
        "Self-test": _self_test,
    }
    for title, part in parts.items():
        yield Section(title, tuple(_guarded(part)))


def text(all_sections: Iterable[Section]) -> str:
    """Format all sections as one text, followed by the verdict."""
    all_sections = list(all_sections)
    return "\n\n".join([*(section.text() for section in all_sections), verdict(all_sections)])


def verdict(all_sections: Iterable[Section]) -> str:
    """Say in one line whether all is well."""
    wrong = sum(not each.well for section in all_sections for each in section.findings)
    if not wrong:
        return "All is well."
    return f"{wrong} {'thing is' if wrong == 1 else 'things are'} not well, see the lines that begin with '!'."


def main() -> int:
    """Print each section as soon as it is ready; return the exit code."""
    one_for_blas()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names of folders hold signs that not every terminal can show
    all_sections = []
    for section in sections():
        all_sections.append(section)
        print(section.text(), end="\n\n", flush=True)
    print(verdict(all_sections), flush=True)
    return 0 if all(section.well for section in all_sections) else 1


def _guarded(part: Part) -> Iterator[Finding]:
    """Yield the findings of a part; an error that stops it becomes the last one."""
    try:
        yield from part()
    except Exception as error:
        yield Finding(f"This could not be found out: {_said(error)}", well=False)


def _said(error: Exception) -> str:
    """Describe an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _software() -> Iterator[Finding]:
    yield Finding(f"MedInpaint {__version__}")
    yield Finding(f"Python {platform.python_version()}, {platform.python_implementation()}, {sys.executable}")
    yield Finding(f"{platform.platform()}, {platform.machine()}")


# the machine


def _machine() -> Iterator[Finding]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(f"Cores: {os.cpu_count()}, {usable} of which may be used")
    yield from _guarded(_main_memory)
    yield from _guarded(_disk)
    yield from _guarded(_driver)


def _main_memory() -> Iterator[Finding]:
    total, free = memory()
    yield Finding(f"Main memory: {_size(total)}, {_size(free)} free")


def _disk() -> Iterator[Finding]:
    folder = tempfile.gettempdir()
    yield Finding(f"Temporary folder: {folder}, {_size(shutil.disk_usage(folder).free)} free")


def _driver() -> Iterator[Finding]:
    """Ask NVIDIA's own program, which knows of GPUs that PyTorch cannot use."""
    query = "name,driver_version,memory.total,memory.free"
    try:
        answer = _said_by("nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader")
    except FileNotFoundError:
        yield Finding("NVIDIA driver: none (there is no program nvidia-smi)")
    except (OSError, subprocess.SubprocessError) as error:
        # nvidia-smi writes its errors to standard output.
        why = " ".join(str(getattr(error, "stdout", None) or _said(error)).split())
        yield Finding(f"NVIDIA driver: nvidia-smi fails ({why})")
    else:
        for line in answer.splitlines():
            name, driver, total, free = (*map(str.strip, line.split(",")), "", "", "")[:4]
            yield Finding(f"NVIDIA GPU: {name}, driver {driver}, {total}, {free} free")


def memory() -> tuple[int, int | None]:
    """Return the bytes of main memory and of its free part; None where the system does not tell."""
    if sys.platform == "win32":
        return _memory_of_windows()
    if sys.platform == "darwin":
        return _memory_of_macos()
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return memory_of_linux(file.read())
    except OSError:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")


def memory_of_linux(meminfo: str) -> tuple[int, int | None]:
    """Parse the content of /proc/meminfo.

    >>> memory_of_linux("MemTotal:  100 kB\\nMemFree:  10 kB\\nMemAvailable:  60 kB\\n")
    (102400, 61440)
    """
    kib = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", meminfo, re.MULTILINE)}
    free = kib.get("MemAvailable", kib.get("MemFree"))
    return 1024 * kib["MemTotal"], None if free is None else 1024 * free


def memory_of_macos(memsize: str, vm_stat: str) -> tuple[int, int | None]:
    """Parse the output of ``sysctl -n hw.memsize`` and ``vm_stat``.

    >>> memory_of_macos("8192", "... (page size of 4096 bytes)\\nPages free:   1.\\nPages inactive:  2.\\n")
    (8192, 12288)
    """
    page = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = re.findall(r"^Pages (?:free|inactive|speculative): +(\d+)\.$", vm_stat, re.MULTILINE)
    return int(memsize), int(page[1]) * sum(map(int, pages)) if page and pages else None


def _memory_of_macos() -> tuple[int, int | None]:
    total = _said_by("sysctl", "-n", "hw.memsize")
    try:
        return memory_of_macos(total, _said_by("vm_stat"))
    except (OSError, subprocess.SubprocessError):
        return memory_of_macos(total, "")


def _memory_of_windows() -> tuple[int, int | None]:
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = [
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "total_file", "free_file")),
            *((name, ctypes.c_uint64) for name in ("total_virtual", "free_virtual", "free_extended")),
        ]

    status = Status(length=ctypes.sizeof(Status))
    if not getattr(ctypes, "windll").kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # noqa: B009 - Windows only
        raise OSError("GlobalMemoryStatusEx failed")
    return status.total, status.free


def _said_by(*command: str) -> str:
    """Return the standard output of a program.

    Raises:
        OSError, subprocess.SubprocessError: it is not there, fails, or takes too long.
    """
    # No black window may flash up on Windows.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
        timeout=PATIENCE,
        creationflags=flags,
    )
    return done.stdout.strip()


def _size(count: int | None) -> str:
    return "unknown" if count is None else f"{count / _GIB:.1f} GiB"


# what is installed


def _packages() -> Iterator[Finding]:
    for package, module in NEEDED.items():
        yield _package(package, module, "MedInpaint needs it", needed=True)
    for package, module in OPTIONAL.items():
        yield _package(package, module, PURPOSES.get(package) or _needed_by(package))


def _package(package: str, module: str, why: str, needed: bool = False) -> Finding:
    """Import a package and report its version: an installed package may still be broken."""
    try:
        imported_module = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            return Finding(f"{package}: not installed; {why}", well=not needed)
        return _broken(package, error)
    except Exception as error:
        return _broken(package, error)
    return Finding(f"{package} {getattr(imported_module, '__version__', None) or _version(package)}")


def _broken(package: str, error: Exception) -> Finding:
    return Finding(f"{package} is installed and cannot be imported; install it again. {_said(error)}", well=False)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _needed_by(package: str) -> str:
    """Name the methods that need a package."""
    try:
        from .methods.registry import methods

        names = [name for name, info in methods().items() if package in info.requires]
    except Exception as error:  # without numpy, say
        return f"which methods need it cannot be found out ({_said(error)})"
    return f"needed by: {', '.join(names)}" if names else "no method needs it"


def _models() -> Iterator[Finding]:
    from .models import store

    known = store.models()
    for bundle in known.values():
        origin = "released" if store.is_released(bundle) else "your own"
        try:
            bundle.verify()
        except Exception as error:
            yield Finding(f"{bundle.name}: {bundle.architecture}, {origin}: {error}", well=False)
        else:
            yield Finding(f"{bundle.name}: {bundle.architecture}, {bundle.modality}, {origin}; sha256 is right")
    for folder, why in store.broken().items():
        yield Finding(f"{folder.name}: {why}", well=False)
    yield from _guarded(_without_model)


def _without_model() -> Iterator[Finding]:
    from .methods.registry import methods
    from .models.store import models

    architectures = {bundle.architecture for bundle in models().values()}
    without = [name for name, info in methods().items() if info.architecture and info.architecture not in architectures]
    if without:
        yield Finding(f"There is no model for: {', '.join(without)}; 'medinpaint models add' adds one")


def _samples() -> Iterator[Finding]:
    from .samples import samples
    from .volume import Volume

    for name, sample in samples().items():
        try:
            image, _ = Volume.read(sample.image), Volume.read(sample.mask)
        except Exception as error:
            yield Finding(f"{name}: {error}", well=False)
        else:
            yield Finding(f"{name}: {sample.modality}, {' x '.join(map(str, image.array.shape))}")


# what takes PyTorch


def _torch() -> Iterator[Finding]:
    finding = _package(TORCH, TORCH, f"{_needed_by(TORCH)}; and to estimate contrasts and to train models")
    yield finding
    if finding.well and TORCH in sys.modules:
        yield from _guarded(_devices)


def _devices() -> Iterator[Finding]:
    import torch

    from .devices import available, why_not

    devices = available()
    yield Finding(f"Devices: {', '.join(devices)}")
    if "cuda" not in devices:
        yield Finding(f"No CUDA: {why_not('cuda')}")
    if "mps" not in devices and sys.platform == "darwin":
        yield Finding(f"No MPS: {why_not('mps')}")
    for number in range(sum(":" in each for each in devices)):
        yield from _guarded(lambda number=number: _gpu(number))  # type: ignore[misc]
    yield Finding(f"Threads: {torch.get_num_threads()}")


def _gpu(number: int) -> Iterator[Finding]:
    import torch

    yield Finding(f"cuda:{number}: {torch.cuda.get_device_name(number)}, CUDA {torch.version.cuda}")
    free, total = torch.cuda.mem_get_info(number)
    yield Finding(f"cuda:{number}: {_size(total)}, {_size(free)} free")


def _self_test() -> Iterator[Finding]:
    from .selftest import run

    outcomes = run()
    left_out = [name for name, passed, detail in outcomes if passed and detail.startswith("left out")]
    passed = sum(passed for _, passed, _ in outcomes) - len(left_out)
    rest = f"; {len(left_out)} left out, whose packages are not installed" if left_out else ""
    yield Finding(f"{passed} of {len(outcomes) - len(left_out)} checks passed{rest}")
    for name, passed, detail in outcomes:
        if not passed:
            yield Finding(f"{name}: {detail}", well=False)


if __name__ == "__main__":
    sys.exit(main())
