"""Studies: research questions with their measurements, tables and pages.

``python -m Research`` lists them, ``python -m Research NAME`` runs one. A study is a module or a package with its name.
This package imports the engine and is imported by nothing; importing it registers the comparators.
"""

from __future__ import annotations

from . import comparators

__all__ = ["STUDIES", "comparators"]

#: Study -> its question, and its page below ``docs``.
STUDIES = {
    "without-training": ("Which fill without training is best, and where?", "fills/README.md"),
    "real-lesions": ("Which fill is best for real lesions, part by part?", "real-lesions/README.md"),
    "atlas": ("What does an average head know of a hole?", "atlas/README.md"),
    "registrations": ("Which algorithm brings the atlas onto a head?", "registrations/README.md"),
    "uncertainty": ("Are the errors of fills as large as the uncertainty says?", "uncertainty/README.md"),
    "latent-search": ("GAN or VAE, and what does each part of the search do?", "latent/README.md"),
    "latent-training": ("What does it cost to train a GAN or a VAE until it is good?", "latent-training/README.md"),
    "feed-forward": (
        "Are networks on brain MR better than the best fills without training?",
        "feed-forward/README.md",
    ),
    "given": (
        "What should a network be given in the hole?",
        "feed-forward/README.md#what-a-network-is-given-in-the-hole",
    ),
    "people": (
        "Would more people to learn from help on brain MR?",
        "feed-forward/README.md#would-more-people-to-learn-from-help",
    ),
    "films-and-ct": ("How good are the released networks on chest films and CT slices?", "films-and-ct/README.md"),
    "film-masks": ("What do fills of text, devices and wires on chest films look like?", "film-masks/README.md"),
    "tissue-volumes": ("What do lesions and their fills do to the volumes of tissue?", "tissue-volumes/README.md"),
    "downstream": (
        "What do lesions and their fills do to tissue volumes, registration and brain extraction?",
        "downstream/README.md",
    ),
    "contrasts": ("How well is a missing contrast estimated, by CollaGAN and by others?", "contrasts/README.md"),
    "forced-choice": ("Can a fill be told from the truth?", "forced-choice/README.md"),
    "learning": ("What lets a network learn on chest films?", "experiments/learning/README.md"),
    "seeds": ("Would the same training come out the same?", "experiments/seeds/README.md"),
    "film-people": ("Would more people to learn from help on chest films?", "experiments/film-people/README.md"),
    "ct-people": ("Would more people to learn from help on CT slices?", "experiments/ct-people/README.md"),
    "networks": (
        "U-Net, partial convolutions or recurrent feature reasoning on chest films?",
        "experiments/networks/README.md",
    ),
    "networks-ct": (
        "U-Net, partial convolutions or recurrent feature reasoning on CT slices?",
        "experiments/networks-ct/README.md",
    ),
    "rfr-losses": (
        "Do the published losses help recurrent feature reasoning on chest films?",
        "experiments/rfr-losses/README.md",
    ),
    "rfr-losses-ct": (
        "Do the published losses help recurrent feature reasoning on CT slices?",
        "experiments/rfr-losses-ct/README.md",
    ),
    "structure": (
        "Do networks that know of edges and boundaries fill better, and does an adversarial loss help?",
        "experiments/structure/README.md",
    ),
    "image-size": ("Are partial convolutions for large images?", "experiments/image-size/README.md"),
    "pixel-loss": ("A loss by pixels, or by structural similarity?", "experiments/pixel-loss/README.md"),
    "hole-size": ("How large may the hole be?", "experiments/hole-size/README.md"),
    "hole-shape": ("Squares or strips?", "experiments/hole-shape/README.md"),
    "hole-count": ("How many holes may there be?", "experiments/hole-count/README.md"),
    "orientation": ("Does the direction of strips matter?", "experiments/orientation/README.md"),
    "disease": ("Does disease in the training data matter?", "experiments/disease/README.md"),
    "unlike": ("What if holes are unlike those of training?", "experiments/unlike/README.md"),
    "rfr-hole-size": ("How large may the hole be, for RFR?", "experiments/rfr-hole-size/README.md"),
    "rfr-disease": ("Does disease in the training data matter to RFR?", "experiments/rfr-disease/README.md"),
    "rfr-holes-ct": (
        "Do shape and number of holes matter to RFR on CT slices?",
        "experiments/rfr-holes-ct/README.md",
    ),
    "rfr-orientation-ct": (
        "Does the direction of strips matter to RFR on CT slices?",
        "experiments/rfr-orientation-ct/README.md",
    ),
    "rfr-unlike-ct": (
        "What if holes on CT slices are unlike those of RFR's training?",
        "experiments/rfr-unlike-ct/README.md",
    ),
    "rfr-modality": (
        "X-ray against CT: where does RFR fill better, and where does it gain more?",
        "experiments/rfr-modality/README.md",
    ),
    "gpu": ("Do the released models fill alike on a GPU?", "gpu/README.md"),
    "claims": ("What was claimed, and what was found?", "claims.md"),
}
