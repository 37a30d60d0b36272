"""The study of latent search: its tasks, its readings of made-up tables, and a whole page of one tiny head."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.latent.search import Settings
from MedInpaintLib.losses.context import ContextLoss, ContextWeights
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.methods import latent
from MedInpaintLib.models import store
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.volume import Volume
from Research.__main__ import main
from Research.latent_search import measure, page
from Research.shared import cards
from Research.shared.cases import Task, list_cases
from Research.shared.facts import write_facts
from Research.shared.manifests import read_rows
from Research.shared.models import require_models
from Research.shared.scores import SCORES, write_scores
from Research.shared.statistics import Verdict

TINY = (
    measure.Slices(measure.ABLATED, "One", "MR", False, "spheres:8mm:1", contrasts=("T1",)),
    Task("mr-20mm", "Large", "MR", False, "spheres:8mm:1", (0, 1), contrasts=("T1",)),
    measure.RandomLoss("mr-95", "Loss", "MR", False, "95 % of pixels", contrasts=("T1",), share=0.95),
)
TINY_MODELS = {
    "VAE-3": ("vae-latent", "a-tiny-vae"),
    "VAE-7": ("vae-latent", "a-tiny-vae"),
    "GAN-3": ("gan-latent", "a-tiny-dcgan"),
    "GAN-7": ("gan-latent", "a-tiny-dcgan"),
}


@pytest.fixture
def tiny(tmp_path, head, monkeypatch):
    """A folder with a tiny head to test on, and the study cut to tiny tasks and models."""
    for module in (measure, page):
        monkeypatch.setattr(module, "TASKS", TINY)
        monkeypatch.setattr(module, "MODELS", TINY_MODELS)
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        Volume(head[::2, ::2, ::2], (2.0,) * 3).write(folder / name)
    (folder / "MANIFEST.csv").write_text(
        "path,modality,contrast,subject_id,split\na.nii.gz,MR,T1,one,test\nb.nii.gz,MR,T1C,one,test\n"
    )
    return folder


@pytest.fixture
def ball(tmp_path):
    """An entry of a ball of 40 mm on a ramp of 10 per mm along the rows, in voxels of 1 x 1 x 3 mm; and its centre."""
    k, j, i = np.ogrid[:20, :80, :80]
    centre = (8, 40, 40)
    distance = (3.0 * (k - centre[0])) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2
    values = np.where(distance <= 20**2, 100 + 10.0 * j, 0).astype(np.float32)
    Volume(values, (3.0, 1.0, 1.0)).write(tmp_path / "ball.nii.gz")
    return Entry(tmp_path / "ball.nii.gz", "ball", "MR", "T1", "one", "test")


def test_images_are_one_a_person_of_one_contrast(tiny):
    assert {entry.name for _, entry, _ in list_cases(read_manifest(tiny, "test"), TINY)} == {"a"}
    assert {task.contrasts for task in measure.TASKS} == {("T1",)}


def test_the_slice_is_the_largest_section_in_pixels_of_the_models(ball):
    flat = measure.Slices("x", "", "MR", False, "").load(ball)
    assert flat.spacing == (measure.PIXEL_MM,) * 2
    assert flat.array.shape == (53, 53)  # 80 mm
    # A disc of the ball's radius, and only in its middle slice; the ramp along the rows is kept.
    assert np.count_nonzero(flat.array > 150) * measure.PIXEL_MM**2 == pytest.approx(np.pi * 20**2, rel=0.03)
    steps = np.diff(flat.array[20:33, 26])
    assert np.abs(np.abs(steps) - 10 * measure.PIXEL_MM).max() < 1e-2


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_random_loss_takes_its_share_of_the_head_and_nothing_else(ball, share):
    task = measure.RandomLoss("x", "", "MR", False, "", share=share)
    image = task.load(ball)
    hole = task.cut(image, 0)
    head = image.array > 50
    assert hole[~ndimage.binary_dilation(head)].sum() == 0
    assert hole.sum() == pytest.approx(share * head.sum(), rel=0.03)
    assert ndimage.label(hole, structure=np.ones((3, 3)))[1] == 1
    assert np.array_equal(hole, task.cut(image, 0))
    assert not np.array_equal(hole, task.cut(image, 1))


def test_each_switch_switches_one_thing_off():
    ablated = next(task for task in measure.TASKS if task.name == measure.ABLATED)
    fills = measure.variants(ablated)
    for label in measure.MODELS:
        for switch in measure.SWITCHES:
            options, whole = fills[f"{label}, {switch}"], fills[label]
            assert len([name for name in {*options, *whole} if options.get(name) != whole.get(name)]) == 1
    for task in measure.TASKS:
        if task is not ablated:
            assert list(measure.variants(task)) == list(measure.MODELS)


def test_the_source_has_the_weights_and_the_loss_of_the_paper():
    """Equations 3 and 4 of Yeh et al.: L1, no weight far from the hole, a window of 7."""
    of_the_paper, without = (
        latent._settings(latent.Options(**measure.CONTEXTS[each][0])) for each in (measure.SOURCE, measure.UNWEIGHTED)
    )
    assert of_the_paper.loss == without.loss == ContextLoss(power=1)
    assert of_the_paper.weights == ContextWeights(window=7, far=0.0, weighted=True)
    assert not without.weights.weighted


def made_up(people=6, **gains):
    """Cases of made-up PSNRs: 20 dB for each method, more by ``gains``; a spread over people in the first model."""
    methods = ["shell-mean", "biharmonic"]
    methods += [label for model in measure.MODELS for label in (model, *(f"{model}, {c}" for c in measure.CHANGES))]
    cases = []
    for task in measure.TASKS:
        for person in range(people):
            scores = [
                {
                    "method": method,
                    "hole": 1,
                    "psnr": 20 + gains.get(method, 0.0) + 0.01 * person * (method == "VAE-3"),
                    "ssim": 0.5,
                    "rmse": 1.0,
                    "gradient_energy": 0.5,
                }
                for method in methods
                if task.name == measure.ABLATED or "," not in method
            ]
            own = {"task": task.name, "image": f"p{person}/t1", "subject": f"p{person}", "seed": 0, "range": 1.0}
            cases.append({**own, "scores": scores})
    return cases


def text_of(folder, cases):
    """The page of made-up cases."""
    folder.mkdir(exist_ok=True)
    write_scores(cases, measure.METRICS, folder / SCORES)
    seconds = {case["task"]: {row["method"]: 1.0 for row in case["scores"]} for case in cases}
    model = {"label": "VAE-3", "megabytes": 2, "steps": 8000, "batch": 32, "minutes": 34, "machine": "a core"}
    write_facts(
        folder,
        split="test",
        seconds=seconds,
        models=[{**model, "validation_psnr": 19.5}],
        pictures={},
        settings=page.search_settings(),
    )
    return page.text(folder)


def reading_of(text, words, holes=""):
    """The reading in the only line of the table of claims that begins with these words."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {words}") and holes in line]
    return line.split(" | ")[2]


