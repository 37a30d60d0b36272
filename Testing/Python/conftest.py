"""What all tests of the engine share: untrained models, so that the learned methods run before any was trained."""

from __future__ import annotations

import importlib.util
import os

import pytest
from hypothesis import settings

# How long an example takes is never asserted: machines are busy at times.
settings.register_profile("medinpaint", deadline=None)
settings.load_profile("medinpaint")

# Before torch is loaded: where tests run side by side, threads of one that wait for those of another take all the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests neither read nor fill the user's cache.
os.environ["MEDINPAINT_REGISTRATIONS"] = "off"

GENERATIVE = {"pixels": 16, "latent": 4, "kernel": 3, "width": 4}
FEED_FORWARD = {"pixels": 32, "slices": 3, "given": "fill"}
#: Architecture -> arguments of a network that is small enough for a test.
ARGUMENTS = {
    "vae": GENERATIVE,
    "dcgan": GENERATIVE,
    "unet": {**FEED_FORWARD, "width": 4, "levels": 2},
    "edge-guided": {**FEED_FORWARD, "width": 4, "levels": 2, "hint": True, "other_side": True},
    "boundary-aware": {**FEED_FORWARD, "width": 4, "levels": 2, "hint": True},
    "pconv": {**FEED_FORWARD, "width": 4, "levels": 2, "given": "nothing"},
    "context-encoder": {**FEED_FORWARD, "width": 4, "bottleneck": 8, "given": "nothing"},
    "rfr": {**FEED_FORWARD, "width": 8, "recurrences": 2, "kernel": 5},
    "unet-3d": {"pixels": 16, "width": 4},
    "collagan": {"pixels": 16, "contrasts": 4, "width": 4, "levels": 2, "linear": True},
}


@pytest.fixture(scope="session", autouse=True)
def tiny_models(tmp_path_factory):
    """The user's folder of models, for the whole session: ``a-tiny-vae`` and so on.

    Their names make ``auto`` find them before any released one.
    """
    if importlib.util.find_spec("torch") is None:  # the other methods are tested all the same
        yield None
        return
    import torch

    from MedInpaintLib.models.bundle import write_bundle
    from MedInpaintLib.networks import build

    folder = tmp_path_factory.mktemp("models")
    for architecture, arguments in ARGUMENTS.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build(architecture, arguments)
            for weights in network.parameters():
                if not weights.any():  # networks that correct a fill begin with no correction
                    torch.nn.init.normal_(weights, std=0.05)
        name = f"a-tiny-{architecture}"
        write_bundle(
            folder / name,
            name=name,
            title="An untrained model",
            architecture=architecture,
            arguments=arguments,
            modality="MR",
            contrasts=["T1", "T2", "FLAIR", "T1C"] if architecture == "collagan" else ["T1"],
            normalisation={"centre": 0.0, "half_width": 1.0}
            if architecture == "collagan"
            else {"centre": 0.5, "half_width": 0.7},
            input={
                "pixels": arguments["pixels"],
                "pixel_mm": 2.0,
                "plane": "axial",
                "also": [],
                "slice_mm": 2.0,
                "hint": ("mirror" if arguments.get("other_side") else "nearest") if arguments.get("hint") else "",
            },
            training={
                "recipe": "none",
                "steps": 1,
                "seed": 0,
                "data": [],
                "batch": 8,
                "minutes": 0.1,
                "machine": "none",
            },
            scores=[{"protocol": "none", "split": "val", "psnr": 9.0}],
            tensors=network.state_dict(),
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDINPAINT_MODELS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def head():
    """A textured ellipsoid, int16, on a dark background; 32 x 56 x 48 voxels."""
    import numpy as np
    from scipy import ndimage

    k, j, i = np.ogrid[:32, :56, :48]
    inside = ((k - 16) / 14) ** 2 + ((j - 28) / 25) ** 2 + ((i - 24) / 21) ** 2 <= 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 3)
    return np.where(inside, 600 + 150 * texture / texture.std(), 0).astype(np.int16)
