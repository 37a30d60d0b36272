"""A U-Net that predicts the boundaries of tissues beside the image."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="boundary-aware",
    title="Boundary-aware U-Net",
    family="learned",
    summary="A U-Net that has learned where tissues meet, too, mixes and corrects other fills.",
    trust="Likely intensities; boundaries in the middle of the hole are guesses.",
    reference="Caruana: Multitask learning, Machine Learning 28, 1997",
    parameters=Options,
    architecture="boundary-aware",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """A U-Net that predicts the boundaries of tissues beside the image."""
    filled = fill_in_one_pass(region, "boundary-aware", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
