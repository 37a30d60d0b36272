"""Self-tests of the losses, which need PyTorch: it is imported in each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .check import check, deviation, largest, lone, luminance

if TYPE_CHECKING:
    import torch

    from ..losses.structural import MultiScaleSsimLoss, SsimLoss


def _square_hole() -> tuple[torch.Tensor, torch.Tensor]:
    """Return a frame of zeros, 8 x 8, and its known pixels: all but the 4 in its middle."""
    import torch

    known = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    known[..., 3:5, 3:5] = False
    return torch.zeros(1, 1, 8, 8), known


@check("Context weights are 0 in the hole, and the missing share of the window around it", "torch")
def _context_weights() -> float:
    import torch

    from ..losses.context import ContextWeights

    known = torch.ones(1, 1, 7, 7)
    known[..., 3, 3] = 0
    weights = ContextWeights(window=3)(known)[0, 0].numpy()
    expected = np.zeros((7, 7))
    expected[2:5, 2:5] = 1 / 9
    expected[3, 3] = 0
    return largest(weights - expected)


@check("The context loss is a weighted mean, and what lies in the hole does not count", "torch")
def _context_loss() -> float:
    import torch

    from ..losses.context import ContextLoss

    image, weights = torch.zeros(1, 1, 1, 3), torch.tensor([1.0, 3.0, 0.0]).view(1, 1, 1, 3)
    generated = torch.tensor([2.0, -1.0, 99.0]).view(1, 1, 1, 3)
    return deviation([ContextLoss(power)(generated, image, weights) for power in (1, 2)], [5 / 4, 7 / 4])


@check("Priors: log 2 where the discriminator cannot tell; the mean square of the latents", "torch")
def _priors() -> float:
    import torch

    from ..losses.prior import GanPrior, VaePrior

    # A logit of -200 neither saturates nor overflows.
    rated = [GanPrior()(torch.tensor([logit])) for logit in (0.0, -200.0)]
    return deviation([*rated, VaePrior()(torch.tensor([[3.0, 1.0]]))], [math.log(2), 200, 5])


@check("KL is 0 for the prior itself, and half the square of a shift", "torch")
def _kl() -> float:
    import torch

    from ..losses.elbo import Elbo

    zero, shift = torch.zeros(1, 4), torch.full((1, 4), 2.0)
    return deviation([Elbo().kl(zero, zero), Elbo().kl(shift, zero)], [0, 8])


@check("The evidence lower bound is the entropy of the decoder's noise and, half warmed up, half of KL", "torch")
def _bound() -> float:
    import torch

    from ..losses.elbo import Elbo

    elbo, images = Elbo(warm_up=10), torch.zeros(3, 1, 4, 4)
    bound = elbo(images + 0.5, images, torch.full((3, 4), 2.0), torch.zeros(3, 4), step=5)
    entropy = 16 / 2 * math.log(2 * math.pi * math.e * 0.25)  # of 16 normal values with a variance of 0.25
    parts = [elbo.beta(5), elbo.beta(99), Elbo().beta(0), elbo.noise(images + 0.5, images)]
    return deviation([bound, *parts], [entropy + 0.5 * 8, 0.5, 1, 1, 0.25])


@check("Adversarial losses are 2 log 2 and log 2 where nobody can tell; a smooth target costs real logits", "torch")
def _adversarial() -> float:
    import torch

    from ..losses.adversarial import CrossEntropyGan

    undecided, gan = torch.zeros(3), CrossEntropyGan()
    # Smoothing from 1 to 0.9 adds a tenth of the real logit.
    smoothing = CrossEntropyGan(0.9).discriminator(undecided + 2, undecided) - gan.discriminator(
        undecided + 2, undecided
    )
    values = [gan.discriminator(undecided, undecided), gan.generator(undecided), smoothing]
    return deviation(values, [2 * math.log(2), math.log(2), 0.2])


@check("Hinge and squares are 2 and 1/2 where nobody can tell, and 0 where the discriminator is right", "torch")
def _margins() -> float:
    import torch

    from ..losses.adversarial import HingeGan, LeastSquaresGan

    undecided, hinge, squares = torch.zeros(3), HingeGan(), LeastSquaresGan()
    right = hinge.discriminator(undecided + 9, undecided - 9) + squares.discriminator(undecided + 1, undecided)
    losses = [gan.discriminator(undecided, undecided) for gan in (hinge, squares)]
    losses += [gan.generator(undecided - 1) for gan in (hinge, squares)]
    whole = LeastSquaresGan(factor=1.0)  # CollaGAN's
    losses += [whole.discriminator(undecided, undecided), whole.generator(undecided - 1)]
    return deviation([right, *losses], [0, 2, 0.5, 1, 2, 1, 4])


@check("Reconstruction losses divide by the frame or by the region, and see nothing else", "torch")
def _reconstruction() -> float:
    from ..losses.reconstruction import ReconstructionLoss

    truth, known = _square_hole()
    predicted = 3 * (~known).float() + 5 * known
    losses = [ReconstructionLoss(), ReconstructionLoss(per="region"), ReconstructionLoss("known", power=2)]
    return deviation([loss(predicted, truth, known) for loss in losses], [3 * 4 / 64, 3, 25 * 60 / 64])


@check("RMSE and decibel losses are means over frames of the root and of the logarithm, in the hole alone", "torch")
def _frame_by_frame() -> float:
    import torch

    from ..losses.reconstruction import DecibelLoss, RootMeanSquareLoss

    truth, known = (each.expand(2, 1, 8, 8) for each in _square_hole())
    error = torch.tensor([3.0, 1.0]).view(2, 1, 1, 1)
    predicted = torch.where(known, 99.0, error.expand_as(truth))
    roots = (math.sqrt(9 + 1e-6) + math.sqrt(1 + 1e-6)) / 2
    decibels = 5 * (math.log10(9 + 1e-5) + math.log10(1 + 1e-5))
    perfect = [RootMeanSquareLoss()(truth, truth, known), DecibelLoss()(truth, truth, known)]
    losses = [RootMeanSquareLoss()(predicted, truth, known), DecibelLoss()(predicted, truth, known)]
    return deviation([*losses, *perfect], [roots, decibels, 1e-3, -50])


@check("Total variation is the length of a step times its height, the rim of the hole included", "torch")
def _total_variation() -> float:
    from ..losses.total_variation import TotalVariationLoss

    truth, known = _square_hole()
    return abs(float(TotalVariationLoss()(truth + 3, truth, known)) - 3 * 8 / 64)


@check("Features of constants: the Gram matrix of 1 and 2, and losses that count prediction and composite", "torch")
def _features() -> float:
    import torch

    from ..losses.perceptual import FeatureLosses, gram

    truth, known = _square_hole()
    constants = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 3, 5)
    perceptual, style = FeatureLosses(lambda images: [images + 1])(truth + 1, truth, known)
    grams = largest(gram(constants)[0].numpy() - np.array([[0.5, 1], [1, 2]]))
    return grams + deviation([perceptual, style], [1 + 4 / 64, 3 + 3 * 4 / 64])


@check("The SSIM losses are 0 for the truth, and for constants come from the luminance alone", "torch")
def _structural() -> float:
    from ..losses.structural import MultiScaleSsimLoss, SsimLoss

    truth, known = _square_hole()
    expected = 1 - luminance(0.5, 1, data_range=2)  # -0.5 and 0 count as 0.5 and 1 of 2

    def off(loss: SsimLoss | MultiScaleSsimLoss) -> float:
        return deviation([loss(image, truth, known) for image in (truth, truth - 0.5)], [0, expected])

    return max(off(SsimLoss("frame")), off(MultiScaleSsimLoss("frame")))


@check("The SSIM loss in a hole of a single pixel follows from the weight of the window's middle", "torch")
def _structural_lone() -> float:
    import torch

    from ..losses.structural import MultiScaleSsimLoss, SsimLoss, similarity

    truth, known = torch.zeros(1, 1, 13, 13), torch.ones(1, 1, 13, 13, dtype=torch.bool)
    known[..., 6, 6] = False
    # -1..1 counts as 0..2.
    expected = 1 - lone(1.4, 1, 1, sigma=1.5, dimensions=2, data_range=2)
    contrast = similarity(truth + 0.4 * ~known, truth)[1][0, 0, 6, 6]
    flat = luminance(1 + 0.4 * _middle(), 1, data_range=2)
    losses = [loss(truth + 0.4, truth, known) for loss in (SsimLoss(), MultiScaleSsimLoss())]
    return deviation([*losses, contrast], [expected, expected, (1 - expected) / flat])


def _middle() -> float:
    """Return the weight of the middle of the window, 11 x 11, sigma 1.5."""
    taps = [math.exp(-0.5 * (reach / 1.5) ** 2) for reach in range(-5, 6)]
    return 1 / sum(taps) ** 2


@check("CollaGAN's SSIM loss is 0 for the truth, and for constants -log((1 + luminance) / 2)", "torch")
def _log_structural() -> float:
    import torch

    from ..losses.structural import LogSsimLoss

    truth = torch.full((2, 1, 8, 8), 0.6)
    losses = [LogSsimLoss(1.0)(image, truth) for image in (truth, truth - 0.4)]
    losses.append(LogSsimLoss(10.0)(10 * (truth - 0.4), 10 * truth))
    # One of two images is perfect: the mean is taken before the logarithm, or after it.
    half = torch.stack([truth[0], truth[1] - 0.4])
    losses += [LogSsimLoss(1.0, each)(half, truth) for each in (False, True)]
    similar = luminance(0.2, 0.6)
    expected = -math.log((1 + similar) / 2)
    return deviation(losses, [0, expected, expected, -math.log((3 + similar) / 4), expected / 2])


@check("The edges of a ramp are its slope, boundaries lie where tissue changes; not to know costs log 2", "torch")
def _edges() -> float:
    import torch

    from ..losses.edge import EdgeCrossEntropy, boundaries, edge_map, edges

    truth, known = _square_hole()
    ramp = truth + 0.25 * torch.arange(8)
    tissue = truth + (torch.arange(8) > 2) + (torch.arange(8) > 5)
    expected = np.broadcast_to([0, 0, 1, 1, 0, 1, 1, 0], (8, 8))
    slope = largest(edge_map(ramp)[0, 0].numpy() - (math.hypot(0.25, 1e-3) - 1e-3))
    # A slope of 0.01 is half of the faintest that is a whole edge.
    faint = largest(edges(ramp / 25)[0, 0].numpy() - (math.hypot(0.01, 1e-3) - 1e-3) / 0.02)
    whole = largest(edges(ramp)[0, 0].numpy() - 1)
    undecided = abs(float(EdgeCrossEntropy()(truth, boundaries(tissue), known)) - math.log(2))
    return slope + faint + whole + undecided + largest(boundaries(tissue)[0, 0].numpy() - expected)


@check("The edge loss of a step around the hole is its gradient there, by hand", "torch")
def _edge_loss() -> float:
    import torch

    from ..losses.edge import EdgeLoss

    columns = torch.arange(8)
    ramp = torch.zeros(1, 1, 8, 8) + 0.25 * columns
    known = ((columns < 3) | (columns > 4)).expand_as(ramp)
    # A fill that is 1 too high raises the slopes in columns 2 and 3 from 1/4 to 3/4, and turns those in columns 4 and 5
    # into -1/4, which is as steep as 1/4.
    change = math.hypot(0.75, 1e-3) - math.hypot(0.25, 1e-3)
    losses = [
        EdgeLoss()(ramp, ramp, known),
        EdgeLoss()(ramp + 1, ramp, known),
        EdgeLoss("region")(ramp + 1, ramp, known),
    ]
    return deviation(losses, [0, 2 * change / 8, 2 * change / 4])
