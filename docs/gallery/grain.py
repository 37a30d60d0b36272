"""Grain.

A smooth fill, and the same one with the noise of the scan added, as it was measured around the hole. The error grows
by the noise; programs that take a smooth patch for another tissue are less misled.
"""

import matplotlib.pyplot as plt
import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.samples import sample

film = sample("chest-film")
plain = mi.inpaint(film.image, film.mask, method="biharmonic")
grainy = mi.inpaint(film.image, film.mask, method="biharmonic", grain=True)

hole = plain.mask.array > 0
j, i = np.argwhere(hole)[0]
close = np.s_[j - 24 : j + 72, i - 24 : i + 72]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
pictures = {"smooth": plain.volume.array, "with grain": grainy.volume.array, "truth": plain.image.array}
values = plain.image.array[close]
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture[close], cmap="gray", vmin=values.min(), vmax=values.max())
    axis.set_title(title)
    axis.axis("off")
figure.savefig("grain.png", dpi=80)
