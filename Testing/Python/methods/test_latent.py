"""Fills by latent search: which model is taken, what is refused and said, and that a trained one knows its images."""

import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.errors import Cancelled, ModelError, ParameterError
from MedInpaintLib.frames import cut
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.losses.elbo import Elbo
from MedInpaintLib.losses.prior import VaePrior
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.methods import latent as module
from MedInpaintLib.methods import registry
from MedInpaintLib.methods.latent import Generative, Options, _first, _nearest, fill_by_search
from MedInpaintLib.models import store
from MedInpaintLib.models.bundle import read_bundle
from MedInpaintLib.models.once import LoadedModel
from MedInpaintLib.models.store import choose, fitting
from MedInpaintLib.networks import build
from MedInpaintLib.progress import Progress
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject

METHODS = {"vae-latent": "a-tiny-vae", "gan-latent": "a-tiny-dcgan"}


def scene(shape=(4, 24, 20), seed=0):
    image = np.random.default_rng(seed).normal(500, 100, shape).astype(np.float32)
    hole = np.zeros(shape, bool)
    hole[(slice(1, 3), slice(10, 15), slice(8, 12))[-len(shape) :]] = True
    return image, hole


def inpaint(method="vae-latent", image=None, modality="MR", seed=0, **parameters):
    there, hole = scene()
    image = there if image is None else image
    given = {"steps": 5, **parameters}
    return mi.inpaint(image, hole, method=method, modality=modality, seed=seed, spacing=2.0, parameters=given)


@pytest.mark.parametrize(("method", "model"), METHODS.items())
def test_a_model_is_found_by_name_by_folder_or_by_itself(method, model, tiny_models):
    results = [inpaint(method, model=name) for name in ("auto", model, str(tiny_models / model))]
    for result in results:
        assert result.report["notes"]["model"] == model
        np.testing.assert_array_equal(result.volume.array, results[0].volume.array)


def test_films_are_seen_at_the_size_at_which_their_model_has_learned_them(tiny_models, tmp_path, monkeypatch):
    """Of 24 pixels along the longer side: in a film of 48 they are of 2 mm, in one of 96 of 4 mm."""
    folder = shutil.copytree(tiny_models / "a-tiny-vae", tmp_path / "films")
    facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    changed = {**facts, "modality": "film", "input": {**facts["input"], "across": 24}}
    (folder / "bundle.json").write_text(json.dumps(changed), encoding="utf-8")
    sizes = []
    monkeypatch.setattr(
        module, "cut", lambda *args, **options: sizes.append(options["pixel_mm"]) or cut(*args, **options)
    )
    for shape in ((48, 40), (96, 80)):
        image, hole = scene(shape)
        given = {"steps": 2, "model": str(folder)}
        mi.inpaint(image, hole, method="vae-latent", modality="film", spacing=1.0, parameters=given)
    assert sizes == [2.0, 4.0]


@pytest.mark.parametrize(("method", "other"), [("vae-latent", "a-tiny-dcgan"), ("gan-latent", "a-tiny-vae")])
def test_a_model_of_another_architecture_is_refused(method, other):
    with pytest.raises(ModelError, match=f"'{other}' has the architecture"):
        inpaint(method, model=other)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_model_it_is_said_how_to_get_one(method, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    monkeypatch.setattr(store, "_RELEASED", ())
    with pytest.raises(ModelError, match=r"train one \('medinpaint train' with .*brain-mr-.*'medinpaint models add'"):
        inpaint(method)
    with pytest.raises(ModelError, match="no model 'mine'"):
        inpaint(method, model="mine")


def test_of_several_models_the_one_of_the_modality_is_taken(monkeypatch):
    known = {
        name: SimpleNamespace(name=name, architecture=architecture, modality=modality)
        for name, architecture, modality in (("a", "dcgan", "CT"), ("b", "vae", "MR"), ("c", "vae", "CT"))
    }
    monkeypatch.setattr("MedInpaintLib.models.store.models", lambda: known)
    for each in known.values():
        each.check_architecture = lambda architecture: None
    assert [choose("auto", "vae", modality).name for modality in ("MR", "CT")] == ["b", "c"]
    with pytest.raises(ModelError, match=r"'b' has learned from MR images, and this one is treated as film.*any_mod"):
        choose("auto", "vae", "film")
    assert choose("auto", "vae", "film", any_modality=True).name == "b"
    assert [fitting("vae", modality).name for modality in ("CT", None)] == ["c", "b"]
    assert fitting("unet") is None


@pytest.mark.parametrize("method", METHODS)
def test_parameters_that_make_no_sense_are_refused(method):
    with pytest.raises(ParameterError, match="'window' must be odd; found 8"):
        inpaint(method, window=8)
    with pytest.raises(ParameterError, match="nothing to search for"):
        inpaint(method, context="off", prior=0.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"context": "L1"},
        {"context": "L2", "prior": 0.0},
        {"context": "off", "prior": 1.0},
        {"weighting": False},
        {"far": 0.0, "window": 3},
        {"polish": 2},
        {"steps": 0},
        {"steps": 0, "polish": 2},
        {"restarts": 2},
    ],
    ids=str,
)
def test_every_way_to_search_fills_the_hole_and_reports_in_plain_numbers(method, parameters):
    result = inpaint(method, **parameters)
    _, hole = scene()
    assert np.isfinite(result.volume.array).all()
    assert (result.volume.array[hole] != 0).all()
    json.dumps(result.report, allow_nan=False)
    assert result.report["notes"]["frames"] == 4
    assert result.report["notes"]["search_steps"] == parameters.get("steps", 5)


