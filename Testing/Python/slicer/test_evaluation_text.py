"""What is said of an evaluation: its verdict, its table, and holes in words."""

import re

import pytest
from panelhost.evaluations import YARDSTICK, report

from MedInpaintLib import holes
from MedInpaintLib.evaluation.protocol import TRIVIAL
from MedInpaintSlicer import evaluation, holeshapes

TITLES = {"telea": "Telea (fast marching)", "patch": "Patches", YARDSTICK: "Mean <shell>"}


def _rows(text):
    """Each row's cells as plain text."""
    rows = re.findall(r"<tr.*?</tr>", text)
    cells = [re.findall(r"<td.*?>(.*?)</td>", row) for row in rows]
    return [[re.sub(r"<.*?>", " ", cell).strip() for cell in row] for row in cells]


def _joined(*reports):
    """One report on several sets of holes."""
    parts = {part: [each for found in reports for each in found[part]] for part in ("holes", "rows", "methods")}
    return {**reports[0], **parts}


def test_the_yardstick_is_the_engines():
    assert evaluation.YARDSTICK == TRIVIAL


def test_the_best_is_compared_hole_by_hole():
    found = report({YARDSTICK: [10, 20, 30], "telea": [14, 23, 32], "patch": [15, 22, 35]})
    assert evaluation.verdict(found, TITLES) == (
        "Best by PSNR: Patches; better than the yardstick in 3 of 3 hole(s), by +4.0 ± 1.7 dB; "
        "better than Telea in 2 of 3 hole(s), by +1.0 ± 2.0 dB."
    )


def test_a_single_hole_has_no_spread_and_a_single_method_no_other():
    found = report({YARDSTICK: [10], "patch": [15.5]})
    expected = "Best by PSNR: Patches; better than the yardstick in 1 of 1 hole(s), by +5.5 dB."
    assert evaluation.verdict(found, TITLES) == expected


def test_a_perfect_fill_is_the_best_without_a_gain_in_db():
    found = report({YARDSTICK: [10, 20], "telea": [14, 23], "patch": [None, 22]})
    assert evaluation.verdict(found, TITLES) == (
        "Best by PSNR: Patches; better than the yardstick in 2 of 2 hole(s); better than Telea in 1 of 2 hole(s)."
    )


def test_nothing_beats_the_yardstick():
    found = report({YARDSTICK: [30, 31], "patch": [20, 21]})
    assert evaluation.verdict(found, TITLES) == "No method beats the yardstick, Mean <shell>."
    assert "No method" in evaluation.verdict(report({YARDSTICK: [30, 31]}), TITLES)


def test_each_set_of_holes_has_its_own_verdict_and_table():
    found = _joined(
        report({YARDSTICK: [10], "patch": [15]}, "spheres:20mm:1"),
        report({YARDSTICK: [30], "patch": [15]}, "blobs:5mm:1"),
    )
    first, second = evaluation.verdict(found, TITLES).splitlines()
    assert first.startswith("spheres:20mm:1: Best by PSNR: Patches")
    assert second == "blobs:5mm:1: No method beats the yardstick, Mean <shell>."
    text = evaluation.table(found, TITLES, "T1")
    assert [row[0] for row in _rows(text)] == [
        *("Method", "Patches", "Mean &lt;shell&gt;  yardstick"),
        *("Method", "Mean &lt;shell&gt;  yardstick", "Patches"),
    ]


def test_the_table_has_the_best_first_and_marks_the_yardstick():
    found = report({YARDSTICK: [10, 20, 30], "telea": [14, 23, 32], "patch": [15, 22, 35]})
    text = evaluation.table(found, TITLES, "T1 <2>")
    head, *rows = _rows(text)
    assert head == ["Method", "PSNR dB", "SSIM", "MAE", "Time s"]
    assert [row[0] for row in rows] == ["Patches", "Telea", "Mean &lt;shell&gt;  yardstick"]
    assert rows[0][1] == "24.0 ±10.1"
    for words in ("3 methods, 3 hole(s) in 'T1 &lt;2&gt;'", "(spheres:10mm:3)", "R = 823, from 0 to 823"):
        assert words in text


def test_a_set_can_be_called_otherwise():
    found = evaluation.renamed(report({YARDSTICK: [10]}), "spheres:10mm:3", "Drawn")
    assert evaluation.sets(found) == ["Drawn"]
    assert {each["holes"] for part in ("rows", "methods") for each in found[part]} == {"Drawn"}


def test_every_shape_of_the_engine_is_offered_by_a_title_of_its_own():
    offered = holeshapes.titles()
    named = re.findall(r"^  (\w+):", holes.grammar(), re.MULTILINE)
    assert sorted(offered) == sorted(named)
    assert len(set(offered.values())) == len(offered)
    assert not any(title == name.capitalize() for name, title in offered.items() if name in ("squares", "lesions"))


@pytest.mark.parametrize("shape", list(holeshapes.titles()))
@pytest.mark.parametrize("slab", [0, 2.5])
def test_every_description_is_understood_by_the_engine(shape, slab):
    drawn = holes.parse(holeshapes.describe(shape, 7.5, 4, slab))
    assert drawn.count == 4
    size = next(getattr(drawn, name) for name in ("diameter", "side", "width", "thickest") if hasattr(drawn, name))
    assert (size.value, size.unit) == (7.5, "mm")
    if slab and holeshapes.isFlat(shape):
        assert (drawn.slab.value, drawn.slab.unit) == (2.5, "mm")
    else:
        assert getattr(drawn, "slab", None) is None


def test_flat_are_those_shapes_that_can_be_thickened():
    assert {shape for shape in holeshapes.titles() if holeshapes.isFlat(shape)} == {"squares", "strips", "strokes"}
    assert not holeshapes.isFlat("segments")


def test_holes_in_words():
    assert holeshapes.inWords("spheres", 20, 6) == "6 spheres of 20 mm"
    assert holeshapes.inWords("spheres", 7.5, 1, 3) == "1 sphere of 7.5 mm"
    assert holeshapes.inWords("squares", 20, 2, 5) == "2 squares of 20 mm, 5 mm thick"
    assert holeshapes.inWords("squares", 20, 2, 0) == "2 squares of 20 mm"
