"""What the Slicer Extensions Index asks of an extension, checked without a network.

The rules are those of Slicer/ExtensionsIndex: schema 1.0.2 of the description, its script that checks descriptions, and
the list that its pull requests go through (tier 1).
"""

from __future__ import annotations

import ast
import json
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DESCRIPTION = REPOSITORY / "MedInpaint.json"
CMAKE = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
#: Key -> type of its value; the schema allows no others.
KEYS = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "dicom_support_rule": str,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
#: The index has a closed list; these are the ones of it that hold extensions of this kind.
CATEGORIES = {"Filtering", "Image Synthesis", "Neuroimaging"}
#: Where the index shows pictures from: the repository's files on its branch.
RAW = "https://raw.githubusercontent.com/MedInpaint/SlicerMedInpaint/main/"
LARGEST_REPOSITORY = 100 * 1024**2


def _metadata(name: str) -> str:
    """The value of EXTENSION_<name>, as the index looks for it: in quotes, on the line of its name."""
    found = re.findall(rf'^set\(EXTENSION_{name} "([^"\n]+)"\)$', CMAKE, re.M)
    assert len(found) == 1, f"EXTENSION_{name} is to be set once, on one line, in quotes"
    return found[0]


def _repository_files() -> list[Path]:
    """What git has, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    files = [REPOSITORY / name for name in listed.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


# The description


def test_the_description_follows_the_schema():
    text = DESCRIPTION.read_bytes().decode("utf-8")
    assert "\r" not in text
    assert "\t" not in text
    facts = json.loads(text)
    assert facts.keys() <= KEYS.keys()
    assert facts.keys() >= {"$schema", "category", "scm_url"}
    assert all(type(value) is KEYS[key] for key, value in facts.items())
    assert facts["$schema"] == SCHEMA
    assert facts["category"] in CATEGORIES
    assert 1 <= facts["tier"] <= 5


def test_names_of_extension_repository_and_project_go_together():
    facts = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    name = re.search(r"project\s*\(\s*([^\s)]+)", CMAKE)[1]
    assert name == DESCRIPTION.stem
    assert not name.lower().startswith("slicer")
    assert facts["scm_url"].removesuffix(".git") == _metadata("HOMEPAGE")
    assert facts["scm_url"].removesuffix(".git").endswith(f"/Slicer{name}")
    assert RAW.split("/")[3:] == [*_metadata("HOMEPAGE").split("/")[3:], facts["scm_revision"], ""]


def test_the_extension_builds_without_another_one():
    """The index packages an extension by itself only if it depends on none and has no C++."""
    assert "build_dependencies" not in json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    assert _metadata("DEPENDS") == "NA"
    assert [file for file in _repository_files() if file.suffix in (".cxx", ".h")] == []


@pytest.mark.parametrize(
    "words", ["mask volume", "fill holes", "missing voxels", "metal artifact", "table", "lesion filling", "inpainting"]
)
def test_the_description_has_the_words_that_users_look_for(words):
    assert words in _metadata("DESCRIPTION").lower()


def test_the_description_promises_no_more_than_there_is():
    description = _metadata("DESCRIPTION")
    assert "not metal artifact reduction" in description
    assert len(re.findall("reduction|correction", description)) == 1
    assert "not for clinical use" in description
    # CMake hands it on as a list, of which only the first entry is read.
    assert ";" not in description


def test_the_pictures_that_the_index_shows_are_in_the_repository():
    icon, screenshots = _picture(_metadata("ICONURL")), _metadata("SCREENSHOTURLS").split()
    assert _size_of_png(icon) == (128, 128)
    assert len(screenshots) > 1
    for url in screenshots:
        path = _picture(url)
        size = _size_of_png if path.suffix == ".png" else _size_of_webp
        assert min(size(path)) > 128


def _picture(url: str) -> Path:
    assert url.startswith(RAW)
    path = REPOSITORY / url.removeprefix(RAW)
    assert path in _repository_files(), f"{url} would not be there"
    return path


def _size_of_png(path: Path) -> tuple[int, int]:
    """Width and height in pixels."""
    start = path.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", start[16:])


def _size_of_webp(path: Path) -> tuple[int, int]:
    """Width and height in pixels of a lossy WebP without transparency, the kind that photographs are saved as."""
    start = path.read_bytes()[:30]
    assert (start[:4], start[8:16]) == (b"RIFF", b"WEBPVP8 ")
    width, height = struct.unpack("<HH", start[26:])
    return width & 0x3FFF, height & 0x3FFF


# The repository


def test_a_permissive_license_is_in_the_root_and_named_in_the_readme():
    assert "Apache License" in (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_repository_is_small_enough():
    """The index counts all files of a clone: the checkout, and the pack of the whole history with its index."""
    files = sum(file.stat().st_size for file in _repository_files())
    # The objects that HEAD needs, and not size-pack: a checkout that has fetched several times holds packs with objects
    # that no clone gets (measured: 64 MB in seven packs where a clone has 51).
    history = ["git", "rev-list", "--objects", "--disk-usage", "HEAD"]
    packed = int(subprocess.run(history, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout)
    objects = subprocess.run([*history[:3], "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    indices = 40 * len(objects.splitlines())  # bytes: a hash, a checksum, an offset and a place in reverse order
    assert files + packed + indices < LARGEST_REPOSITORY


def test_no_file_of_the_repository_runs_code_when_it_is_loaded():
    """Neither a pickle nor what PyTorch makes of one (checkpoints, TorchScript: zip files with pickles in them)."""
    assert [file for file in _repository_files() if _holds_a_pickle(file)] == []


def _holds_a_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(2)
    if b"\x80\x02" <= start <= b"\x80\x05":  # the opcode PROTO and its number
        return True
    return zipfile.is_zipfile(path) and any(name.endswith(".pkl") for name in zipfile.ZipFile(path).namelist())


def test_pickles_are_recognized(tmp_path):
    import pickle

    torch = pytest.importorskip("torch")
    harmless, plain, checkpoint = (tmp_path / name for name in ("harmless", "plain", "checkpoint"))
    harmless.write_bytes(b"\x80 is a sign of some encodings")
    plain.write_bytes(pickle.dumps({"weights": [1.0]}))
    torch.save({"weights": torch.ones(1)}, checkpoint)
    assert [_holds_a_pickle(each) for each in (harmless, plain, checkpoint)] == [False, True, True]


# What runs when Slicer starts: all that is not within a function of a module's files.

#: What is there before anything was installed. The engine is none of it: it needs packages that are offered later.
SLICERS_OWN = {"slicer", "vtk", "qt", "ctk", "numpy", "packaging", "SegmentEditorEffects"}
INSTALLERS = {"pip_install", "pip_ensure", "installTorch", "executePythonModule", "check_call", "run", "system"}


def _module_folders() -> list[Path]:
    """Those whose files Slicer loads when it starts; the engine is a package."""
    folders = [REPOSITORY / name for name in re.findall(r"^add_subdirectory\((\w+)\)", CMAKE, re.M)]
    return [folder for folder in folders if not (folder / "__init__.py").is_file() and folder.name != "Resources"]


def _module_files() -> list[Path]:
    files = [file for folder in _module_folders() for file in folder.rglob("*.py")]
    assert REPOSITORY / "MedInpaint" / "MedInpaint.py" in files
    return [file for file in files if "Testing" not in file.relative_to(REPOSITORY).parts]


def _at_file_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a file is imported; those for type checkers alone do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from _at_file_scope(child)


def _imported(source: str) -> set[str]:
    """The packages that are imported when a file is."""
    names: set[str] = set()
    for node in _at_file_scope(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def _called(source: str) -> set[str]:
    """The functions that are called when a file is imported, without what they are called on."""
    calls = [node.func for node in _at_file_scope(ast.parse(source)) if isinstance(node, ast.Call)]
    return {ast.unparse(call).split(".")[-1] for call in calls}


def test_module_files_import_nothing_that_slicer_does_not_bring():
    own = {path.stem for folder in _module_folders() for path in folder.iterdir()}
    allowed = SLICERS_OWN | own | set(sys.stdlib_module_names)
    foreign = {str(file): _imported(file.read_text(encoding="utf-8")) - allowed for file in _module_files()}
    assert {file: names for file, names in foreign.items() if names} == {}


def test_module_files_install_nothing_when_they_are_imported():
    calls = {str(file): _called(file.read_text(encoding="utf-8")) & INSTALLERS for file in _module_files()}
    assert {file: names for file, names in calls.items() if names} == {}


def test_what_happens_at_file_scope_is_told_from_what_does_not():
    source = """
import torch.nn
try:
    from skimage import data
except ImportError:
    slicer.util.pip_install("scikit-image")
class Widget(Base):
    import lazy
    def onApply(self):
        import scipy
        pip_ensure("scipy")
"""
    assert _imported(source) == {"torch", "skimage", "lazy"}
    assert _called(source) == {"pip_install"}
