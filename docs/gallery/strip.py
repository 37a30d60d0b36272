"""A lost strip.

A strip of a CT slab is lost in every slice, as by a dead detector. The arrays are in Hounsfield units.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

ct = mi.Volume.read(sample("ct-slab").image)
hole = np.zeros(ct.array.shape, bool)
hole[:, 120:128, :] = True
result = mi.inpaint(ct, hole, method="biharmonic")

k = len(ct.array) // 2
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
pictures = {"before": np.where(hole, -1000, ct.array), "after": result.volume.array, "truth": ct.array}
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture[k], cmap="gray", origin="lower", vmin=-160, vmax=240)  # window 400, level 40
    axis.set_title(title)
    axis.axis("off")
figure.savefig("strip.png", dpi=80)
