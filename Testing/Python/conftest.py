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

ARGUMENTS = {"pixels": 16, "latent": 4, "kernel": 3, "width": 4}


@pytest.fixture(scope="session", autouse=True)
def tiny_models(tmp_path_factory):
    """The user's folder of models, for the whole session: ``a-tiny-vae`` and ``a-tiny-dcgan``.

    Their names make ``auto`` find them before any released one.
    """
    if importlib.util.find_spec("torch") is None:  # the other methods are tested all the same
        yield None
        return
    import torch

    from MedInpaintLib.models.bundle import write_bundle
    from MedInpaintLib.networks import build

    folder = tmp_path_factory.mktemp("models")
    for architecture in ("vae", "dcgan"):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build(architecture, ARGUMENTS)
        name = f"a-tiny-{architecture}"
        write_bundle(
            folder / name,
            name=name,
            title="An untrained model",
            architecture=architecture,
            arguments=ARGUMENTS,
            modality="MR",
            contrasts=["T1"],
            normalisation={"centre": 0.5, "half_width": 0.7},
            input={"pixels": ARGUMENTS["pixels"], "pixel_mm": 2.0, "plane": "axial"},
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
