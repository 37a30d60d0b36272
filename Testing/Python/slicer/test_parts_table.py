"""The table of the hole's parts, their tool tips, and what is said of several methods and of several self-checks."""

import html
import re

import pytest

from MedInpaintLib.report import NO_REGIONS
from MedInpaintSlicer import parts, selfcheck

TITLES = {"mirror": "Mirror (other hemisphere)", "patch": "Patches", "harmonic": "Harmonic <Laplace>"}


def _part(number=1, method="mirror", **facts):
    return {
        "number": number,
        "voxels": 1000,
        "volume_ml": 1.0,
        "depth_mm": 6.25,
        "middle": [3, 4, 5],
        "method": method,
        "reason": "",
        "warnings": [],
        "scores": None,
        **facts,
    }


def _scores(psnr):
    spread = {"mean": psnr, "sd": 2.3}
    return {"psnr": spread, "ssim": spread, "mae": spread}


def _rows(text):
    """Each row's cells as plain text."""
    cells = [re.findall(r"<td.*?>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", text)]
    return [[html.unescape(re.sub(r"<.*?>", " ", cell)).strip() for cell in row] for row in cells]


def test_a_single_part_needs_no_table():
    assert parts.table([_part()], TITLES) == ""


def test_a_row_tells_number_size_depth_and_method():
    text = parts.table([_part(7, volume_ml=83.14, depth_mm=16.04), _part(2, "harmonic", volume_ml=0.01234)], TITLES)
    assert _rows(text) == [
        ["Part", "Method", "mL", "Depth mm", ""],
        ["7", "Mirror", "83.1", "16.0", ""],
        ["2", "Harmonic <Laplace>", "0.0123", "6.2", ""],
    ]


def test_what_is_not_known_is_a_dash():
    text = parts.table([_part(volume_ml=None, depth_mm=None), _part(2)], TITLES)
    assert _rows(text)[1][2:4] == ["–", "–"]


def test_the_largest_region_is_shown_as_soon_as_one_part_has_some_and_the_tool_tip_has_all():
    placed = _part(1, regions={"left <cortex>": 0.62, "left white matter": 0.3, "left amygdala": 0.01})
    rows = _rows(parts.table([placed, _part(2), _part(3, scores=_scores(31.26))], TITLES))
    assert rows[0] == ["Part", "Method", "Region", "mL", "Depth mm", "PSNR dB", ""]
    assert [row[2] for row in rows] == ["Region", "left <cortex>", "–", "–"]
    assert "By the atlas: left <cortex> (62 %), left white matter (30 %)." in html.unescape(parts.tip(placed, TITLES))


def test_of_a_single_part_the_regions_are_said_or_why_there_are_none():
    placed = _part(1, regions={"brainstem": 0.97})
    assert parts.placeText({"parts": [placed], "notes": {}}) == "By the atlas: brainstem (97 %)."
    assert parts.placeText({"parts": [placed, placed], "notes": {}}) == ""
    assert parts.placeText({"parts": [_part()], "notes": {}}) == ""
    reason = "the image cannot show a head"
    assert parts.placeText({"parts": [_part()], "notes": {NO_REGIONS: reason}}) == f"No regions are named: {reason}."


def test_psnr_is_shown_as_soon_as_one_part_is_scored():
    rows = _rows(parts.table([_part(1, scores=_scores(31.26)), _part(2), _part(3, scores=_scores(None))], TITLES))
    assert [row[4] for row in rows] == ["PSNR dB", "31.3", "–", "∞"]


def test_without_scores_the_error_by_the_uncertainty_is_shown():
    rows = _rows(parts.table([_part(1, deviation=41.237), _part(2)], TITLES))
    assert [row[4] for row in rows] == ["Error ±", "41.2", "–"]
    rows = _rows(parts.table([_part(1, deviation=41.237), _part(2, scores=_scores(31.26))], TITLES))
    assert [row[4] for row in rows] == ["PSNR dB", "–", "31.3"]


def test_the_tool_tip_tells_how_far_to_trust_the_method_of_the_part():
    trust = {"mirror": "As <right> as the other side.", "patch": "Plausible."}
    assert "As <right> as the other side." in html.unescape(parts.tip(_part(), TITLES, trust))
    assert parts.tip(_part(method="harmonic"), TITLES, trust) == ""


def test_only_parts_with_warnings_are_marked_and_the_tool_tip_tells_them():
    warned = _part(2, "patch", reason="it is <deep>", warnings=["It is dark.", "It is near a < b."])
    rows = _rows(parts.table([warned, _part(1)], TITLES))
    assert [row[-1] for row in rows] == ["", parts.MARK, ""]
    lines = [html.unescape(line) for line in re.findall(r"<p.*?>(.*?)</p>", parts.tip(warned, TITLES))]
    assert lines == ["Patches: it is <deep>.", "It is dark.", "It is near a < b."]
    assert parts.tip(_part(), TITLES) == ""


def test_links_lead_to_the_rows_not_to_the_numbers():
    text = parts.table([_part(9, warnings=["It is dark."]), _part(4)], TITLES)
    assert re.findall(r'<a href="(.*?)">(.*?)</a>', text) == [("0", "9"), ("0", parts.MARK), ("1", "4")]


@pytest.mark.parametrize(("count", "rows", "more"), [(12, 12, None), (13, 12, "and 1 more"), (177, 12, "and 165 more")])
def test_of_many_parts_the_first_are_shown_and_the_others_counted(count, rows, more):
    text = parts.table([_part(number) for number in range(1, count + 1)], TITLES)
    assert [row[0] for row in _rows(text)[1:]] == [str(number) for number in range(1, rows + 1)]
    assert ("more" in text) == (more is not None)
    assert more is None or more in text


def _report(method, *facts, reason=""):
    return {"method": method, "reason": reason, "parts": list(facts), "self_check": None}


def test_one_reason_for_all_parts_is_told_with_the_result():
    report = _report("mirror", _part(1, reason="it is large"), _part(2, reason="it is large"), reason="it is large")
    assert parts.methodText(report, TITLES) == "Method: Mirror (other hemisphere), because it is large."


def test_several_methods_are_named_and_their_reasons_left_to_the_table():
    parted = _part(1, reason="it is large"), _part(2, "patch", reason="it is deep")
    report = _report("mirror, patch", *parted, reason="mirror for 1 part: it is large; patch for 1 part: it is deep")
    assert parts.methodText(report, TITLES) == "Method: Mirror (other hemisphere), Patches."


def test_each_of_several_self_checks_names_its_parts():
    score = {**_scores(30.0), "seconds": 1.0}
    kinds = [
        {"parts": numbers, "best": "patch", "holes": 8, "range": "R", "methods": {"patch": score}, "left_out": {}}
        for numbers in ([3], list(range(4, 24)))
    ]
    first, second = re.findall(r"<b>(Part.*?)</b>", selfcheck.tables(kinds, TITLES))
    assert first == "Part(s) 3"
    assert second.endswith(", 14, 15 and 8 more")
    assert "<b>Part" not in selfcheck.tables(kinds[:1], TITLES)
