"""A small world to learn from: blurred random blobs as heads, in a folder with a manifest."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi

RECIPE = """
name = "tiny"
title = "Blobs"
architecture = "{architecture}"

[arguments]
pixels = 16
latent = 4
kernel = 3
width = 4

[data]
modality = "MR"
contrasts = ["T1"]
pixel_mm = 2.0

[schedule]
steps = {steps}
batch = 8
ema = 0.8
check_every = {check_every}
hole_mm = 8
crops = 6
"""

#: What is different in it for networks that fill in one pass.
FEED_FORWARD = {
    "latent = 4\nkernel = 3\n": 'slices = 3\ngiven = "fill"\nhint = true\nother_side = true\nlevels = 2\n',
    "pixel_mm = 2.0\n": (
        "pixel_mm = 2.0\nslice_mm = 2.0\nholes = ['spheres:8mm', 'blobs:6mm']\ncases = 6\nhint = 'nearest'\n"
        "other_side = true\n"
    ),
}


def head(seed: int) -> np.ndarray:
    """int16 ``(12, 40, 36)``: an ellipsoid of smooth tissue on black."""
    rng = np.random.default_rng(seed)
    tissue = ndimage.gaussian_filter(rng.random((12, 40, 36)), 3)
    tissue = 300 + 3000 * (tissue - tissue.mean())
    k, j, i = np.ogrid[-1:1:12j, -1:1:40j, -1:1:36j]
    return np.where(k**2 + j**2 + i**2 < 0.8, np.clip(tissue, 150, 900), 0).astype(np.int16)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder with four heads: two to learn from, one for validation, one of another contrast."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for number, (contrast, split) in enumerate([("T1", "train"), ("T1", "train"), ("T1", "val"), ("T2", "train")]):
        name = f"s{number}.nii.gz"
        mi.Volume(head(number), (2.0, 1.0, 1.0)).write(folder / name)
        rows.append(
            {
                "path": name,
                "modality": "MR",
                "contrast": contrast,
                "subject_id": f"s{number}",
                "split": split,
                "dataset": "Blobs",
                "licence": "CC0",
                "citation": "Nobody, 2020",
            }
        )
    with (folder / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe: ``recipe(architecture="vae", steps=6, check_every=3)`` returns its path."""

    def write(architecture: str = "vae", steps: int = 6, check_every: int = 3, extra: str = ""):
        path = tmp_path / f"tiny-{architecture}-{steps}.toml"
        text = RECIPE.format(architecture=architecture, steps=steps, check_every=check_every)
        for old, new in FEED_FORWARD.items() if architecture not in ("vae", "dcgan") else ():
            text = text.replace(old, new)
        path.write_text(text + extra, encoding="utf-8")
        return path

    return write
