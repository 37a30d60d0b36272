"""Patches.

Copies small patches from elsewhere in the same scan. The texture is real; where the sulci run is a guess.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1")
result = mi.inpaint(brain.image, brain.mask, labels=1, method="patch")

truth, filled, hole = result.image.array, result.volume.array, result.mask.array > 0
k, j, i = (int(each.mean()) for each in np.nonzero(hole))  # the middle of the hole
close = np.s_[k, j - 32 : j + 32, i - 32 : i + 32]
figure, axes = plt.subplots(1, 3, figsize=(9, 4.2), layout="constrained")
pictures = {"before": np.where(hole, 0, truth), "after": filled, "truth": truth}
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture[close], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(truth, 99.5))
    axis.set_title(title)
    axis.axis("off")
figure.savefig("patch.png", dpi=80)
