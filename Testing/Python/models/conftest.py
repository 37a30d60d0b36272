from __future__ import annotations

import json

import pytest
import torch

from MedInpaintLib.models import store
from MedInpaintLib.models.bundle import write_bundle

FACTS = {
    "name": "tiny",
    "title": "A tiny model",
    "architecture": "unet",
    "arguments": {"width": 4},
    "modality": "MR",
    "contrasts": ["T1", "FLAIR"],
    "normalisation": {"centre": 0.5, "half_width": 0.25},
    "input": {"pixels": 64, "pixel_mm": 1.5, "plane": "axial"},
    "training": {
        "recipe": "tiny",
        "steps": 100,
        "seed": 7,
        "data": [{"dataset": "Heads", "licence": "CC BY 4.0", "citation": "Doe 2020; a|b", "subjects": 12}],
    },
    "scores": [
        {"holes": "20 mm", "psnr": {"mean": 23.456, "sd": 1.5}, "n": 6, "protocol": "val split, R = 1"},
        {"holes": "40 mm", "psnr": {"mean": 18.0, "sd": None}, "n": 6, "protocol": "val split, R = 1"},
    ],
}


def network() -> torch.nn.Module:
    """A network with floating and integer tensors (the batch norm's counter)."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))


@pytest.fixture
def facts():
    """The fields of a bundle, to be changed at will."""
    return json.loads(json.dumps(FACTS))


@pytest.fixture
def tensors():
    return network().state_dict()


@pytest.fixture
def write(facts, tensors):
    """Write a bundle, with some fields changed."""
    return lambda folder, **changes: write_bundle(folder, **{**facts, "tensors": tensors, **changes})


@pytest.fixture
def tiny(write, tmp_path):
    """A bundle outside of all places."""
    return write(tmp_path / "tiny")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The user's folder, which is not there yet, and that of the released models, which is empty."""
    own, released = tmp_path / "cache" / "models", tmp_path / "released"
    released.mkdir()
    monkeypatch.setenv("MEDINPAINT_MODELS", str(own))
    monkeypatch.setattr(store, "_RELEASED", (tmp_path / "nowhere", released))
    return own, released
