"""Latent search in a variational auto-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..latent.fill import Generative
from ..latent.fill import fill as fill_by_search
from ..latent.options import Options
from ..memory import OnDevice
from ..models.bundle import Bundle, load_into
from ..models.store import choose
from ..region import Region
from .registry import Prediction, Run, method

if TYPE_CHECKING:
    from ..networks.vae import Vae


@method(
    name="vae-latent",
    title="Latent search (VAE)",
    family="learned",
    summary="The image of a variational auto-encoder that agrees best with the tissue around the hole.",
    trust="What an average anatomy would look like here; smooth, and never better than what the model has seen.",
    reference="Yeh et al.: Semantic image inpainting with deep generative models, CVPR 2017; Kingma, Welling: "
    "Auto-encoding variational Bayes, ICLR 2014",
    parameters=Options,
    blend="poisson",
    architecture="vae",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """Search from the encoder's guess; the prior is the latents' own."""
    bundle = choose(parameters.model, "vae", region.modality)
    key = (bundle.folder, run.device)
    generative = region.scan.remember(key, lambda: OnDevice(lambda device: _load(bundle, device), run.device))
    filled = fill_by_search(region, generative, parameters, run.seed, run.progress)
    return Prediction(filled.mean, filled.spread, filled.notes, filled.warnings, device=filled.device)


def _load(bundle: Bundle, device: str) -> Generative:
    from ..losses.prior import VaePrior
    from ..networks import build

    network = cast("Vae", build(bundle.architecture, bundle.arguments))
    load_into(network, bundle).to(device)
    prior = VaePrior()
    return Generative(bundle, network.decode, network.encode, lambda latents, _: prior(latents))
