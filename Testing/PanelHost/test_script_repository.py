"""Every snippet of the script repository runs, in the order of the page, in one scene."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import slicer
from panelhost import host, mrml

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "slicer-scripts.md"
SECTIONS = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
NUMBERED = [section for section in SECTIONS if section[0].isdigit()]


def _code(section: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL))


@pytest.fixture(scope="module")
def console():
    """The names in Slicer's Python console."""
    host.install()
    mrml.clearScene()
    yield {}
    mrml.clearScene()


@pytest.fixture
def inputs(console):
    """Function that says whether the volumes which were loaded are as they were when it was first asked."""
    before = console.setdefault("__before__", {})

    def areAsTheyWere() -> bool:
        for name in ("volume", "t2"):
            if name in console:
                array = slicer.util.arrayFromVolume(console[name])
                if not np.array_equal(before.setdefault(name, array.copy()), array):
                    return False
        return True

    return areAsTheyWere


def test_there_are_eleven():
    assert [int(section.partition(".")[0]) for section in NUMBERED] == list(range(1, 12))
    assert all(_code(section) for section in NUMBERED)


@pytest.mark.parametrize("section", NUMBERED, ids=lambda section: section.splitlines()[0])
def test_a_snippet_does_what_it_says(section, console, inputs):
    if "PyTorch" in section and importlib.util.find_spec("torch") is None:
        pytest.skip("it needs PyTorch")
    exec(compile(_code(section), PAGE.name, "exec"), console)
    assert inputs()
    number = int(section.partition(".")[0])
    assert _CHECKS[number](console), f"snippet {number} did not do what it says"


def _isFilled(console) -> bool:
    return console["filled"].GetAttribute("MedInpaint.Method") is not None


_CHECKS = {
    1: _isFilled,
    2: lambda console: console["filled"].GetAttribute("MedInpaint.Method") == "biharmonic",
    3: lambda console: console["job"].state == "done",
    4: lambda console: (
        console["uncertainty"] is not None and {kind["best"] for kind in console["checked"]} == {"harmonic"}
    ),
    5: lambda console: console["filled"].GetAttribute("MedInpaint.Guides") == '["T2"]',
    6: lambda console: console["difference"].any() and console["output"].GetImageData() is None,
    7: lambda console: int(console["filled"].GetAttribute("MedInpaint.HoleVoxels")) == int(console["dropout"].sum()),
    8: lambda console: console["flair"].GetAttribute("MedInpaint.Target") == "FLAIR",
    9: lambda console: (
        not any(isinstance(each, Exception) for each in console["outcomes"].values())
        and console["filledSequence"].GetNumberOfDataNodes() == 2
    ),
    10: lambda console: console["best"] in ("harmonic", "biharmonic"),
    11: lambda console: console["regions"].GetNumberOfRows() == 2 and console["brain"].any(),
}
