"""Heads that are known everywhere, so that no interpolation is needed to lay them on a grid; and the plainest model."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from MedInpaintLib.models.bundle import write_bundle
from MedInpaintLib.volume import Volume

#: The brain's intensities by its texture, which is about -3..3: a rising, a falling and a folded one.
CONTRASTS = {
    "T1": lambda texture: 600 + 150 * texture,
    "T2": lambda texture: 250 + 200 * np.exp(-texture),
    "FLAIR": lambda texture: 500 + 120 * np.cos(2 * texture),
}
RADII_MM = (62.0, 75.0, 55.0)
AXIS = np.array([0.2, 0.3, 1.0]) / np.linalg.norm([0.2, 0.3, 1.0])


def on_grid(shape, spacing, direction=()):
    """An empty volume whose middle is at 0 mm."""
    grid = Volume(np.zeros(shape, np.float32), spacing, (), direction)
    steps, _ = grid.ijk_to_lps()
    return Volume(grid.array, spacing, tuple(-steps @ (np.array(shape[::-1]) - 1) / 2), direction)


@functools.cache
def waves(subject):
    """Directions and phases of the waves whose sum is a subject's texture."""
    rng = np.random.default_rng(subject)
    vectors = rng.normal(size=(50, 3))
    vectors *= (2 * np.pi / rng.uniform(15, 40, 50) / np.linalg.norm(vectors, axis=1))[:, None]
    return vectors, rng.uniform(0, 2 * np.pi, 50)


def head_at(contrast, grid, subject=0, turn=0.0, move=(0.0, 0.0, 0.0)):
    """A contrast of a subject at the voxels of a grid; turned by degrees about its middle, then moved by mm of LPS."""
    dimensions = grid.array.ndim
    steps, start = grid.ijk_to_lps()
    points = np.zeros((*grid.array.shape, 3))
    points[..., :dimensions] = np.moveaxis(np.indices(grid.array.shape)[::-1], 0, -1) @ steps.T + start
    axis = AXIS if dimensions == 3 else np.array([0, 0, 1.0])
    points = (points - move) @ Rotation.from_rotvec(np.radians(turn) * axis).as_matrix()
    texture = sum(np.cos(points @ vector + phase) for vector, phase in zip(*waves(subject), strict=True)) / 5
    depth = np.sqrt(((points / RADII_MM) ** 2).sum(axis=-1))
    skin = 1 / (1 + np.exp(np.clip(40 * (depth - 1), -50, 50)))
    # Far outside there is nothing at all, as in images from which the skull was stripped.
    intensities = np.where(depth < 1.1, skin * np.clip(CONTRASTS[contrast](texture), 80, 1600), 0)
    return grid.with_array(intensities.astype(np.float32))


@pytest.fixture(scope="session")
def grid():
    """``grid(shape, spacing, direction)``: see :func:`on_grid`."""
    return on_grid


@pytest.fixture(scope="session")
def head():
    """``head(contrast, grid, subject, turn, move)``: see :func:`head_at`."""
    return head_at


def write_model(folder, deviation):
    """A model for three contrasts whose network starts as all do, or with its last layers shaken."""
    torch = pytest.importorskip("torch")
    from MedInpaintLib.networks import build

    arguments = {"pixels": 16, "contrasts": 3, "width": 4, "levels": 2, "linear": True}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build("collagan", arguments)
        for weights in network.parameters() if deviation else ():
            if not weights.any():
                torch.nn.init.normal_(weights, std=deviation)
    write_bundle(
        folder,
        name=folder.name,
        title="An untrained model",
        architecture="collagan",
        arguments=arguments,
        modality="MR",
        contrasts=["T1", "T2", "FLAIR"],
        normalisation={"centre": 0.0, "half_width": 1.0},
        input={"pixels": 16, "pixel_mm": 4.0, "plane": "axial"},
        training={"recipe": "none", "steps": 0, "seed": 0, "data": []},
        scores=[],
        tensors=network.state_dict(),
    )
    return str(folder)


@pytest.fixture(scope="session")
def mean_model(tmp_path_factory):
    """The folder of a model that estimates any contrast as the mean of those that are there: so it starts to learn."""
    return write_model(tmp_path_factory.mktemp("models") / "the-mean", 0)


@pytest.fixture(scope="session")
def rough_model(tmp_path_factory):
    """The folder of a model that makes something of what it sees, whatever it is."""
    return write_model(tmp_path_factory.mktemp("models") / "the-rough", 0.05)
