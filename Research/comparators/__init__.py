"""What CollaGAN is compared with: networks with the tasks by which they learn, and intensities rescaled by histogram.

Importing this package registers the networks, so that recipes, trainings and bundles know them.
"""

from __future__ import annotations

from MedInpaintLib import networks
from MedInpaintLib.training import tasks

for _name, _network, _task in (
    ("cyclegan", "cyclegan:CycleGan", "cyclegan:CycleGanTask"),
    ("pix2pix", "pix2pix:Pix2Pix", "pix2pix:Pix2PixTask"),
    ("stargan", "stargan:StarGan", "stargan:StarGanTask"),
    ("stargan-stacked", "stargan:StackedStarGan", "stargan:StarGanTask"),
):
    networks.register(_name, f"{__name__}.{_network}", networks.ESTIMATES)
    tasks.register(_name, f"{__name__}.{_task}")
