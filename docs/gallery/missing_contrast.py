"""Missing contrast.

A T2 image that was never acquired, estimated from T1. It shows the anatomy of T1 in the intensities of T2: lesions
are mostly missing in it.
"""

# Needs PyTorch.
import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1-lesion")
estimated = mi.impute({"T1": brain.image}, target="T2")

figure, axes = plt.subplots(1, 2, figsize=(7, 4.2), layout="constrained")
pictures = {"T1": mi.Volume.read(brain.image).array, "T2, estimated": estimated.volume.array}
for axis, (title, array) in zip(axes, pictures.items(), strict=True):
    axis.imshow(array[len(array) // 2], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(array, 99.5))
    axis.set_title(title)
    axis.axis("off")
figure.savefig("missing_contrast.png", dpi=80)
