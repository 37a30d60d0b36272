"""Latent search in a generative adversarial network."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from ..latent.fill import Generative
from ..latent.fill import fill as fill_by_search
from ..latent.options import Options
from ..memory import OnDevice
from ..models.bundle import Bundle, load_into
from ..models.store import choose
from ..parameters import parameter
from ..region import Region
from .registry import Prediction, Run, method

if TYPE_CHECKING:
    from ..networks.dcgan import Dcgan


@dataclasses.dataclass(frozen=True)
class Parameters(Options):
    restarts: int = parameter(
        2, minimum=1, maximum=64, help="Searches of each slice, from different starts; their spread is the uncertainty."
    )
    prior: float = parameter(0.001, minimum=0.0, maximum=1000.0, help="Weight of the prior; 0 leaves it out.")


@method(
    name="gan-latent",
    title="Latent search (GAN)",
    family="learned",
    summary="The image of an adversarially trained generator that agrees best with the tissue around the hole.",
    trust="Looks like tissue, but what it shows is made up: the generator knows no patient.",
    reference="Yeh et al.: Semantic image inpainting with deep generative models, CVPR 2017; Radford et al.: DCGAN, "
    "ICLR 2016",
    parameters=Parameters,
    blend="poisson",
    architecture="dcgan",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Several searches, from the encoder's guess and beside it; the prior is what the discriminator says."""
    bundle = choose(parameters.model, "dcgan", region.modality)
    key = (bundle.folder, run.device)
    generative = region.scan.remember(key, lambda: OnDevice(lambda device: _load(bundle, device), run.device))
    filled = fill_by_search(region, generative, parameters, run.seed, run.progress)
    return Prediction(filled.mean, filled.spread, filled.notes, filled.warnings, device=filled.device)


def _load(bundle: Bundle, device: str) -> Generative:
    from ..losses.prior import GanPrior
    from ..networks import build

    network = cast("Dcgan", build(bundle.architecture, bundle.arguments))
    load_into(network, bundle).to(device)
    prior = GanPrior()
    return Generative(bundle, network.decode, network.encode, lambda _, images: prior(network.logits(images)))
