"""Quick self-tests of blending, metrics and losses against closed-form truths.

They need no test framework and no files, so they run wherever the engine does, Slicer's Python included.

>>> all(passed for name, passed, detail in run())
True
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from . import blending, metrics

if TYPE_CHECKING:
    import torch

_TOLERANCE = 1e-4  # of deviations, in intensities of about 1; Poisson is solved to a relative residual of 1e-6
_SPACING = (2.0, 1.0, 0.5)

Check = Callable[[], float]
_CHECKS: list[tuple[str, str, Check]] = []


def run() -> list[tuple[str, bool, str]]:
    """Run all checks; takes well under a second once PyTorch is imported.

    Returns:
        ``(name, passed, detail)`` for each. A check that crashes fails, with the error as the detail. One whose package
        is not installed passes, and its detail says that it was left out.
    """
    outcomes = []
    for name, needs, check in _CHECKS:
        if needs and importlib.util.find_spec(needs) is None:
            outcomes.append((name, True, f"left out: {needs} is not installed"))
            continue
        try:
            deviation = check()
        except Exception as error:
            outcomes.append((name, False, f"{type(error).__name__}: {error}"))
        else:
            # NaN compares false, so a check that gives NaN fails.
            outcomes.append((name, bool(deviation <= _TOLERANCE), f"deviation {deviation:.2g}"))
    return outcomes


def _check(name: str, needs: str = "") -> Callable[[Check], Check]:
    """Register a function that returns by how much something deviates from the truth; it may need a package."""

    def register(check: Check) -> Check:
        _CHECKS.append((name, needs, check))
        return check

    return register


def _field() -> tuple[np.ndarray, np.ndarray]:
    """Make a smooth volume with some texture, and an L-shaped hole that does not touch the border."""
    k, j, i = np.meshgrid(np.arange(10.0), np.arange(12.0), np.arange(14.0), indexing="ij")
    hole = np.zeros(k.shape, dtype=bool)
    hole[3:7, 3:9, 4:7] = hole[3:7, 6:9, 4:11] = True
    return np.sin(0.9 * k) + np.cos(0.7 * j) * np.sin(0.5 * i), hole


def _ramp() -> np.ndarray:
    """Return a linear function of position in mm."""
    axes = np.meshgrid(*(np.arange(n) * mm for n, mm in zip((10, 12, 14), _SPACING, strict=True)), indexing="ij")
    return 0.3 + 0.2 * axes[0] - 0.1 * axes[1] + 0.4 * axes[2]


def _largest(difference: np.ndarray) -> float:
    return float(np.abs(difference).max())


@_check("Poisson blending removes a constant mismatch exactly, in 3-D")
def _poisson_constant() -> float:
    truth, hole = _field()
    return _largest(blending.poisson(truth + 5.0, np.where(hole, -9.0, truth), hole, spacing=_SPACING) - truth)


@_check("Poisson blending removes a linear mismatch exactly, whatever the spacing")
def _poisson_ramp() -> float:
    truth, hole = _field()
    return _largest(blending.poisson(truth + _ramp(), np.where(hole, -9.0, truth), hole, spacing=_SPACING) - truth)


@_check("Poisson blending of a flat prediction into a ramp gives the ramp, in 2-D")
def _poisson_flat() -> float:
    ramp, hole = _ramp()[0], _field()[1][4]
    return _largest(blending.poisson(np.zeros_like(ramp), ramp, hole, spacing=_SPACING[1:]) - ramp)


@_check("Feathering closes the seam and leaves the middle of the hole alone")
def _feather() -> float:
    image, prediction = np.zeros((1, 41)), np.ones((1, 41))
    hole = np.zeros((1, 41), dtype=bool)
    hole[0, 10:31] = True
    blended = blending.feather(prediction, image, hole, width_mm=4.0)[0]
    return max(abs(blended[20] - 1.0), max(0.0, blended[10] - 0.5), max(0.0, -float(np.diff(blended[10:21]).min())))


@_check("Pasting puts the prediction into the hole")
def _paste() -> float:
    truth, hole = _field()
    return _largest(blending.paste(truth + 1.0, truth, hole) - truth - hole)


@_check("No blending changes a known voxel by a bit, or looks at a hidden one")
def _promises() -> float:
    truth, hole = _field()
    image = truth.astype(np.float32)
    other = np.where(hole, np.float32(1e6), image)
    prediction = np.zeros_like(image)
    deviation = 0.0
    for blend in (blending.paste, blending.feather, blending.poisson):
        first, second = blend(prediction, image, hole), blend(prediction, other, hole)
        deviation += np.count_nonzero(first[~hole] != image[~hole]) + np.count_nonzero(first != second)
    return deviation


@_check("MSE, RMSE, MAE, NMSE and PSNR of a constant error are as by hand")
def _errors() -> float:
    truth, hole = np.full((6, 6), 10.0), np.zeros((6, 6), dtype=bool)
    hole[2:4, 2:4] = True
    filled = np.where(hole, 12.0, 777.0)  # what was done outside the hole does not count
    expected = {"mse": 4.0, "rmse": 2.0, "mae": 2.0, "nmse": 0.04, "psnr": 20 * math.log10(50)}
    scores = metrics.score(filled, truth, hole, data_range=100.0)
    return max(abs(scores[name] - value) for name, value in expected.items())


@_check("The mean is under the root: RMSE of the errors 1 and 7 is 5")
def _root() -> float:
    truth, hole = np.zeros((2, 2)), np.array([[True, True], [False, False]])
    return abs(metrics.rmse(np.array([[1.0, 7.0], [0.0, 0.0]]), truth, hole) - 5.0)


@_check("SSIM of two constant images is the luminance term alone")
def _ssim_constant() -> float:
    low, high, c1 = np.full((8, 8, 8), 0.4), np.full((8, 8, 8), 0.6), 0.01**2
    expected = (2 * 0.4 * 0.6 + c1) / (0.4**2 + 0.6**2 + c1)
    return abs(metrics.ssim(high, low, np.ones(low.shape, dtype=bool), data_range=1.0) - expected)


@_check("SSIM of an image with itself is 1, and lower with any other")
def _ssim_identity() -> float:
    truth, hole = _field()
    same = metrics.ssim(truth, truth, hole, data_range=3.0)
    return abs(same - 1.0) + float(metrics.ssim(truth + 0.1, truth, hole, data_range=3.0) >= 1.0)


@_check("A fill with twice the contrast has twice the gradient")
def _gradient() -> float:
    truth, _ = _field()
    everywhere = np.ones(truth.shape, dtype=bool)
    return abs(metrics.gradient_energy(2 * truth, truth, everywhere, spacing=_SPACING) - 2.0)


@_check("A fill that continues the truth has no seam")
def _seam() -> float:
    truth, hole = _field()
    raised = metrics.boundary_jump(truth + 5.0, truth, hole, spacing=_SPACING)
    return abs(metrics.boundary_jump(truth, truth, hole, spacing=_SPACING) - 1.0) + float(raised <= 1.0)


@_check("Context weights are 0 in the hole, and the missing share of the window around it", "torch")
def _context_weights() -> float:
    import torch

    from .losses.context import ContextWeights

    known = torch.ones(1, 1, 7, 7)
    known[..., 3, 3] = 0
    weights = ContextWeights(window=3)(known)[0, 0].numpy()
    expected = np.zeros((7, 7))
    expected[2:5, 2:5] = 1 / 9
    expected[3, 3] = 0
    return _largest(weights - expected)


@_check("The context loss is a weighted mean, and what lies in the hole does not count", "torch")
def _context_loss() -> float:
    import torch

    from .losses.context import ContextLoss

    image, weights = torch.zeros(1, 1, 1, 3), torch.tensor([1.0, 3.0, 0.0]).view(1, 1, 1, 3)
    generated = torch.tensor([2.0, -1.0, 99.0]).view(1, 1, 1, 3)
    losses = [float(ContextLoss(power)(generated, image, weights)) for power in (1, 2)]
    return _largest(np.array(losses) - [5 / 4, 7 / 4])


@_check("Priors: log 2 where the discriminator cannot tell; the mean square of the latents", "torch")
def _priors() -> float:
    import torch

    from .losses.prior import GanPrior, VaePrior

    undecided = float(GanPrior()(torch.zeros(1))) - math.log(2)
    surely_false = float(GanPrior()(torch.tensor([-200.0]))) - 200  # no saturation, no overflow
    return max(abs(undecided), abs(surely_false), abs(float(VaePrior()(torch.tensor([[3.0, 1.0]]))) - 5))


@_check("KL is 0 for the prior itself, and half the square of a shift", "torch")
def _kl() -> float:
    import torch

    from .losses.elbo import Elbo

    zero, shift = torch.zeros(1, 4), torch.full((1, 4), 2.0)
    return abs(float(Elbo().kl(zero, zero))) + abs(float(Elbo().kl(shift, zero)) - 8)


@_check("Adversarial losses are 2 log 2 and log 2 where nobody can tell", "torch")
def _adversarial() -> float:
    import torch

    from .losses.adversarial import CrossEntropyGan

    undecided, gan = torch.zeros(3), CrossEntropyGan()
    discriminator = float(gan.discriminator(undecided, undecided)) - 2 * math.log(2)
    return max(abs(discriminator), abs(float(gan.generator(undecided)) - math.log(2)))


@_check("Hinge and squares are 2 and 1/2 where nobody can tell, and 0 where the discriminator is right", "torch")
def _margins() -> float:
    import torch

    from .losses.adversarial import HingeGan, LeastSquaresGan

    undecided, hinge, squares = torch.zeros(3), HingeGan(), LeastSquaresGan()
    right = hinge.discriminator(undecided + 9, undecided - 9) + squares.discriminator(undecided + 1, undecided)
    losses = [gan.discriminator(undecided, undecided) for gan in (hinge, squares)]
    losses += [gan.generator(undecided - 1) for gan in (hinge, squares)]
    return float(right) + _largest(np.array([float(each) for each in losses]) - [2, 0.5, 1, 2])


def _square_hole() -> tuple[torch.Tensor, torch.Tensor]:
    """Return a frame of zeros, 8 x 8, and its known pixels: all but the 4 in its middle."""
    import torch

    known = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    known[..., 3:5, 3:5] = False
    return torch.zeros(1, 1, 8, 8), known


@_check("Reconstruction losses divide by the frame or by the region, and see nothing else", "torch")
def _reconstruction() -> float:
    from .losses.reconstruction import ReconstructionLoss

    truth, known = _square_hole()
    predicted = 3 * (~known).float() + 5 * known
    losses = [ReconstructionLoss(), ReconstructionLoss(per="region"), ReconstructionLoss("known", power=2)]
    values = [float(loss(predicted, truth, known)) for loss in losses]
    return _largest(np.array(values) - [3 * 4 / 64, 3, 25 * 60 / 64])


@_check("Total variation is the length of a step times its height, the rim of the hole included", "torch")
def _total_variation() -> float:
    from .losses.total_variation import TotalVariationLoss

    truth, known = _square_hole()
    return abs(float(TotalVariationLoss()(truth + 3, truth, known)) - 3 * 8 / 64)


@_check("Features of constants: the Gram matrix of 1 and 2, and losses that count prediction and composite", "torch")
def _features() -> float:
    import torch

    from .losses.perceptual import FeatureLosses, gram

    truth, known = _square_hole()
    constants = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 3, 5)
    perceptual, style = FeatureLosses(lambda images: [images + 1])(truth + 1, truth, known)
    grams = _largest(gram(constants)[0].numpy() - np.array([[0.5, 1], [1, 2]]))
    return grams + abs(float(perceptual) - (1 + 4 / 64)) + abs(float(style) - (3 + 3 * 4 / 64))


@_check("The SSIM losses are 0 for the truth, and for constants come from the luminance alone", "torch")
def _structural() -> float:
    from .losses.structural import MultiScaleSsimLoss, SsimLoss

    truth, known = _square_hole()
    # -0.5 and 0 count as 0.5 and 1 of 2.
    expected = 1 - (2 * 0.5 * 1 + 0.0004) / (0.5**2 + 1 + 0.0004)

    def deviation(loss: SsimLoss | MultiScaleSsimLoss) -> float:
        losses = [float(loss(image, truth, known)) for image in (truth, truth - 0.5)]
        return _largest(np.array(losses) - [0, expected])

    return max(deviation(SsimLoss("frame")), deviation(MultiScaleSsimLoss("frame")))


@_check("The edges of a ramp are its slope, boundaries lie where tissue changes; not to know costs log 2", "torch")
def _edges() -> float:
    import torch

    from .losses.edge import EdgeCrossEntropy, EdgeLoss, boundaries, edge_map

    truth, known = _square_hole()
    ramp = truth + 0.25 * torch.arange(8)
    tissue = truth + (torch.arange(8) > 2) + (torch.arange(8) > 5)
    expected = np.broadcast_to([0, 0, 1, 1, 0, 1, 1, 0], (8, 8))
    slope = _largest(edge_map(ramp)[0, 0].numpy() - (math.hypot(0.25, 1e-3) - 1e-3))
    undecided = abs(float(EdgeCrossEntropy()(truth, boundaries(tissue), known)) - math.log(2))
    change = float(EdgeLoss()(ramp + 9, ramp, known) == 0 or EdgeLoss()(ramp, ramp, known) != 0)
    return slope + undecided + change + _largest(boundaries(tissue)[0, 0].numpy() - expected)