def test_readings_of_differences_between_models_and_of_parts(tmp_path):
    gains = {
        "VAE-3": 0.25,  # clear over people, but within the chance of a training
        "VAE-7": 1.0,
        "VAE-3, no prior": -1.0,
        "GAN-3, no blending": 0.1,
        f"VAE-7, {measure.SOURCE}": 0.5,
        f"VAE-7, {measure.UNWEIGHTED}": 0.75,
    }
    text = text_of(tmp_path, made_up(**gains))
    assert reading_of(text, "VAE ahead of GAN, kernel 3", "a sphere of 40 mm").startswith("cannot be told apart: +0.2")
    assert reading_of(text, "VAE ahead of GAN, kernel 7", "a sphere of 40 mm").startswith("yes: +1.00 dB")
    assert reading_of(text, "Kernel 7 ahead of kernel 3, GAN", "a sphere of 10 mm").startswith(
        "cannot be told apart: +0.00"
    )
    assert reading_of(text, "The prior helps (its weight is 3), VAE-3").startswith("yes: +1.2")
    # The same weights on both sides: 0.1 dB is enough.
    assert reading_of(text, "The blending helps, GAN-3").startswith("no: -0.10 dB")
    assert reading_of(text, "The weighting of the source helps its L1 loss, VAE-7").startswith("no: -0.25 dB")
    assert reading_of(text, "Our context loss ahead of the source's, VAE-7").startswith("yes: +0.50 dB")
    assert reading_of(text, "VAE-7 ahead of `biharmonic`", "loss of 95 %").startswith("yes: +1.00 dB")
    assert reading_of(text, "GAN-7 ahead of `biharmonic`", "loss of 80 %").startswith("cannot be told apart")


@pytest.mark.parametrize(
    ("vae", "gan", "verdict"),
    [(-1.5, -0.5, "yes: +1.00 dB"), (-0.5, -1.5, "no: -1.00 dB"), (-1.0, -0.8, "cannot be told apart: +0.20 dB")],
)
def test_the_prior_gains_more_in_one_model_than_in_the_other(tmp_path, vae, gan, verdict):
    text = text_of(tmp_path, made_up(**{"VAE-7, no prior": vae, "GAN-7, no prior": gan}))
    words = "The prior helps the VAE more than the GAN (weights 3 and 0.001), kernel 7"
    assert reading_of(text, words).startswith(verdict)


