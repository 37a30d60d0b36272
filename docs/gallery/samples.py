"""Samples.

Several plausible fills of one hole. Run your own measurement on each of them: its spread is what the hole costs you.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1")
result = mi.inpaint(brain.image, brain.mask, labels=1, method="biharmonic", samples=3)

hole = result.mask.array > 0
k, j, i = (int(each.mean()) for each in np.nonzero(hole))
close = np.s_[k, j - 22 : j + 22, i - 22 : i + 22]
pictures = {"fill (the mean)": result.volume, **{f"sample {n + 1}": each for n, each in enumerate(result.samples)}}
figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
for axis, (title, volume) in zip(axes, pictures.items(), strict=True):
    axis.imshow(volume.array[close], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(result.image.array, 99.5))
    axis.contour(hole[close], [0.5], colors="orange", linewidths=0.8)
    axis.set_title(title)
    axis.axis("off")
figure.savefig("samples.png", dpi=80)
