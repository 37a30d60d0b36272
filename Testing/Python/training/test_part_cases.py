"""Cases and samples of 3-D networks, made in heads whose answer is known."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import MedInpaintLib as mi  # noqa: E402
from MedInpaintLib.errors import InputError  # noqa: E402
from MedInpaintLib.intensity import Scaling  # noqa: E402
from MedInpaintLib.modality import MR  # noqa: E402
from MedInpaintLib.training.part_cases import ROOM, PartCase, PartCases  # noqa: E402
from MedInpaintLib.training.part_samples import PartSamples, PartTrial  # noqa: E402
from MedInpaintLib.training.recipe import read_recipe  # noqa: E402
from MedInpaintLib.training.run import run  # noqa: E402
from MedInpaintLib.training.undamaged import Undamaged  # noqa: E402
from MedInpaintLib.volume import Volume  # noqa: E402
from MedInpaintLib.volume_inputs import INTENSITIES, MAPS  # noqa: E402
from Testing.Python.atlas.heads import head  # noqa: E402

HOLES = ("spheres:20mm", "spheres:28mm")
SIDE = 32


def undamaged(volume, inside):
    return Undamaged(volume, inside, Scaling(0.0, 1.0), MR)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Cases of two damaged images of one head."""
    shown = head(bend=2.0)
    cases = PartCases([undamaged(shown.volume, shown.brain)], HOLES, SIDE, 2, 0, tmp_path_factory.mktemp("cases"))
    for number in range(2):
        cases._make(number)
    return cases


def test_each_hole_is_a_case_with_its_truth_around_it(made):
    paths = made.paths()
    assert 2 <= len(paths) <= 4
    for path in paths:
        case = PartCase.read(path)
        side = SIDE + ROOM
        assert case.intensities.shape == (len(INTENSITIES), side, side, side)
        assert case.maps.shape == (len(MAPS), side, side, side)
        known = (case.maps[MAPS.index("known")] == 127) & ~case.wanted
        base = case.intensities[INTENSITIES.index("base")]
        np.testing.assert_allclose(base[known], case.truth[known], atol=2e-3)
        assert case.wanted.any()
        assert (case.maps[MAPS.index("known")][case.wanted] < 0).mean() > 0.95
        # The holes lie in the brain, which the atlas knows.
        tissues = case.maps[MAPS.index("grey") : MAPS.index("fluid") + 1].astype(int).sum(axis=0)
        assert tissues[case.wanted].mean() > 90


def test_what_is_hidden_is_in_no_input(tmp_path):
    shown = head(bend=2.0)
    first = PartCases([undamaged(shown.volume, shown.brain)], HOLES[:1], SIDE, 1, 0, tmp_path / "first")
    hole = first._damage(first.images[0], np.random.default_rng(5))
    changed = shown.volume.array.copy()
    changed[hole] = 0.5
    rng = np.random.default_rng(0)
    (case,) = first._cases(first.images[0], hole, rng)
    (other,) = first._cases(
        undamaged(Volume(changed, shown.volume.spacing), shown.brain), hole, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(case.intensities, other.intensities)
    np.testing.assert_array_equal(case.maps, other.maps)
    assert (case.truth != other.truth).any()


def test_the_same_seed_makes_the_same_cases(made, tmp_path):
    again = PartCases(made.images, HOLES, SIDE, 2, 0, tmp_path)
    again._make(1)
    name = next(path.name for path in made.paths() if path.name.startswith("00001"))
    for field in ("intensities", "maps", "truth", "wanted"):
        one, other = (getattr(PartCase.read(path.parent / name), field) for path in (made.paths()[0], again.paths()[0]))
        np.testing.assert_array_equal(one, other)


def test_images_without_a_head_are_refused(tmp_path):
    noise = Volume(np.random.default_rng(0).random((24, 24, 24)).astype(np.float32), (4.0,) * 3)
    cases = PartCases([undamaged(noise, np.ones((24,) * 3, bool))], HOLES, SIDE, 1, 0, tmp_path)
    with pytest.raises(InputError, match="3-D networks learn from heads"):
        cases.make()


def test_samples_are_crops_and_some_are_mirrored(made):
    samples = PartSamples(made.paths(), SIDE, 0, gain=0.0, offset=0.0)
    images, maps, truth, wanted = samples.batch(range(12))
    assert images.shape == (12, len(INTENSITIES), SIDE, SIDE, SIDE)
    assert truth.shape == wanted.shape == (12, 1, SIDE, SIDE, SIDE)
    right = maps[:, MAPS.index("right")].astype(int)
    towards = np.sign(np.diff(right, axis=-1).sum(axis=(1, 2, 3)))
    # The place in the head goes along: to the right of the image is to the right of the head in all of them.
    assert (towards == 1).all()
    again = samples.batch(range(12))
    np.testing.assert_array_equal(images, again[0])
    assert len({each.tobytes() for each in truth}) > 6


def test_intensities_and_truth_change_together(made):
    plain = PartSamples(made.paths(), SIDE, 3, gain=0.0, offset=0.0)[0]
    changed = PartSamples(made.paths(), SIDE, 3)[0]
    gain, offset = np.polyfit(plain[0].ravel(), changed[0].ravel(), 1)
    np.testing.assert_allclose(changed[2], gain * plain[2] + offset, atol=1e-3)
    assert gain != 1


def test_the_trial_scores_the_truth_best(made):
    trial = PartTrial.of(made.paths(), SIDE, 2, read_recipe("brain-mr-unet-3d").data)
    assert trial.psnr(trial.truth) > 79
    assert trial.psnr(trial.corrected) > trial.psnr(torch.zeros_like(trial.truth))
    assert trial.scores(trial.truth)["ssim"] == pytest.approx(1.0)
    assert trial.scores(trial.truth)["rmse"] == 0.0
    assert trial.picture(trial.corrected).shape[1:] == (4 * SIDE, 2 * SIDE)


@pytest.mark.slow
def test_a_training_makes_a_model_that_fills(tmp_path):
    for number, turn in enumerate([(0.1, 0.0, 0.0), (0.0, 0.1, 0.0)]):
        folder = tmp_path / "data" / f"p{number}"
        folder.mkdir(parents=True)
        head(bend=2.0, turn=turn).volume.write(folder / "t1.nii.gz")
    recipe = read_recipe("brain-mr-unet-3d")
    recipe = dataclasses.replace(
        recipe,
        arguments={"pixels": 16, "width": 4},
        data=dataclasses.replace(recipe.data, holes=HOLES, cases=2, contrasts=()),
        schedule=dataclasses.replace(recipe.schedule, steps=4, batch=2, check_every=2, crops=2),
    )
    bundle = run(recipe, tmp_path / "data", tmp_path / "out")
    assert bundle.architecture == "unet-3d"
    again = run(recipe, tmp_path / "data", tmp_path / "out")
    assert again.weights_file["sha256"] == bundle.weights_file["sha256"]
    shown = head(bend=2.0)
    hole = shown.ball((20.0, -10.0, 30.0), 14.0)
    damaged = dataclasses.replace(shown.volume, array=np.where(hole, 0, shown.volume.array))
    options = {"modality": "MR", "parameters": {"model": str(bundle.folder)}}
    result = mi.inpaint(damaged, hole, method="unet-3d", **options)
    assert result.report["parts"][0]["method"] == "unet-3d"
    assert np.isfinite(result.volume.array).all()
