"""The hole is filled from its edge inwards, again and again by the same layers."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="rfr",
    title="Recurrent Feature Reasoning",
    family="learned",
    summary="The same layers reason their way into the hole again and again, and mix and correct other fills.",
    trust="As the fills that it mixes, with anatomy of the other side; surest at the edge, less so inwards.",
    reference="Li et al.: Recurrent feature reasoning for image inpainting, CVPR 2020",
    parameters=Options,
    architecture="rfr",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """The hole is filled from its edge inwards, again and again by the same layers."""
    filled = fill_in_one_pass(region, "rfr", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
