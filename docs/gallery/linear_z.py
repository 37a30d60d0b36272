"""Linear between slices.

Every voxel of a lost slice lies on the line between the slices above and below.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

ct = mi.Volume.read(sample("ct-slab").image)
hole = np.zeros(ct.array.shape, bool)
hole[4] = True
result = mi.inpaint(ct, hole, method="linear-z")

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
error = result.volume.array[4].astype(float) - ct.array[4]
for axis, title, picture in zip(axes, ("after", "truth"), (result.volume.array[4], ct.array[4]), strict=False):
    axis.imshow(picture, cmap="gray", origin="lower", vmin=-160, vmax=240)  # window 400, level 40
    axis.set_title(title)
axes[2].imshow(error, cmap="coolwarm", origin="lower", vmin=-200, vmax=200)
axes[2].set_title("after - truth, HU")
for axis in axes:
    axis.axis("off")
figure.savefig("linear_z.png", dpi=80)
