"""The extension works from a plain checkout and from the folder into which CMake installs what its lists name."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

PROBE = """
import sys
sys.path.insert(0, {module!r})
from MedInpaintSlicer import layout
layout.makeEngineImportable()
from MedInpaintLib import samples
from MedInpaintLib.models import store
print(layout.engineFolder())
print(samples.sample("brain-t1-lesion").image)
print(layout.resourcePath("UI/MedInpaint.ui").is_file(), layout.resourcePath("requirements.txt").is_file())
print(*(place for place in store._RELEASED if place.is_dir()))
"""


@pytest.fixture
def installed(tmp_path):
    """What the CMake lists and Resources/CMakeLists.txt put into qt-scripted-modules."""
    specification = importlib.util.spec_from_file_location("cmake_lists", REPOSITORY / "Testing" / "cmake_lists.py")
    cmake_lists = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(cmake_lists)
    target = tmp_path / "qt-scripted-modules"
    for cmakeFile, lists in cmake_lists.LISTS.items():
        source = (REPOSITORY / cmakeFile).parent
        subfolder = source.name if re.search(r"^ *WITH_SUBDIR", (REPOSITORY / cmakeFile).read_text(), re.M) else "."
        for name in lists:
            for file in cmake_lists.listed((REPOSITORY / cmakeFile).read_text(encoding="utf-8"), name):
                (target / subfolder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / file, target / subfolder / file)
    for folder in ("SampleData", "Models"):
        shutil.copytree(REPOSITORY / "Resources" / folder, target / "Resources" / folder)
    return target


def _probe(module: Path, folder: Path) -> list[str]:
    # -I -S: neither the current folder nor an installed medinpaint may help.
    command = [sys.executable, "-I", "-S", "-c", PROBE.format(module=str(module))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()


def test_engine_samples_and_resources_are_found_in_a_checkout(tmp_path):
    engine, image, resources, models = _probe(REPOSITORY / "MedInpaint", tmp_path)
    assert Path(engine) == REPOSITORY
    assert Path(image).is_file()
    assert resources == "True True"
    assert Path(models) == REPOSITORY / "Resources" / "Models"


def test_engine_samples_and_resources_are_found_where_the_extension_is_installed(installed, tmp_path):
    engine, image, resources, models = _probe(installed, tmp_path)
    assert Path(engine) == installed
    assert Path(image) == installed / "Resources" / "SampleData" / "brain-t1.nii.gz"
    assert resources == "True True"
    assert Path(models) == installed / "Resources" / "Models"