def test_fewer_than_five_people_are_too_few(tmp_path):
    cases = made_up(people=4, **{"VAE-7": 3.0, "VAE-7, no prior": 0.0})
    own = [case for case in cases if case["task"] == measure.ABLATED]
    assert page.more_from(own, "VAE-7", "GAN-7", "no prior", "psnr").verdict is Verdict.TOO_FEW
    claims = text_of(tmp_path, cases).split("## Statements")[1]
    assert claims.count("too few people to tell") == claims.count("4 people") > 20


def test_the_page_shows_every_setting_of_the_search(tmp_path):
    text = text_of(tmp_path, made_up())
    for field in dataclasses.fields(latent.Options):
        own, gan = (str(getattr(options(), field.name)) for options in (latent.Options, latent.GanOptions))
        assert field.name in page.OTHER or f"| `{field.name}` | {own} | {gan} |" in text
    search = Settings()
    for name, value in (("rate", search.rate), ("bound", search.bound), ("tolerance", search.tolerance)):
        assert f"| `{name}` | {value} | {value} |" in text


@pytest.mark.slow
def test_the_page_is_complete(tiny, tmp_path):
    cases = [measure.run_case(*case) for case in list_cases(read_manifest(tiny, "test"), TINY)]
    out = tmp_path / "page"
    out.mkdir()
    page.write_page(cases, tiny, out, "test")
    text = (out / "README.md").read_text(encoding="utf-8")
    for words in ("### One", "### Large", "### Loss", "| VAE-7 |", "GAN-7, no blending", "VAE ahead of GAN, kernel 7"):
        assert words in text
    assert "nan" not in text.lower()
    assert page.text(out) == text
    assert min((out / f"{figure}.webp").stat().st_size for figure in page.FIGURES) > 1000
    rows = read_rows(out / SCORES)
    assert len(rows) == sum(len(case["scores"]) for case in cases)
    assert {row["method"] for row in rows if row["task"] == "mr-20mm"} == {"shell-mean", "biharmonic", *TINY_MODELS}

    before = store.find("a-tiny-vae")
    for _ in range(2):
        cards.write_cards(page.cards(out))
    after = store.find("a-tiny-vae")
    assert after.weights_file == before.weights_file
    psnr = [
        row["psnr"] for case in cases if case["task"] == "mr-20mm" for row in case["scores"] if row["method"] == "VAE-7"
    ]
    (own,) = [score for score in after.scores if score["split"] == "test" and score["method"] == "VAE-7"]
    assert own["psnr"]["mean"] == pytest.approx(sum(psnr) / len(psnr), abs=1e-3)  # the table has five digits
    assert "spheres:8mm:1" in (after.folder / "README.md").read_text(encoding="utf-8")


RELEASED = Path(__file__).parents[3] / "Resources" / "Models"


def test_the_withdrawn_models_are_those_that_are_not_released_and_have_recipes():
    names = {name for _, name in measure.MODELS.values()}
    assert set(measure.WITHDRAWN) == {name for name in names if not (RELEASED / name / "bundle.json").is_file()}
    assert {read_recipe(name).name for name in names} == names


def test_the_page_says_why_models_were_withdrawn(tmp_path):
    text = text_of(tmp_path, made_up(**{"VAE-7": 0.2, "GAN-7": 1.5}))
    (words,) = [line for line in text.splitlines() if "no longer come with" in line]
    assert words.startswith("`brain-mr-vae-7` and `brain-mr-gan-7` are measured here but no longer come")
    # The VAE's 0.2 dB is within the chance of a training in all six tasks, the GAN's 1.5 dB beyond it.
    assert "Of the 12 comparisons with kernel 3 [below]" in words
    assert "kernel 7 is better in 6; its largest gain is +1.50 dB" in words
    assert "takes 1.0 to 1.0 times as long" in words
    assert "medinpaint train brain-mr-vae-7 --data DATA" in words
    assert "## Statements, and whether they hold here" in text  # to which the link leads


def test_without_the_withdrawn_models_there_is_one_line_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    for study in ("latent-search", "latent-training"):
        assert main([study, "--data", "nowhere", "--out", "out"]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert message.startswith(
            "Error: This study needs models that are not here: brain-mr-vae-7, brain-mr-gan-7; train each by the "
            "recipe of its name, for example 'medinpaint train brain-mr-vae-7 --data DATA"
        )
    assert not list(tmp_path.iterdir())


def test_a_broken_model_is_no_missing_one(tmp_path, monkeypatch):
    """Reading it says what is wrong with it."""
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    for name in measure.WITHDRAWN:
        (tmp_path / name).mkdir()
    require_models(measure.WITHDRAWN)
