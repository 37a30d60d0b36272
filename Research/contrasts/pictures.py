"""A picture of each session: the images that are present, estimates, the truth, and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.evaluation.figure import write_figure
from MedInpaintLib.models.bundle import Bundle

from .arms import ARMS, FLAIR, MAIN, REGRESSION, RELEASED, label_of
from .lesions_kept import BRIGHT
from .measure import estimate_by, estimates_without_network
from .sessions import Session

#: Quality of the WebP: 70 smooths the texture by which the estimates differ (10 % of the bytes of PNG; 85 takes 16 %).
QUALITY = 85
#: The labels of the networks that are shown.
SHOWN = (RELEASED, ARMS[0].label, "pix2pix")


def draw(session: Session, models: Mapping[str, Bundle], learning: Sequence[Session], out: Path) -> tuple[str, str]:
    """Draw the slice with the most bright tissue.

    Args:
        session: to show.
        models: name -> model.
        learning: the sessions to which estimates without a network are fitted.
        out: an existing folder for the picture.

    Returns:
        the file's name, and a caption.
    """
    from matplotlib.figure import Figure

    wanted, there = MAIN
    estimated = {REGRESSION: estimates_without_network(session, MAIN, learning)[REGRESSION]}
    estimated |= {label_of(name): estimate_by(model, session, MAIN) for name, model in models.items()}
    truth = session.scaled[wanted]
    bright = session.turned.turn((truth > BRIGHT * np.median(truth[session.inside])) & session.inside)
    at = int(bright.sum(axis=(1, 2)).argmax())
    panels = {name: session.scaled[name] for name in there} | estimated | {f"true {wanted}": truth}
    figure = Figure(figsize=(2.1 * len(panels), 5.4), dpi=90, layout="constrained", facecolor="black")
    axes = figure.subplots(2, len(panels))
    for (name, image), (above, below) in zip(panels.items(), axes.T, strict=True):
        flat = session.turned.turn(image)[at]
        top = 0.5 if name not in there else float(np.percentile(flat, 99.5))
        above.imshow(flat, cmap="gray", vmin=0, vmax=top)
        above.set_title(name, color="white", fontsize=9)
        above.axis("off")
        below.axis("off")
        if name in estimated:
            off = np.where(session.turned.turn(session.inside)[at], flat - session.turned.turn(truth)[at], 0)
            below.imshow(off, cmap="RdBu_r", vmin=-0.25, vmax=0.25)
            below.set_title("minus the truth", color="white", fontsize=8)
    file = f"{session.name.replace(' ', '-')}.webp"
    write_figure(figure, out / file, quality=QUALITY)
    return file, (
        f"{session.name}, {wanted} from {'+'.join(there)}, the slice with the most bright tissue in the true {FLAIR}; "
        "differences in the brain from -0.25 (blue) to 0.25 (red), where the brain's median is about 0.25."
    )
