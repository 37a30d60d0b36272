"""Task of networks that fill holes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import ModelError, ParameterError
from ...losses.adversarial import HingeGan, LeastSquaresGan
from ...losses.edge import EdgeCrossEntropy, EdgeLoss, boundaries, edges
from ...losses.perceptual import FeatureLosses
from ...losses.reconstruction import DecibelLoss, Per, ReconstructionLoss, RootMeanSquareLoss, composite
from ...losses.structural import MultiScaleSsimLoss, SsimLoss
from ...losses.total_variation import TotalVariationLoss
from ...models.bundle import Bundle, load_network
from ...models.recipes import FOLDER
from ...models.store import find
from ...networks.convolutional import Encoder
from ...networks.features import EncoderFeatures, Features, Vgg16Features
from ...networks.feed_forward import FeedForward
from ...networks.surroundings import surroundings

#: Frames that are validated at once.
_CHUNK = 32
_GANS: dict[str, HingeGan | LeastSquaresGan] = {"hinge": HingeGan(), "least-squares": LeastSquaresGan()}
#: Target of a network's second output.
_EXTRA: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"edges": edges, "boundary": boundaries}
#: The options that weigh losses.
WEIGHTS = (
    "valid",
    "hole",
    "rmse",
    "decibel",
    "perceptual",
    "style",
    "variation",
    "ssim",
    "multi_scale",
    "edge",
    "extra",
    "adversarial",
)


@dataclasses.dataclass
class InpaintingTask:
    """A weighted sum of losses; a weight of 0 leaves one out. The defaults are the published ones.

    Liu et al., ECCV 2018, eq. 7: 1 valid + 6 hole + 0.05 perceptual + 120 style + 0.1 total variation; Adam's step
    sizes and the second phase with frozen statistics of normalisation are from section 4.1. Recurrent Feature Reasoning
    (Li et al., CVPR 2020) has the same.

    Attributes:
        rate: Adam's step size in the first phase.
        fine_tune: first step of the second phase; 0 for none. It freezes the statistics of normalisation of the
            network's ``encoder``, or of the whole network without one.
        fine_rate: Adam's step size in the second phase.
        fresh: whether Adam forgets the first phase's gradients, as in the code of RFR's authors, who make a new one.
        valid, hole: weights of :class:`.ReconstructionLoss`, on known pixels and in the hole.
        power, per: of both.
        rmse: weight of :class:`.RootMeanSquareLoss`, at the scale of relative intensities if the network sees these.
        decibel: weight of :class:`.DecibelLoss`.
        perceptual, style: of :class:`.FeatureLosses`.
        features: their extractor: a model of an architecture with an encoder, or a file with the weights of VGG16.
        variation: weight of :class:`.TotalVariationLoss`.
        ssim, multi_scale: weights of :class:`.SsimLoss` and :class:`.MultiScaleSsimLoss` over the hole.
        edge: weight of :class:`.EdgeLoss`.
        extra: weight of :class:`.EdgeCrossEntropy`, for networks with a second output.
        adversarial: weight of the adversarial loss on the composite.
        gan: ``"hinge"`` or ``"least-squares"``.
        discriminator_rate: the discriminator's step size as a multiple of the network's; 0.1 in EdgeConnect.
    """

    network: FeedForward
    rate: float = 2e-4
    fine_tune: int = 0
    fine_rate: float = 5e-5
    fresh: bool = False
    valid: float = 1.0
    hole: float = 6.0
    power: int = 1
    per: Per = "frame"
    rmse: float = 0.0
    decibel: float = 0.0
    perceptual: float = 0.05
    style: float = 120.0
    features: str = "brain-mr-vae-3"
    variation: float = 0.1
    ssim: float = 0.0
    multi_scale: float = 0.0
    edge: float = 0.0
    extra: float = 1.0
    adversarial: float = 0.0
    gan: str = "hinge"
    discriminator_rate: float = 1.0

    def __post_init__(self) -> None:
        self._check()
        device = next(self.network.parameters()).device
        self.helpers = nn.ModuleDict()
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if self.adversarial:
            self.helpers["discriminator"] = Encoder(self.network.inputs.pixels, 1).to(device)
            self.optimizers["discriminator"] = self._adam(self.helpers["discriminator"], betas=(0.5, 0.999))
        self.optimizers["network"] = self._adam(self.network)
        self._seen = FeatureLosses(_features(self.features).to(device)) if self.perceptual or self.style else None

    def _check(self) -> None:
        """Check the options and raise ParameterError for a wrong one."""
        for name, known in (("gan", tuple(_GANS)), ("per", ("frame", "region")), ("power", (1, 2))):
            if getattr(self, name) not in known:
                choices = ", ".join(map(str, known))
                raise ParameterError(
                    f"The recipe's [task] has {name} = {getattr(self, name)!r}; choose one of {choices}."
                )
        for name in ("rate", "fine_rate", "discriminator_rate"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"The recipe's [task] has {name} = {getattr(self, name):g}; it must be above 0.")
        for name in (*WEIGHTS, "fine_tune"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"The recipe's [task] has {name} = {getattr(self, name):g}; it must be 0 or more.")
        if not any(getattr(self, name) for name in WEIGHTS if name != "extra" or self.network.EXTRA):
            raise ParameterError("All losses of the recipe's [task] weigh 0; give one of them a weight.")

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        images, known, truth = batch
        self._phase(step)
        known = known[:, self.network.inputs.slices // 2, None]
        output = self.network(images, batch[1])
        filled = output[:, :1]
        parts = {name: loss for name, loss in self._parts(filled, truth, known).items() if getattr(self, name)}
        if self.network.EXTRA and self.extra:
            parts["extra"] = EdgeCrossEntropy()(output[:, 1:], _EXTRA[self.network.EXTRA](truth), known)
        if self.adversarial:
            gan, judge = _GANS[self.gan], self.helpers["discriminator"]
            full_image = composite(filled, truth, known)
            yield "discriminator", gan.discriminator(judge(truth), judge(full_image.detach())), {}
            parts["adversarial"] = gan.generator(judge(full_image))
        total = sum((getattr(self, name) * loss for name, loss in parts.items()), start=filled.new_zeros(()))
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: FeedForward, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            chunks = zip(images.split(_CHUNK), known.split(_CHUNK), strict=True)
            return torch.cat([network(*chunk)[:, :1] for chunk in chunks])

    def _parts(self, filled: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the losses of the image by the names of their weights, without slow ones of weight 0."""
        scale = surroundings(truth, known.to(truth.dtype))[1] if self.network.inputs.relative else 1.0
        losses = {
            "valid": ReconstructionLoss("known", self.power, self.per)(filled, truth, known),
            "hole": ReconstructionLoss("hole", self.power, self.per)(filled, truth, known),
            "rmse": RootMeanSquareLoss()(filled / scale, truth / scale, known),
            "decibel": DecibelLoss()(filled, truth, known),
            "variation": TotalVariationLoss()(filled, truth, known),
        }
        structural: dict[str, Callable[..., torch.Tensor]]
        structural = {"ssim": SsimLoss(), "multi_scale": MultiScaleSsimLoss(), "edge": EdgeLoss()}
        losses |= {name: loss(filled, truth, known) for name, loss in structural.items() if getattr(self, name)}
        if self._seen:
            losses["perceptual"], losses["style"] = self._seen(filled, truth, known)
        return losses

    def _phase(self, step: int) -> None:
        """Set rates and normalisation from the step alone, so that a resumed training is the same."""
        second = 0 < self.fine_tune <= step
        rate = self.fine_rate if second else self.rate
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rate * (self.discriminator_rate if name == "discriminator" else 1)
            if self.fresh and step == self.fine_tune > 0:
                optimizer.state.clear()
        if second:
            frozen: Any = getattr(self.network, "encoder", self.network)
            for module in frozen.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _adam(self, module: nn.Module, betas: tuple[float, float] = (0.9, 0.999)) -> torch.optim.Optimizer:
        return torch.optim.Adam(module.parameters(), lr=self.rate, betas=betas)


def _features(name: str) -> Features:
    """Return VGG16 with weights from a file, or the encoder of a model."""
    if Path(name).is_file():
        return Vgg16Features(name)
    bundle = _encoder_model(name)
    encoder = getattr(load_network(bundle), "encoder", None)
    if not isinstance(encoder, Encoder):
        raise ParameterError(f"The model '{name}' ({bundle.architecture}) has no encoder to see features with.")
    return EncoderFeatures(encoder)


def _encoder_model(name: str) -> Bundle:
    """Return the model whose encoder sees the features; some that recipes name must be trained first."""
    try:
        return find(name)
    except ModelError as error:
        if not (FOLDER / f"{name}.toml").is_file():
            raise
        raise ModelError(
            f"{error} The losses compare its features; make it by 'medinpaint train {name}' and add it by 'medinpaint "
            "models add', or give the recipe's 'features' another model or a file with the weights of VGG16."
        ) from None
