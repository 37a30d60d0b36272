"""A U-Net whose convolutions see known pixels only fills the hole."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="pconv",
    title="U-Net with partial convolutions",
    family="learned",
    summary="A U-Net of partial convolutions, made for holes of any outline, mixes and corrects other fills.",
    trust="As the fills that it mixes, with anatomy of the other side; surest near the edge of the hole.",
    reference="Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018",
    parameters=Options,
    architecture="pconv",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """A U-Net whose convolutions see known pixels only fills the hole."""
    filled = fill_in_one_pass(region, "pconv", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