def test_an_image_of_another_modality_is_refused_and_can_be_forced():
    ct = {"modality": "CT", "image": scene()[0] - 500}
    with pytest.raises(ModelError, match=r"has learned from MR images, and this one is treated as CT; .*any_modality"):
        inpaint(**ct)
    said = inpaint(**ct, any_modality=True).report["warnings"]
    assert any("has learned from MR images, and this one is treated as CT: do not trust" in each for each in said)
    assert not any("has learned" in each for each in inpaint().report["warnings"])


def test_a_single_slice_of_another_plane_is_filled_in_its_plane_and_warned_of():
    image, hole = scene((24, 20))
    volumes = {"coronal": (image[:, None], hole[:, None]), "axial": (image[None], hole[None])}
    said = {}
    for plane, (array, mask) in volumes.items():
        result = mi.inpaint(array, mask, method="vae-latent", spacing=2.0, modality="MR", parameters={"steps": 2})
        said[plane] = " ".join(result.report["warnings"])
        assert result.report["notes"]["frames"] == 1
    assert "has learned from axial slices, and coronal ones are filled" in said["coronal"]
    assert "axial slices" not in said["axial"]


def test_frames_of_which_little_is_known_are_warned_of():
    image, hole = scene((30, 30))
    hole[4:26, 4:26] = True
    result = mi.inpaint(image, hole, method="vae-latent", spacing=2.0, modality="MR", parameters={"steps": 2})
    assert any("little supports" in each for each in result.report["warnings"])


def region_of(image, hole, mm, scaling=Scaling(0.0, 1.0)):
    """All of an image as one region."""
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, mm), Hole(hole[box], box, hole.shape), scaling)
    return crop(subject, tuple(slice(0, size) for size in hole.shape))


def predict(method, seed=1, **parameters):
    region = region_of(*scene(), 2.0, Scaling(300.0, 400.0))
    info = registry.get(method)
    return info.fill(region, info.parameters(**{"steps": 5, **parameters}), prediction.Run(seed=seed))


