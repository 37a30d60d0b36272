"""What a user downloads is whole and works: the extension is packaged by CMake, and run from where it is installed.

CMake reads the extension's own CMakeLists.txt; in place of Slicer it finds ``slicer-stand-in``, whose commands install
the same files as Slicer's. What ought to be there is taken from the tree, not from the lists in the CMakeLists.txt.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

cmake = pytest.importorskip("cmake", reason="packaging needs the package cmake")

REPOSITORY = Path(__file__).resolve().parents[3]
STAND_IN = Path(__file__).parent / "slicer-stand-in"
#: What Resources/CMakeLists.txt is to install; the screenshots are for the web.
DATA = ("Atlas", "SampleData", "Models")
#: The Extensions Index takes no repository above it.
LARGEST_PACKAGE = 100e6


def _package(extension: Path, folder: Path) -> Path:
    """Configure, build and install an extension below ``folder``; returns its ``qt-scripted-modules``."""
    build, prefix = folder / "build", folder / "installed"
    _run_cmake("-S", STAND_IN, "-B", build, "-G", "Unix Makefiles", f"-DEXTENSION={extension}")
    _run_cmake("--build", build)
    _run_cmake("--install", build, "--prefix", prefix)
    return next(prefix.glob("lib/Slicer-*")) / "qt-scripted-modules"


def _run_cmake(*arguments) -> None:
    command = [Path(cmake.CMAKE_BIN_DIR) / "cmake", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def _module_folders(extension: Path) -> list[Path]:
    text = (extension / "CMakeLists.txt").read_text(encoding="utf-8")
    return [extension / name for name in re.findall(r"^add_subdirectory\((\w+)\)", text, re.M)]


def _wanted(extension: Path) -> dict[str, Path]:
    """Place below ``qt-scripted-modules`` -> the file that belongs there.

    Modules lie beside each other; a package keeps its folder, or each of its files would be taken for a module.
    """
    wanted: dict[str, Path] = {}
    for folder in _module_folders(extension):
        if folder.name == "Resources":
            files = {
                f"Resources/{data}/{place}": file for data in DATA for place, file in _files(folder / data).items()
            }
        elif (folder / "__init__.py").is_file():
            files = {f"{folder.name}/{place}": file for place, file in _files(folder).items()}
        else:
            files = {place: file for place, file in _files(folder).items() if not place.startswith("Testing/")}
        twice = wanted.keys() & files.keys()
        assert not twice, f"two modules bring the same file: {sorted(twice)}"
        wanted |= files
    return wanted


def _files(folder: Path) -> dict[str, Path]:
    """Path below the folder -> file, without what only CMake or Python read or made."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != "CMakeLists.txt"
        and not path.name.startswith(".")
        and "__pycache__" not in path.parts
    }


def _problems(extension: Path, modules: Path) -> list[str]:
    """One line for every file that is missing in the package, another one, or there for no reason."""
    wanted, found = _wanted(extension), _files(modules)
    return sorted(
        [f"{place} is missing" for place in wanted.keys() - found.keys()]
        + [f"{place} does not belong there" for place in found.keys() - wanted.keys()]
        + [
            f"{place} is not as it was"
            for place in wanted.keys() & found.keys()
            if _differ(wanted[place], found[place])
        ]
    )


