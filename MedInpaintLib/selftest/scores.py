"""Self-tests of the metrics and of each convention that they are reported by."""

from __future__ import annotations

import math

import numpy as np

from .. import metrics
from .check import check, deviation, field, largest, lone, luminance


def _lone_hole(shape: tuple[int, ...]) -> np.ndarray:
    """Return a hole of the pixel in the middle."""
    hole = np.zeros(shape, dtype=bool)
    hole[tuple(size // 2 for size in shape)] = True
    return hole


def _against(scores: dict[str, float], expected: dict[str, float]) -> float:
    """Return the largest difference of scores to what they should be; both have the same metrics."""
    if set(scores) != set(expected):
        raise AssertionError(f"not both scored and expected: {', '.join(sorted(set(scores) ^ set(expected)))}")
    return deviation([scores[name] for name in expected], list(expected.values()))


@check("MSE, RMSE, MAE, NMSE and PSNR of a constant error are as by hand")
def _errors() -> float:
    truth, hole = np.full((6, 6), 10.0), np.zeros((6, 6), dtype=bool)
    hole[2:4, 2:4] = True
    filled = np.where(hole, 12.0, 777.0)  # what was done outside the hole does not count
    values = [metric(filled, truth, hole) for metric in (metrics.mse, metrics.rmse, metrics.mae, metrics.nmse)]
    values.append(metrics.psnr(filled, truth, hole, data_range=100.0))
    return deviation(values, [4.0, 2.0, 2.0, 0.04, 20 * math.log10(50)])


@check("The mean is under the root: RMSE of the errors 1 and 7 is 5, MAE is 4")
def _root() -> float:
    filled, truth = np.array([[1.0, -7.0], [0.0, 0.0]]), np.zeros((2, 2))
    hole = np.array([[True, True], [False, False]])
    return deviation([metrics.rmse(filled, truth, hole), metrics.mae(filled, truth, hole)], [5.0, 4.0])


@check("SSIM of two constant images is the luminance term alone")
def _ssim_constant() -> float:
    low, high = np.full((8, 8, 8), 0.4), np.full((8, 8, 8), 0.6)
    return abs(metrics.ssim(high, low, np.ones(low.shape, dtype=bool), data_range=1.0) - luminance(0.4, 0.6))


@check("SSIM at a single pixel that differs follows from the weight of the window's middle")
def _ssim_lone() -> float:
    hole = _lone_hole((13, 13, 13))
    truth, filled = np.full(hole.shape, 0.5), np.where(hole, 0.7, 0.5)
    expected = lone(0.7, 0.5, 0.5, sigma=1.5, dimensions=3)
    similar = metrics.ssim_map(filled, truth, data_range=1.0)
    return deviation([metrics.ssim(filled, truth, hole, data_range=1.0), similar[hole][0]], [expected, expected])


@check("SSIM of an image with itself is 1, and lower with any other")
def _ssim_identity() -> float:
    truth, hole = field()
    same = metrics.ssim(truth, truth, hole, data_range=3.0)
    return abs(same - 1.0) + float(metrics.ssim(truth + 0.1, truth, hole, data_range=3.0) >= 1.0)


@check("A fill with twice the contrast has twice the gradient")
def _gradient() -> float:
    truth, _ = field()
    everywhere = np.ones(truth.shape, dtype=bool)
    return abs(metrics.gradient_energy(2 * truth, truth, everywhere, spacing=(2.0, 1.0, 0.5)) - 2.0)


@check("A fill that continues the truth has no seam; one that is too high has the step across its rim")
def _seam() -> float:
    truth, hole = field()
    seamless = metrics.boundary_jump(truth, truth, hole, spacing=(2.0, 1.0, 0.5))
    ramp, filled, rows = _raised_ramp()
    return deviation([seamless, metrics.boundary_jump(filled, ramp, rows)], [1.0, math.sqrt(2)])


@check("Slices that are three times as far apart as their truth jump three times as much")
def _slices() -> float:
    k, j, _ = np.meshgrid(np.arange(6.0), np.arange(7.0), np.arange(5.0), indexing="ij")
    everywhere = np.ones(k.shape, dtype=bool)
    return abs(metrics.slice_jump(j + 3 * k, j + k, everywhere, spacing=(2.0, 1.0, 0.5)) - 3.0)


def _raised_ramp() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a ramp that rises by 1 a row, a fill that is 1 too high, and its hole: rows 3 to 5.

    The steps across the rim are 2 and 0 instead of 1 and 1. The central differences in the three rows are 1.5, 1 and
    0.5 instead of 1.
    """
    ramp = np.broadcast_to(np.arange(9.0)[:, None], (9, 9)).copy()
    rows = np.zeros(ramp.shape, dtype=bool)
    rows[3:6] = True
    return ramp, ramp + 1, rows


@check("Convention 'masked': black is subtracted, SSIM is of what a display shows")
def _masked_constant() -> float:
    truth, filled = np.full((13, 13), 140.0), np.full((13, 13), 160.0)
    similar = luminance(0.2, 0.3)
    expected = {"mse": 400.0, "rmse": 20.0, "mae": 20.0, "nmse": 0.25, "psnr": 20.0, "ssim": similar}
    expected |= {"ssim_inner": similar, "gradient_energy": 1.0}
    return _against(metrics.score(filled, truth, None, region="image", data_range=200.0, black=100.0), expected)


@check("Convention 'masked': texture, seam and SSIM are of the fill in its surroundings")
def _masked_hole() -> float:
    ramp, filled, rows = _raised_ramp()
    scores = metrics.score(filled + 777 * ~rows, ramp, rows, data_range=10.0)
    lone_hole = _lone_hole((13, 13))
    similar = metrics.score(np.full((13, 13), 0.7), np.full((13, 13), 0.5), lone_hole, data_range=1.0)["ssim"]
    values = [scores["gradient_energy"], scores["boundary_jump"], similar]
    return deviation(values, [math.sqrt(3.5 / 3), math.sqrt(2), lone(0.7, 0.5, 0.5, sigma=1.5, dimensions=2)])


@check("Convention 'brats': 0..1 by percentiles around the hole, prediction clamped for PSNR, SSIM in planes across x")
def _brats() -> float:
    truth = np.zeros((12, 12, 12))
    truth[..., 9:] = 100.0  # so that the percentiles 0.5 and 99.5 of the voided image are 0 and 100
    truth[..., 3], truth[..., 4] = 40.0, 80.0
    hole = np.zeros(truth.shape, dtype=bool)
    hole[..., 3:5] = True
    # 0.6 and 1.0 instead of 0.4 and 0.8; PSNR sees the second clamped to 0.8, at the range 0.4. Both planes are flat.
    expected = {"mse": 0.04, "rmse": 0.2, "psnr": 10 * math.log10(0.4**2 / 0.02), "psnr_01": 20 * math.log10(5)}
    expected["ssim"] = (luminance(0.6, 0.4) + luminance(1.0, 0.8)) / 2
    flat = _against(metrics.score(truth + 20.0, truth, hole, convention="brats"), expected)
    single = _lone_hole((13, 13, 13))
    around = np.where(np.arange(13) > 9, 100.0, 0.0) * np.ones(single.shape)
    scores = metrics.score(np.where(single, 80.0, around), np.where(single, 40.0, around), single, convention="brats")
    # Both images are 0 outside the hole, so the larger range is 0.8.
    return max(flat, abs(scores["ssim"] - lone(0.8, 0.4, 0.0, sigma=1.5, dimensions=2, data_range=0.8)))


@check("Convention 'rfr-report': the maximum is the prediction's, SSIM slice by slice with sigma 4")
def _rfr_report() -> float:
    hole = np.zeros((3, 31, 31), dtype=bool)
    hole[1] = True
    truth, filled = np.where(hole, 0.4, 0.9) * 255, np.full(hole.shape, 0.6 * 255)
    expected = {"mae": 0.2, "rmse": 0.2, "psnr": 20 * math.log10(3), "ssim": luminance(0.6, 0.4)}
    flat = _against(metrics.score(filled, truth, hole, convention="rfr-report", data_range=255.0), expected)
    single = _lone_hole((3, 31, 31))
    scores = metrics.score(
        np.full(single.shape, 0.7), np.full(single.shape, 0.5), single, convention="rfr-report", data_range=1.0
    )
    return max(flat, abs(scores["ssim"] - lone(0.7, 0.5, 0.5, sigma=4.0, dimensions=2)))


@check("A fill equal to the truth is perfect by every convention")
def _perfect() -> float:
    truth, hole = np.abs(field()[0]) + 0.1, field()[1]
    scores = [metrics.score(truth, truth, hole, convention=name, data_range=3.0) for name in metrics.CONVENTIONS]
    errors = np.array([[each["rmse"], each["ssim"] - 1, 1 / each["psnr"]] for each in scores])
    return largest(errors)
