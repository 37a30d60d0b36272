"""Grain.

A smooth fill, and the same one with the noise of the scan added, as it was measured around the hole. The error grows
by the noise; programs that take a smooth patch for another tissue are less misled.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1")
plain = mi.inpaint(brain.image, brain.mask, labels=2, method="harmonic")
grainy = mi.inpaint(brain.image, brain.mask, labels=2, method="harmonic", grain=True)

truth, hole = plain.image.array, plain.mask.array > 0
k, j, i = (int(each.mean()) for each in np.nonzero(hole))
close = np.s_[k, j - 20 : j + 20, i - 20 : i + 20]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
pictures = {"smooth": plain.volume.array, "with grain": grainy.volume.array, "truth": truth}
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture[close], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(truth, 99.5))
    axis.set_title(title)
    axis.axis("off")
figure.savefig("grain.png", dpi=80)
