"""The self-check's table, and the sentence that results carry."""

import re

from MedInpaintSlicer import selfcheck

TITLES = {"telea": "Telea (fast marching)", "patch": "Patches", "harmonic": "Harmonic <Laplace>"}


def _found(psnr, sd=2.31, mae=12.34):
    return {
        "psnr": {"mean": psnr, "sd": sd},
        "ssim": {"mean": 0.9123, "sd": 0.0456},
        "mae": {"mean": mae, "sd": 4.56},
        "seconds": 1.25,
    }


def _checked(best, methods, leftOut=None):
    return {
        "best": best,
        "holes": 8,
        "range": "R = 823, from 0 to 823 (99.5 percentile of the known foreground)",
        "expected": {"psnr": methods[best]["psnr"]},
        "methods": methods,
        "left_out": leftOut or {},
    }


def _rows(text):
    """Each row's cells as plain text."""
    rows = re.findall(r"<tr.*?</tr>", text)
    cells = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row) for row in rows]
    return [[re.sub(r"<.*?>", " ", cell).strip() for cell in row] for row in cells]


def test_the_best_comes_first_and_is_marked():
    text = selfcheck.table(_checked("patch", {"telea": _found(28.1), "patch": _found(30.2)}), TITLES)
    head, best, other = _rows(text)
    assert head == ["Method", "PSNR dB", "SSIM", "MAE", "Time s"]
    assert best == ["Patches  taken", "30.2 ±2.3", "0.912 ±0.046", "12.3 ±4.6", "1.2"]
    assert other[:2] == ["Telea", "28.1 ±2.3"]


def test_above_stands_what_was_tried_and_what_the_scores_are_relative_to():
    text = selfcheck.table(_checked("patch", {"telea": _found(28.1), "patch": _found(30.2)}), TITLES)
    for words in ("2 methods filled 8 holes of the same shape in healthy tissue", "R = 823, from 0 to 823"):
        assert words in text


def test_a_method_that_was_chosen_is_described_alone():
    text = selfcheck.table(_checked("telea", {"telea": _found(28.1)}), TITLES)
    assert "what to expect of Telea, from 8 holes" in text
    assert "taken" not in text
    assert len(_rows(text)) == 2


def test_what_could_not_be_tried_is_named_with_the_reason():
    text = selfcheck.table(_checked("patch", {"patch": _found(30.2)}, {"harmonic": "It needs <b>x</b>."}), TITLES)
    assert "Harmonic &lt;Laplace&gt; could not be tried: It needs &lt;b&gt;x&lt;/b&gt;." in text


def test_a_perfect_fill_and_a_single_hole_can_be_shown():
    text = selfcheck.table(_checked("patch", {"telea": _found(None), "patch": _found(30.2, sd=None)}), TITLES)
    assert [row[1] for row in _rows(text)[1:]] == ["30.2", "∞"]


def test_errors_have_three_figures_whatever_the_unit():
    for mae, shown in ((1234.5, "1234"), (123.45, "123"), (0.012345, "0.0123"), (0.0, "0")):
        text = selfcheck.table(_checked("patch", {"patch": _found(30.2, mae=mae)}), TITLES)
        assert _rows(text)[1][3].split()[0] == shown


def test_the_sentence_says_what_to_expect():
    checked = _checked("patch", {"patch": _found(30.24)})
    assert selfcheck.expectation(checked) == (
        "Self-check on 8 holes of the same shape in healthy tissue: expected PSNR 30.2 ± 2.3 dB."
    )