@pytest.mark.parametrize("method", METHODS)
def test_restarts_give_a_spread_and_one_search_gives_none(method):
    _, hole = scene()
    one, three = (predict(method, restarts=number) for number in (1, 3))
    assert one.spread is None
    assert three.spread.shape == hole.shape
    assert (three.spread[hole] > 0).all()
    assert three.notes["search_loss"] <= one.notes["search_loss"]
    reports = [inpaint(method, restarts=number).report["uncertainty"] for number in (1, 3)]
    assert reports[0] is None
    assert "never measured" in reports[1]["reason"]  # a spread alone is no standard deviation of the error


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_decides_where_searches_begin_again(method):
    first, again, other = (predict(method, seed, restarts=2).spread for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_known_voxels_stay_and_hidden_ones_do_not_matter():
    image, hole = scene()
    filled = inpaint(image=image).volume.array
    np.testing.assert_array_equal(filled[~hole], image[~hole])
    np.testing.assert_array_equal(inpaint(image=np.where(hole, np.nan, image)).volume.array, filled)


def test_the_fill_can_be_cancelled_during_the_search():
    def cancelled():
        return stages[-1:] == ["Searching latents"]

    stages = []
    image, hole = scene()
    progress = Progress(report=lambda _, stage: stages.append(stage), cancelled=cancelled)
    with pytest.raises(Cancelled):
        mi.inpaint(image, hole, method="vae-latent", parameters={"steps": 5000}, progress=progress)


def test_slices_between_start_from_their_neighbours():
    tiles, slices = np.array([0] * 5 + [1] * 4 + [2]), np.array([0, 1, 2, 3, 4, 2, 3, 4, 9, 1])
    chosen = _first(tiles)
    assert np.flatnonzero(chosen).tolist() == [1, 4, 6, 9]
    np.testing.assert_array_equal(_nearest(tiles, slices, chosen), [1, 1, 1, 4, 4, 6, 6, 6, 6, 9])


def test_frames_without_a_hole_are_not_searched():
    """Two specks far from each other, in one region: each is in a tile and in slices of its own."""
    image, hole = np.random.default_rng(0).random((9, 60, 60)).astype(np.float32), np.zeros((9, 60, 60), bool)
    hole[1, 3, 3] = hole[7, 56, 56] = True
    region = region_of(image, hole, 1.0)
    frames = cut(region, region.values, pixels=16, pixel_mm=1.0)
    assert sorted(zip(frames.tiles.tolist(), frames.slices.tolist(), strict=True)) == [
        (0, 0), (0, 1), (0, 2), (1, 6), (1, 7), (1, 8)
    ]  # fmt: skip
    np.testing.assert_array_equal(frames.back(frames.values)[region.hole], 0)


SIDE, CENTRE, HALF = 16, 0.4, 0.3


def bundle_of(folder):
    """What a decoder is used with: its frames are 16 pixels of 1 mm wide, and its scale is not the region's."""
    bundle = read_bundle(folder / "a-tiny-vae")
    bundle.normalisation.update(centre=CENTRE, half_width=HALF)
    bundle.input.update(pixels=SIDE, pixel_mm=1.0)
    return bundle


def levels(latents):
    """A decoder that can show nothing but one level."""
    return latents[:, :, None, None].expand(-1, 1, SIDE, SIDE)


def fill(monkeypatch, region, model, options):
    """Search in a model of one's own."""
    monkeypatch.setattr(module, "load_once", lambda *_: model)
    return fill_by_search(region, "vae", None, options, prediction.Run())


def level_search(folder, guess):
    generative = Generative(levels, lambda images: 0 * images[:, :, 0, 0] + guess, lambda z, _: z[:, 0])
    return LoadedModel(bundle_of(folder), lambda bundle, device: generative, "cpu")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"context": "L2", "weighting": False}, (72 * 0.8 - 168 * 0.8) / 240),
        ({"context": "L1", "weighting": False}, -0.8),
        ({"context": "L2", "weighting": True, "far": 0.0, "window": 5}, 0.8),
    ],
)
def test_the_known_pixels_are_compared_and_weighted_as_asked_for(tiny_models, options, expected, monkeypatch):
    """In closed form: one level for all is best as their mean, their median, or the mean of those near the hole."""
    hole = np.zeros((SIDE, SIDE), bool)
    hole[6:10, 6:10] = True
    near = np.zeros_like(hole)
    near[4:12, 4:12] = True
    near[12:14, 2:14] = True  # 72 known pixels of 240
    image = (CENTRE + HALF * np.where(near, 0.8, -0.8)).astype(np.float32)
    parameters = Options(steps=400, prior=0.0, **options)
    found = fill(monkeypatch, region_of(image, hole, 1.0), level_search(tiny_models, 0.0), parameters)
    assert found.notes["frames"] == 1
    np.testing.assert_allclose((found.mean[hole] - CENTRE) / HALF, expected, atol=0.02)


def test_other_starts_are_as_far_from_0_as_normal_latents(tiny_models, monkeypatch):
    """In closed form: of a guess of 0 and a start of variance 1/2, the spread has the mean square 1/8."""
    image, hole = np.full((400, 8, 8), CENTRE, np.float32), np.zeros((400, 8, 8), bool)
    hole[:, 3:5, 3:5] = True
    options = Options(steps=0, prior=0.0, restarts=2)
    found = fill(monkeypatch, region_of(image, hole, 1.0), level_search(tiny_models, 0.0), options)
    assert ((found.spread[:, 3, 3] / HALF) ** 2).mean() == pytest.approx(1 / 8, rel=0.2)


@pytest.mark.parametrize("steps", [10, 15])
def test_slices_between_go_on_where_their_neighbours_ended(tiny_models, steps, monkeypatch):
    """Far from the optimum each step of Adam is as long as the rate: two searches in a row go twice as far as one."""
    image, hole = np.full((6, 20, 20), CENTRE, np.float32), np.zeros((6, 20, 20), bool)
    hole[:, 8:12, 8:12] = True
    options = Options(steps=steps, prior=0.0)
    found = fill(monkeypatch, region_of(image, hole, 1.0), level_search(tiny_models, 2.5), options)
    way = 2.5 - (found.mean[:, 10, 10] - CENTRE) / HALF
    first, between = [1, 4], [0, 2, 3, 5]
    np.testing.assert_allclose(way[first], way[1], rtol=1e-3)
    np.testing.assert_allclose(way[between], 2 * way[1], rtol=0.03)


