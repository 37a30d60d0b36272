"""Experiments over many images, one file each: a command, a table, pictures, and what was found."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

#: Name -> what it asks. The module has the same name, with underscores.
EXPERIMENTS = {
    "without-training": "which fill without training is best where (docs/fills)",
    "latent-search": "GAN or VAE, and what each part of the search does (docs/latent)",
    "feed-forward": "networks on brain MR against the best fills without training (docs/feed-forward)",
    "given": "what a network should be given in the hole",
    "people": "what more people to learn from would bring",
    "films-and-ct": "released networks on chest films and CT slices, by three conventions (docs/films-and-ct)",
    "contrasts": "a missing contrast, estimated by CollaGAN, by its parts, and by others (docs/contrasts)",
    "learning": "what lets a network learn on chest films",
    "seeds": "how much of a difference is the chance of a training",
    "film-people": "what more people to learn from would bring on chest films",
    "ct-people": "the same on CT slices",
    "networks": "U-Net, partial convolutions or recurrent feature reasoning, on chest films",
    "networks-ct": "the same on CT slices",
    "hole-size": "how the fill depends on the hole's size",
    "hole-shape": "squares or strips",
    "hole-count": "how the fill depends on the number of holes",
    "orientation": "strips in one direction or in both",
    "disease": "normal films to learn from, or such with pneumonia too",
    "unlike": "holes unlike those of training",
}


def run(name: str, arguments: Sequence[str]) -> None:
    """Run the command of an experiment; ``--help`` among its arguments explains them.

    Args:
        name: of :data:`EXPERIMENTS`.
        arguments: as on a command line.
    """
    module = importlib.import_module(f".{name.replace('-', '_')}", __name__)
    if hasattr(module, "STUDY"):
        from .shared.study import main

        main(module.STUDY, arguments)
    else:
        module.main(arguments)