def _differ(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The folder ``qt-scripted-modules`` of the installed extension."""
    return _package(REPOSITORY, tmp_path_factory.mktemp("package"))


def test_every_file_is_installed_where_it_belongs_and_nothing_else_is(modules):
    wanted = _wanted(REPOSITORY)
    for place in (
        "MedInpaint.py",
        "MedInpaintLib/__init__.py",
        "Resources/UI/MedInpaint.ui",
        "Resources/requirements.txt",
    ):
        assert place in wanted  # that the tree was read as it is meant
    assert _problems(REPOSITORY, modules) == []


def test_only_modules_lie_where_slicer_looks_for_modules(modules):
    """Slicer loads every Python file there, and calls the class of the file's name."""
    scripts = sorted(modules.glob("*.py*"))
    assert modules / "MedInpaint.py" in scripts
    for script in scripts:
        classes = [
            each for each in ast.parse(script.read_text(encoding="utf-8")).body if isinstance(each, ast.ClassDef)
        ]
        bases = {each.name: [ast.unparse(base).split(".")[-1] for base in each.bases] for each in classes}
        assert "ScriptedLoadableModule" in bases.get(script.stem, []), f"{script.name} defines no module {script.stem}"


def test_the_released_models_are_whole(modules):
    bundles = sorted((modules / "Resources" / "Models").glob("*/bundle.json"))
    assert bundles
    for path in bundles:
        facts = json.loads(path.read_text(encoding="utf-8"))
        assert facts["name"] == path.parent.name
        weights = (path.parent / facts["weights"]["file"]).read_bytes()
        assert hashlib.sha256(weights).hexdigest() == facts["weights"]["sha256"]
        assert (path.parent / "README.md").is_file()


def test_the_package_is_not_too_large(modules):
    assert sum(file.stat().st_size for file in _files(modules).values()) < LARGEST_PACKAGE


# A checkout that pip made importable must not help: what is missing in the package has to be noticed.
PROBE = """
import json, sys
from pathlib import Path

modules, filled = map(Path, sys.argv[1:])
sys.path[:] = [str(modules), *(each for each in sys.path if not Path(each, "MedInpaintLib", "__init__.py").is_file())]

from MedInpaintSlicer import layout

layout.makeEngineImportable()
import MedInpaintLib
from MedInpaintLib.samples import sample, samples

image = sample("brain-t1")
MedInpaintLib.inpaint(image.image, image.mask, labels=["all"], method="harmonic").save(filled)
ours = [each for name, each in sys.modules.items() if name.split(".")[0].startswith("MedInpaint")]
print(json.dumps({
    "engine": str(layout.engineFolder()),
    "resources": [layout.resourcePath(name).is_file() for name in ("UI/MedInpaint.ui", "requirements.txt")],
    "elsewhere": [each.__name__ for each in ours if not Path(each.__file__).is_relative_to(modules)],
    "models": list(MedInpaintLib.list_models()),
    "samples": [str(file) for each in samples().values() for file in (each.image, each.mask)],
}))
"""


@pytest.fixture(scope="module")
def probed(modules, tmp_path_factory):
    """What the engine says of itself where it is installed, and the volume that it filled there."""
    folder = tmp_path_factory.mktemp("elsewhere")
    result = subprocess.run(
        # -I: neither the current folder nor PYTHONPATH may help.
        [sys.executable, "-I", "-c", PROBE, modules, folder / "filled.nii.gz"],
        env={"MEDINPAINT_MODELS": str(folder / "no-models-of-the-users"), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1]), folder / "filled.nii.gz"


def test_engine_samples_models_and_resources_are_those_of_the_package(modules, probed):
    said, _ = probed
    assert Path(said["engine"]) == modules
    assert said["elsewhere"] == []
    assert said["resources"] == [True, True]
    assert said["models"] == sorted(path.parent.name for path in REPOSITORY.glob("Resources/Models/*/bundle.json"))
    assert said["samples"]
    for file in map(Path, said["samples"]):
        assert file.is_file()
        assert file.is_relative_to(modules)


def test_the_installed_engine_fills_the_sample(probed):
    _, filled = probed
    data = REPOSITORY / "Resources" / "SampleData"
    image, hole, result = (
        sitk.GetArrayFromImage(sitk.ReadImage(path))
        for path in (data / "brain-t1.nii.gz", data / "brain-t1-hole.nii.gz", filled)
    )
    hole = hole > 0
    np.testing.assert_array_equal(result[~hole], image[~hole])
    assert (result[hole] != image[hole]).mean() > 0.9
    # A harmonic function takes its extremes on the rim, and is constant on no hole of a brain.
    assert image[~hole].min() <= result[hole].min() < result[hole].max() <= image[~hole].max()


# The stand-in itself, on an extension of four files.

TINY = {
    "CMakeLists.txt": """
cmake_minimum_required(VERSION 3.28.0...3.28.0 FATAL_ERROR)
project(Tiny)
find_package(Slicer REQUIRED)
include(${Slicer_USE_FILE})
add_subdirectory(Tiny)
add_subdirectory(TinyLib)
include(${Slicer_EXTENSION_GENERATE_CONFIG})
include(${Slicer_EXTENSION_CPACK})
""",
    "Tiny/CMakeLists.txt": "slicerMacroBuildScriptedModule(NAME Tiny SCRIPTS Tiny.py RESOURCES Resources/Tiny.ui)",
    "Tiny/Tiny.py": "",
    "Tiny/Resources/Tiny.ui": "<ui/>",
    "TinyLib/CMakeLists.txt": "slicerMacroBuildScriptedModule(NAME T SCRIPTS __init__.py a.py b/c.py WITH_SUBDIR)",
    "TinyLib/__init__.py": "",
    "TinyLib/a.py": "",
    "TinyLib/b/c.py": "",
}


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, []),
        # The classic: a file that is in the tree and in no list.
        ({"TinyLib/forgotten.py": ""}, ["TinyLib/forgotten.py is missing"]),
        # Without WITH_SUBDIR the package's files lie among the modules.
        (
            {"TinyLib/CMakeLists.txt": TINY["TinyLib/CMakeLists.txt"].replace(" WITH_SUBDIR", "")},
            [
                "TinyLib/__init__.py is missing",
                "TinyLib/a.py is missing",
                "TinyLib/b/c.py is missing",
                "__init__.py does not belong there",
                "a.py does not belong there",
                "b/c.py does not belong there",
            ],
        ),
    ],
)
def test_a_package_that_is_not_whole_is_noticed(change, problems, tmp_path):
    for name, text in (TINY | change).items():
        path = tmp_path / "extension" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert _problems(tmp_path / "extension", _package(tmp_path / "extension", tmp_path)) == problems
