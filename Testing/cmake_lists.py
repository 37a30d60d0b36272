"""Checks that the file lists in the CMakeLists.txt match the tree: ``python Testing/cmake_lists.py [--fix]``.

Slicer packages what the lists name and nothing else, so a forgotten file is missing only for those who install the
extension. Exit code 0: all match; 1: they do not. ``--fix`` rewrites them from the tree.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def isScript(path: Path) -> bool:
    """Python files are compiled; all others are copied."""
    return path.suffix == ".py"


#: CMakeLists.txt -> name of the list -> (files to look at, which of them belong into the list).
LISTS: dict[str, dict[str, tuple[tuple[str, ...], Callable[[Path], bool]]]] = {
    "MedInpaint/CMakeLists.txt": {
        "MODULE_PYTHON_SCRIPTS": (("MedInpaint.py", "MedInpaintSlicer"), isScript),
        "MODULE_PYTHON_RESOURCES": (("Resources",), lambda path: not isScript(path)),
    },
    "SegmentEditorMedInpaint/CMakeLists.txt": {
        "MODULE_PYTHON_SCRIPTS": (("SegmentEditorMedInpaint.py", "SegmentEditorMedInpaintLib"), isScript),
        "MODULE_PYTHON_RESOURCES": (("SegmentEditorMedInpaintLib",), lambda path: not isScript(path)),
    },
    "MedInpaintLib/CMakeLists.txt": {
        "MEDINPAINTLIB_PYTHON_SCRIPTS": ((".",), isScript),
        "MEDINPAINTLIB_PYTHON_RESOURCES": ((".",), lambda path: not isScript(path)),
    },
}


def listed(text: str, name: str) -> list[str]:
    """The files that the list ``name`` holds in the text of a CMakeLists.txt."""
    return _pattern(name).search(text)["files"].split()


def problems(repository: Path = REPOSITORY) -> list[str]:
    """One line for every file that is listed and not there, or there and not listed."""
    found = []
    for cmakeFile, name, inTree in _expected(repository):
        named = listed((repository / cmakeFile).read_text(encoding="utf-8"), name)
        found += [f"{cmakeFile}: {name} lacks {file}" for file in inTree if file not in named]
        found += [f"{cmakeFile}: {name} names {file}, which is not there" for file in named if file not in inTree]
    return found


def fix(repository: Path = REPOSITORY) -> None:
    """Rewrite the lists from the tree."""
    for cmakeFile, name, inTree in _expected(repository):
        path = repository / cmakeFile
        text = path.read_text(encoding="utf-8")
        start, end = _pattern(name).search(text).span("files")
        path.write_text(text[:start] + "".join(f"  {file}\n" for file in inTree) + text[end:], encoding="utf-8")


def _expected(repository: Path) -> Iterator[tuple[str, str, list[str]]]:
    for cmakeFile, lists in LISTS.items():
        folder = (repository / cmakeFile).parent
        for name, (starts, belongs) in lists.items():
            files = {file for start in starts for file in _files(folder / start) if belongs(file)}
            yield cmakeFile, name, sorted(file.relative_to(folder).as_posix() for file in files)


def _files(start: Path) -> Iterator[Path]:
    for path in [start] if start.is_file() else start.rglob("*"):
        generated = "__pycache__" in path.parts or path.name.startswith(".")
        if path.is_file() and not generated and path.name != "CMakeLists.txt":
            yield path


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"set\({name}\n(?P<files>[^)]*?)  \)\n")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="rewrite the lists from the tree")
    if parser.parse_args().fix:
        fix()
    found = problems()
    print("\n".join(found) or "The file lists match the tree.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
