"""Tissue from other scans."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import alignment
from MedInpaintLib.alignment import align
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.progress import Progress

SHAPE = (36, 40, 44)


def anatomy(points):
    """A head with folds, as a function of mm ``(3, ...)`` from its middle."""
    radius = np.sqrt(((points / np.array([16, 18, 20]).reshape(3, *(1,) * (points.ndim - 1))) ** 2).sum(axis=0))
    z, y, x = points
    folds = np.sin(0.55 * x + 0.2 * y) * np.cos(0.45 * y - 0.3 * z) + np.sin(0.37 * z * (1 + 0.02 * x))
    return np.where(radius < 1, 500 + 120 * folds, 0) * (radius < 1)


def head(turn=np.eye(3), shift=(0, 0, 0), gain=1.0):
    grid = np.indices(SHAPE) - (np.array(SHAPE).reshape(3, 1, 1, 1) - 1) / 2
    return gain * anatomy(np.tensordot(turn, grid, 1) + np.reshape(shift, (3, 1, 1, 1)))


@pytest.fixture
def hole():
    k, j, i = np.indices(SHAPE)
    return (k - 18) ** 2 + (j - 22) ** 2 + (i - 30) ** 2 < 30


def rotation(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def error(filled, truth, hole):
    return float(np.sqrt(((filled - truth)[hole] ** 2).mean()))


def test_a_turned_and_moved_scan_is_laid_over():
    fixed, moving = mi.Volume(head(), 1.0), mi.Volume(head(rotation(5), (0, 1.5, -2)), 1.0)
    found = align(fixed, np.ones(SHAPE, bool), moving)
    laid = found.onto(fixed, tuple(slice(0, size) for size in SHAPE))
    inside = ndimage.binary_erosion(fixed.array > 0, iterations=2) & np.isfinite(laid)
    assert np.corrcoef(laid[inside], fixed.array[inside])[0, 1] > 0.92
    assert found.similarity > 0.9


def test_the_hole_does_not_pull(hole):
    fixed, moving = head(), mi.Volume(head(rotation(5)), 1.0)
    results = [
        align(mi.Volume(np.where(hole, hidden, fixed), 1.0), ~hole, moving).transform.TransformPoint((5.0, 6.0, 7.0))
        for hidden in (0.0, 1e5)
    ]
    assert results[0] == results[1]


def test_the_same_head_in_other_units_fills_the_hole(hole):
    truth = head()
    other = mi.Volume(0.1 * head(rotation(4), (0, 1, 1)) + 7, 1.0)
    filled = {
        method: mi.inpaint(np.where(hole, 0, truth), hole, method=method, exemplars=[other]).volume.array
        for method in ("exemplar", "biharmonic")
    }
    assert error(filled["exemplar"], truth, hole) < 0.5 * error(filled["biharmonic"], truth, hole)


def test_no_patch_is_copied_from_where_an_exemplar_has_no_data(hole):
    truth = head()
    gaps = np.zeros(SHAPE, bool)
    gaps[:, :, 32:] = True
    results = [
        mi.inpaint(truth, hole, method="exemplar", exemplars=[mi.Volume(np.where(gaps, value, head(gain=2)), 1.0)])
        for value in (np.nan, np.inf, 1e30)
    ]
    assert results[0].report["notes"]["exemplars"] == 1
    assert len({each.volume.array.tobytes() for each in results}) == 1
    assert error(results[0].volume.array, truth, hole) < 60


def test_exemplars_that_do_not_fit_are_left_out_and_named(hole, tmp_path):
    truth = head()
    mi.Volume(np.random.default_rng(0).random(SHAPE), 1.0).write(tmp_path / "noise.nrrd")
    mi.Volume(truth, 1.0).write(tmp_path / "self.nrrd")
    result = mi.inpaint(mi.Volume(truth, 1.0), hole, method="exemplar", exemplars=tmp_path)
    assert result.report["notes"]["exemplars"] == 0
    said = " ".join(result.report["warnings"])
    assert "noise.nrrd was left out: laid over the image it is not alike" in said
    assert "self.nrrd was left out: it is the image itself" in said


def test_without_exemplars_it_says_what_it_needs(hole):
    with pytest.raises(ParameterError, match="give it some exemplars"):
        mi.inpaint(head(), hole, method="exemplar")


@pytest.mark.parametrize(("own", "method"), [(True, "patch"), (False, "biharmonic")])
def test_where_no_exemplar_can_be_used_the_fill_is_another_methods_and_that_is_said(hole, own, method):
    truth, noise = head(), np.random.default_rng(0).random(SHAPE)
    options = {"method": "exemplar", "parameters": {"own": own}, "exemplars": [noise]}
    result = mi.inpaint(truth, hole, **options)
    other = mi.inpaint(truth, hole, method=method, blend="poisson").volume.array
    np.testing.assert_allclose(result.volume.array, other, atol=1e-3)
    assert "No exemplar could be used" in result.report["warnings"][-1]
    assert method in result.report["warnings"][-1]


def test_a_file_that_cannot_be_read_is_left_out_and_named(hole, tmp_path):
    mi.Volume(head(rotation(4)), 1.0).write(tmp_path / "good.nrrd")
    (tmp_path / "bad.nrrd").write_text("no image")
    report = mi.inpaint(head(), hole, method="exemplar", exemplars=tmp_path).report
    assert report["notes"]["exemplars"] == 1
    (warning,) = report["warnings"]
    assert warning.startswith("Exemplar bad.nrrd was left out: ")
    assert "cannot be read" in warning


def test_what_has_other_dimensions_is_left_out_and_told_how(hole):
    slab, one = head()[18:19], mi.Volume(head(rotation(4))[18:19], 1.0)
    flat = mi.inpaint(head(), hole, method="exemplar", exemplars=[head()[18]])
    assert "number 1 was left out: it is 2-D and the image is 3-D." in flat.report["warnings"][0]
    single = mi.inpaint(slab, hole[18:19], method="exemplar", exemplars=[one])
    assert "a volume of one slice cannot be aligned; give both in 2-D." in single.report["warnings"][0]


def test_scans_are_smoothed_once_for_each_grid_and_alignment_tells_how_far_it_is(monkeypatch):
    calls, seen = [], []
    thinned = alignment._thinned
    monkeypatch.setattr(alignment, "_thinned", lambda *given, **how: calls.append(1) or thinned(*given, **how))
    monkeypatch.setattr("MedInpaintLib.progress.INTERVAL", 0.0)
    progress = Progress(lambda fraction, stage: seen.append(fraction))
    align(mi.Volume(head(), 1.0), np.ones(SHAPE, bool), mi.Volume(head(rotation(4)), 1.0), progress)
    assert len(calls) == 3 * len(alignment.GRIDS)
    assert len(set(seen)) >= 5
