"""One network completes the edges, a second one the image along them."""

from __future__ import annotations

from ..feed_forward.fill import fill as fill_in_one_pass
from ..feed_forward.options import Options
from ..region import Region
from .registry import Prediction, Run, method


@method(
    name="edge-guided",
    title="Edge-guided U-Net",
    family="learned",
    summary="First completes the edges in the hole, then mixes and corrects other fills along them.",
    trust="An edge that was guessed wrong looks as sharp as one that was guessed right.",
    reference="Nazeri et al.: EdgeConnect: Structure guided image inpainting using edge prediction, ICCVW 2019",
    parameters=Options,
    architecture="edge-guided",
    needs_model=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Options, run: Run) -> Prediction:
    """One network completes the edges, a second one the image along them."""
    filled = fill_in_one_pass(region, "edge-guided", parameters, run.device, run.progress, run.blended)
    return Prediction(filled.mean, notes=filled.notes, warnings=filled.warnings, device=filled.device)
