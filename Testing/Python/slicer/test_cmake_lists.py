"""What CMake lists is what there is; otherwise the packaged extension would lack files."""

import importlib.util
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
_specification = importlib.util.spec_from_file_location("cmake_lists", REPOSITORY / "Testing" / "cmake_lists.py")
cmake_lists = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(cmake_lists)


def test_the_lists_match_the_tree():
    assert cmake_lists.problems() == [], "run: python Testing/cmake_lists.py --fix"


def test_forgotten_and_vanished_files_are_found_and_fixed(tmp_path):
    for folder in ("MedInpaint", "MedInpaintLib", "SegmentEditorMedInpaint"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    cmake_lists.fix(tmp_path)
    (tmp_path / "MedInpaintLib" / "methods" / "brand_new.py").touch()
    (tmp_path / "MedInpaintLib" / "errors.py").unlink()
    assert cmake_lists.problems(tmp_path) == [
        "MedInpaintLib/CMakeLists.txt: MEDINPAINTLIB_PYTHON_SCRIPTS lacks methods/brand_new.py",
        "MedInpaintLib/CMakeLists.txt: MEDINPAINTLIB_PYTHON_SCRIPTS names errors.py, which is not there",
    ]
    cmake_lists.fix(tmp_path)
    assert cmake_lists.problems(tmp_path) == []
