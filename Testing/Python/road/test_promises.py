"""The three promises, property-tested over every method, dtype and dimension."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib import prediction

DTYPES = ("?", "u1", "i1", "i2", ">i2", "u2", "i4", ">i4", "u4", "i8", "u8", "f2", "f4", ">f4", "f8")
METHODS = ("auto", *mi.list_methods())
EXEMPLARY = {name for name, info in mi.list_methods().items() if info.needs_exemplars}
GUIDED = {name for name, info in mi.list_methods().items() if info.needs_guides}
LEARNED = {name for name, info in mi.list_methods().items() if info.needs_model}
SEARCHES = {name for name in LEARNED if name.endswith("-latent")}


@st.composite
def cases(draw):
    """An image, a hole and a spacing: 2-D or 3-D, any dtype, holes that touch the border or fall to pieces."""
    shape = draw(st.sampled_from([(9, 12), (16, 7), (5, 8, 9), (12, 6, 7), (1, 9, 10), (6, 1, 8)]))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if dtype.kind == "b":
        image = rng.random(shape) < 0.5
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        image = rng.integers(limits.min, limits.max, shape, dtype=dtype.newbyteorder("="), endpoint=True).astype(dtype)
    else:
        image = (rng.standard_normal(shape) * draw(st.sampled_from([1e-3, 1.0, 1e4]))).astype(dtype)
    hole = rng.random(shape) < draw(st.sampled_from([0.05, 0.3, 0.7]))
    if draw(st.booleans()):
        hole = np.zeros(shape, bool)
        hole[tuple(slice(size // 3, None) for size in shape)] = True
    hole.flat[0], hole.flat[-1] = False, True
    spacing = tuple(draw(st.sampled_from([0.5, 1.0, 3.0, 20.0])) for _ in shape)
    layout = draw(st.sampled_from(["C", "Fortran", "reversed", "read-only"]))
    if layout == "Fortran":
        image = np.asfortranarray(image)
    elif layout == "reversed":
        image, hole = image[::-1], hole[::-1]
    elif layout == "read-only":
        image.flags.writeable = False
    return image, hole, spacing


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), blend=st.sampled_from(["paste", "feather", "poisson"]), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_known_voxels_stay_hidden_voxels_never_matter_and_the_same_seed_gives_the_same(method, case, blend, seed):
    image, hole, spacing = case
    before = image.tobytes()
    options = {"method": method, "spacing": spacing, "blend": blend, "seed": seed}
    if method in EXEMPLARY:
        options["exemplars"] = [mi.Volume(np.random.default_rng(seed).random(image.shape), spacing)]
    if method in GUIDED:
        options["guides"] = [mi.Volume(np.random.default_rng(seed).random(image.shape), spacing)]
        options |= {"parameters": {"target": "FLAIR", "guides": "T1"}, "modality": "MR"}
    elif method in SEARCHES:
        options["parameters"] = {"steps": 3, "restarts": 2, "any_modality": True}
    elif method in LEARNED:
        known = {each.name for each in mi.list_methods()[method].describe()}
        options["parameters"] = {"any_modality": True, **({"directions": 3} if "directions" in known else {})}
    filled = mi.inpaint(image, hole, **options).volume.array

    assert filled.dtype == image.dtype
    assert filled.shape == image.shape
    assert filled[~hole].tobytes() == image[~hole].tobytes()
    assert image.tobytes() == before
    assert np.isfinite(filled).all()

    perturbed = np.array(image)
    noise = np.random.default_rng(seed + 1)
    perturbed[hole] = noise.permutation(image.ravel())[: hole.sum()]
    if np.issubdtype(image.dtype, np.floating):
        perturbed[hole] = np.where(noise.random(hole.sum()) < 0.5, np.nan, np.inf)
    again = mi.inpaint(perturbed, hole, **options).volume.array
    assert filled[hole].tobytes() == again[hole].tobytes()


def test_the_seed_decides_what_chance_does(monkeypatch):
    """No method of today draws from chance, so one that does is put in."""

    def noise(region, parameters, run):
        return prediction.Prediction(run.rng().random(region.values.shape))

    info = prediction.MethodInfo("noise", "Noise", "trivial", "Noise.", "None.", "none", fill=noise)
    monkeypatch.setitem(prediction.METHODS, "noise", info)
    image, hole = np.random.default_rng(0).random((20, 20)), np.zeros((20, 20), bool)
    hole[5:9, 5:9] = True
    first, again, other = (mi.inpaint(image, hole, method="noise", seed=seed).volume.array for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[hole] != other[hole]).any()
