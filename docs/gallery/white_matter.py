"""White matter.

The patient's lesions become white matter like that around them, with its noise: for programs that measure tissue.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

brain = sample("brain-t1-lesion")
result = mi.inpaint(brain.image, brain.mask, method="white-matter", dilate_mm=1.0)

before, after, hole = result.image.array, result.volume.array, result.mask.array > 0
k = int(np.argmax(hole.sum(axis=(1, 2))))  # the slice with most lesions
figure, axes = plt.subplots(1, 3, figsize=(9, 4.2), layout="constrained")
for axis, title, picture in zip(axes, ("before", "hole", "after"), (before, before, after), strict=True):
    axis.imshow(picture[k], cmap="gray", origin="lower", vmin=0, vmax=np.percentile(before, 99.5))
    axis.set_title(title)
    axis.axis("off")
axes[1].contour(hole[k], [0.5], colors="orange", linewidths=1)
figure.savefig("white_matter.png", dpi=80)