class Judge:
    """A generator that can show nothing but one level, and a discriminator that rates bright images as real."""

    decode = staticmethod(lambda latents: levels(latents.tanh()))
    encode = staticmethod(lambda images: 0 * images[:, :, 0, 0])

    def __init__(self, sign):
        self.sign = sign

    def to(self, device):
        return self

    def logits(self, images):
        return self.sign * images.mean(dim=(1, 2, 3))


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_prior_of_a_gan_pulls_towards_what_its_discriminator_rates_as_real(sign, monkeypatch):
    monkeypatch.setattr(module, "load_network", lambda bundle: Judge(sign))
    starting, pulled = (predict("gan-latent", context="off", prior=1.0, restarts=1, steps=steps) for steps in (0, 30))
    _, hole = scene()
    assert (sign * (pulled.mean - starting.mean)[hole] > 0.1).all()
    # Against the known pixels, of which the mean is the start, it only goes as far as its weight lets it.
    weak, strong = (predict("gan-latent", prior=weight, restarts=1, steps=60).mean[hole] for weight in (0.01, 10.0))
    assert (sign * (strong - weak) > 0.1).all()


@pytest.mark.parametrize("restarts", [1, 2])
def test_every_slice_and_tile_gets_what_its_own_search_found(tiny_models, restarts, monkeypatch):
    truth = np.random.default_rng(0).uniform(0.15, 0.65, (9, 1, 1)).astype(np.float32)
    image = np.broadcast_to(truth, (9, 30, 40)).copy()
    hole = np.zeros(image.shape, bool)
    hole[1:8, 8:22, 8:22] = True
    hole[4] &= np.indices((30, 40))[1] < 15  # not all slices are alike
    options = Options(steps=300, prior=0.0, far=1.0, restarts=restarts)
    found = fill(monkeypatch, region_of(image, hole, 1.0), level_search(tiny_models, 0.0), options)
    np.testing.assert_allclose(found.mean, image, atol=3e-3)
    assert found.notes["frames"] == 9 * 4
    if restarts > 1:
        assert found.spread.max() < 3e-3


def test_of_several_searches_the_best_is_shown(tiny_models, monkeypatch):
    image, hole = np.full((20, 20), CENTRE, np.float32), np.zeros((20, 20), bool)
    hole[8:12, 8:12] = True
    region, options = region_of(image, hole, 1.0), Options(steps=0, prior=0.0, restarts=5)
    found = fill(monkeypatch, region, level_search(tiny_models, 2.0), options)
    off = np.unique(found.mean[hole] - CENTRE) / HALF
    assert np.ptp(off) < 1e-5
    assert abs(off[0]) < 1.9
    assert found.notes["search_loss"] == pytest.approx(off[0] ** 2, rel=1e-3)


def discs(count, rng):
    """Blurred discs, ``(count, 1, 16, 16)``, -0.8 outside to 0.8 inside."""
    rows, columns, radius = rng.uniform((4, 4, 3), (12, 12, 5), (count, 3)).T[..., None, None]
    distance = np.hypot(*(np.indices((SIDE, SIDE))[:, None] - [rows, columns])) - radius
    return torch.from_numpy(-0.8 * np.tanh(distance))[:, None].float()


@pytest.fixture(scope="module")
def trained(tiny_models):
    """A decoder that has seen discs, as a search needs it."""
    rng = np.random.default_rng(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build("vae", {"pixels": SIDE, "latent": 4, "kernel": 3, "width": 8})
        optimizer, elbo = torch.optim.Adam(network.parameters(), lr=3e-3), Elbo()
        for step in range(250):
            images = discs(64, rng)
            mean, log_variance = network.posterior(images)
            decoded = network.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())
            optimizer.zero_grad()
            elbo(decoded, images, mean, log_variance, step).backward()
            optimizer.step()
    network.eval().requires_grad_(False)
    prior = VaePrior()
    generative = Generative(network.decode, network.encode, lambda latents, _: prior(latents))
    return LoadedModel(bundle_of(tiny_models), lambda bundle, device: generative, "cpu")


@pytest.mark.parametrize("seed", range(3))
def test_a_model_that_knows_discs_completes_one_better_than_a_mean_does(trained, seed, monkeypatch):
    truth = CENTRE + HALF * discs(1, np.random.default_rng(100 + seed))[0, 0].numpy()
    row, column = np.argwhere(truth > CENTRE).min(axis=0)
    hole = np.zeros(truth.shape, bool)
    hole[row - 1 : row + 4, column - 1 : column + 5] = True
    region = region_of(np.where(hole, np.nan, truth), hole, 1.0)
    # Discs are all that there is, so the default prior, chosen on brains, would say too much.
    found = fill(monkeypatch, region, trained, Options(prior=0.01)).mean
    info = registry.get("shell-mean")
    mean = info.fill(region, info.parameters(), prediction.Run()).mean
    errors = [math.sqrt(((each - truth)[hole] ** 2).mean()) for each in (found, mean)]
    assert errors[0] < 0.5 * errors[1]
