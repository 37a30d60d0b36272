"""A U-Net fills all slices of the hole in one pass."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="unet",
    title="U-Net",
    family="learned",
    summary="A U-Net sees what is around the hole, in heads the other side too; it mixes and corrects other fills.",
    trust="As the fills that it mixes, in heads with anatomy of the other side; unlikely detail becomes faint.",
    reference="Ronneberger, Fischer, Brox: U-Net, MICCAI 2015",
    parameters=Options,
    architecture="unet",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """A U-Net fills all slices of the hole in one pass."""
    filled = fill_in_one_pass(region, "unet", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
