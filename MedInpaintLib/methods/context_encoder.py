"""An encoder-decoder with an adversarial loss fills the hole."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="context-encoder",
    title="Context encoder",
    family="learned",
    summary="Sees the slice through a bottleneck, mixes and corrects other fills; the first network made for holes.",
    trust="Detail is only what the fills have that it mixes: little comes through the bottleneck but broad shapes.",
    reference="Pathak et al.: Context encoders: Feature learning by inpainting, CVPR 2016",
    parameters=Options,
    architecture="context-encoder",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """An encoder-decoder with an adversarial loss fills the hole."""
    filled = fill_in_one_pass(region, "context-encoder", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
