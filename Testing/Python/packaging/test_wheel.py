"""What ``pip`` installs is whole: the wheel is built from the source archive, and run from where it is unpacked."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import MedInpaintLib as mi

pytest.importorskip("hatchling", reason="building needs the package hatchling")

REPOSITORY = Path(__file__).resolve().parents[3]
#: Folders of the tree -> where they are in the wheel.
PACKED = {
    "MedInpaintLib": "MedInpaintLib",
    "Resources/Atlas": "MedInpaintLib/_resources/Atlas",
    "Resources/Models": "MedInpaintLib/_resources/Models",
    "Resources/SampleData": "MedInpaintLib/_resources/SampleData",
}
#: What only the Slicer extension and the web page use.
LEFT_OUT = {"Screenshots", "CMakeLists.txt"}


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    }


def _wanted() -> set[str]:
    return {f"{place}/{name}" for folder, place in PACKED.items() for name in _files(REPOSITORY / folder)}


def _build(kind: str, source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The source archive."""
    return _build("sdist", REPOSITORY, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def source(archive, tmp_path_factory):
    """The unpacked source archive."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """The wheel, built from the source archive as pip does."""
    return _build("wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder into which the wheel was unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_holds_engine_models_and_samples_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert sorted(names ^ _wanted()) == []


def test_every_resource_is_packed_or_left_out_on_purpose():
    packed = {Path(folder).name for folder in PACKED}
    assert {path.name for path in (REPOSITORY / "Resources").iterdir()} == (packed - {"MedInpaintLib"}) | LEFT_OUT


def test_no_folder_becomes_another_where_capitals_are_not_told_apart(wheel):
    folders = {name.rpartition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert len({folder.lower() for folder in folders}) == len(folders)


def test_the_source_archive_has_licence_citation_and_no_studies(source):
    assert {"LICENSE", "CITATION.cff", "README.md", "pyproject.toml"} <= {path.name for path in source.iterdir()}
    assert not (source / "Research").exists()


def test_the_description_is_the_readme_with_links_that_work_elsewhere(wheel):
    with zipfile.ZipFile(wheel) as packed:
        metadata = message_from_bytes(packed.read(next(n for n in packed.namelist() if n.endswith("/METADATA"))))
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload(decode=True).decode()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    link = re.compile(r"\]\(([^)]+)\)")
    assert link.sub("]()", text).strip() == link.sub("]()", readme).strip()
    for target, original in zip(link.findall(text), link.findall(readme), strict=True):
        assert target.startswith(("https://", "#"))
        if not original.startswith(("https://", "#")):
            assert target.endswith(f"/main/{original}")
            assert (REPOSITORY / original.partition("#")[0]).exists()
            assert target.startswith("https://raw.") == original.endswith((".png", ".webp"))


def test_what_pip_installs_fills_a_sample(installed, tmp_path):
    code = f"""
import json, sys
sys.path[:] = [{str(installed)!r}, *(each for each in sys.path if "MedInpaint" not in each)]
import MedInpaintLib as mi
from MedInpaintLib.samples import sample
image = sample("brain-t1")
mi.inpaint(image.image, image.mask, labels=["all"], method="harmonic").save("filled.nii.gz")
print(json.dumps([mi.__file__, str(image.image), *mi.list_models()]))
"""
    process = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=tmp_path,
        env={"MEDINPAINT_MODELS": str(tmp_path / "none"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    package, image, *models = json.loads(process.stdout)
    assert Path(package).is_relative_to(installed)
    assert Path(image).is_relative_to(installed)
    assert models == sorted(path.parent.name for path in REPOSITORY.glob("Resources/Models/*/bundle.json"))
    before, after = (sitk.GetArrayFromImage(sitk.ReadImage(path)) for path in (image, tmp_path / "filled.nii.gz"))
    hole = sitk.GetArrayFromImage(sitk.ReadImage(image.replace(".nii.gz", "-hole.nii.gz"))) > 0
    np.testing.assert_array_equal(after[~hole], before[~hole])
    assert (after[hole] != before[hole]).mean() > 0.9


def test_the_conda_recipe_is_that_of_the_source_archive(archive):
    command = [sys.executable, str(REPOSITORY / "Packaging" / "conda_recipe.py"), str(archive)]
    recipe = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"sha256: {hashlib.sha256(archive.read_bytes()).hexdigest()}\n" in recipe
    assert f'version: "{mi.__version__}"' in recipe
    needed = re.search(r"^  run:\n((?:    - .*\n)+)", recipe, re.M).group(1)
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = re.search(r"^dependencies = \[(.*)\]$", project, re.M).group(1)
    for name, least in re.findall(r'"([\w-]+)>=([\d.]+)"', dependencies):
        assert f"    - {name.lower()} >={least}\n" in needed
    assert "torch" not in needed


def test_messages_do_not_install_a_package_that_is_not_published():
    """A registry may hold nothing under the name medinpaint yet, or what someone else has put there."""
    for folder in ("MedInpaintLib", "MedInpaint", "SegmentEditorMedInpaint"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            assert not re.search(r"pip install [^\n\"]*medinpaint", path.read_text(encoding="utf-8"), re.I), path
