"""Missing slices.

Two of ten thick slices are lost as a whole. The automatic choice sees that slices are missing;
`result.report["method"]` says what it took.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

ct = mi.Volume.read(sample("ct-slab").image)
hole = np.zeros(ct.array.shape, bool)
hole[[3, 6]] = True
result = mi.inpaint(ct, hole)

figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
arrays = {"below": ct.array[2], "filled": result.volume.array[3], "truth": ct.array[3], "above": ct.array[4]}
for axis, (title, picture) in zip(axes, arrays.items(), strict=True):
    axis.imshow(picture, cmap="gray", origin="lower", vmin=-160, vmax=240)  # window 400, level 40
    axis.set_title(title)
    axis.axis("off")
figure.savefig("missing_slices.png", dpi=80)
