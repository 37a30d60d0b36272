"""Uncertainty.

The standard deviation of the error of each filled voxel, calibrated on other people, beside the error that was really
made.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1")
result = mi.inpaint(brain.image, brain.mask, labels=1, method="biharmonic", uncertainty=True)

truth, filled, hole = result.image.array, result.volume.array, result.mask.array > 0
k, j, i = (int(each.mean()) for each in np.nonzero(hole))
close = np.s_[k, j - 20 : j + 20, i - 20 : i + 20]
error = np.abs(filled[close].astype(float) - truth[close])
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
axes[0].imshow(filled[close], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(truth, 99.5))
for axis, picture in zip(axes[1:], (result.uncertainty.array[close], error), strict=True):
    shown = axis.imshow(np.where(hole[close], picture, np.nan), origin="lower", vmin=0, vmax=error.max())
for axis, title in zip(axes, ("after", "standard deviation", "error that was made"), strict=True):
    axis.set_title(title)
    axis.axis("off")
figure.colorbar(shown, ax=axes, shrink=0.7)
figure.savefig("uncertainty.png", dpi=80)
