"""Edges of the atlas.

Where the average head expects the outline of the brain and the border of white matter, to judge by eye whether it
fits. If it does not, do not use `atlas` or `consensus`, nor the names of regions.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1-lesion")
edges = mi.atlas_edges(brain.image, brain.mask).array
image = mi.Volume.read(brain.image).array

k, j = image.shape[0] // 2, image.shape[1] // 2
figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for axis, where in zip(axes, (np.s_[k], np.s_[:, j]), strict=True):
    axis.imshow(image[where], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(image, 99.5))
    for label, cmap in ((1, "autumn"), (2, "winter")):
        axis.imshow(np.ma.masked_not_equal(edges[where], label), cmap=cmap, origin="lower", interpolation="nearest")
    axis.axis("off")
axes[0].set_title("red: outline of the brain; blue: border of white matter")
figure.savefig("atlas_edges.png", dpi=80)
