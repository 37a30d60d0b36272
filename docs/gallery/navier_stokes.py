"""Navier-Stokes.

OpenCV's other method: lines of equal brightness continue into the hole.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

film = sample("chest-film")
result = mi.inpaint(film.image, film.mask, method="navier-stokes")

truth, filled, hole = result.image.array, result.volume.array, result.mask.array > 0
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
pictures = {"before": np.where(hole, 0, truth), "after": filled, "truth": truth}
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.axis("off")
figure.savefig("navier_stokes.png", dpi=80)
