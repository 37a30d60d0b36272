"""Studies on tiny films with tiny networks: what is trained is trained once, and the pages are whole."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib
import itertools
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.store import find
from MedInpaintLib.training.loop import HISTORY
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.tasks.inpainting import InpaintingTask
from MedInpaintLib.volume import Volume
from Research import STUDIES
from Research.films_and_ct import measure as films_and_ct
from Research.films_and_ct import page as films_and_ct_page
from Research.shared import study, study_command, study_page
from Research.shared.cases import Task, fingerprint
from Research.shared.comparison import UNTRAINED
from Research.shared.conventions import METRICS
from Research.shared.manifests import read_rows, reduced


def module_of(name):
    return importlib.import_module(f"Research.{name.replace('-', '_')}")


DOCS = Path(__file__).parents[3] / "docs"
TRAINED = [name for name in STUDIES if hasattr(module_of(name), "STUDY")]
#: Studies whose page every run of the tests makes; CI makes the others too.
QUICK = {"networks", "hole-size"}
U_SHAPED = {"width": 4, "levels": 2}
TINY = {
    **dict.fromkeys(("unet", "pconv", "edge-guided", "boundary-aware"), U_SHAPED),
    "rfr": {"width": 8, "recurrences": 1},
    "context-encoder": {"width": 4, "bottleneck": 8},
}
TINY_ENCODER = {"pixels": 32, "latent": 4, "kernel": 3, "width": 4}
SIZE = study.Size(steps=2, cases=2, crops=4, images=2, seeds=(0,))


def film(seed, size=96):
    """uint8: smooth, bright, noisy."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.random((size, size)), 6)
    return np.clip(128 + 2000 * (smooth - smooth.mean()) + rng.normal(0, 2, smooth.shape), 40, 250).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Films of two folders, each of one kind, and CT slices, in all splits."""
    folder = tmp_path_factory.mktemp("data")
    rows = [["path", "modality", "contrast", "subject_id", "split"]]
    for name in ("cxr", "cxr_more", "ct_slices"):
        (folder / name).mkdir()
    for number, split in enumerate(("train", "train", "val", "val", "test", "test", "test", "test")):
        kind, name = (("CR no_findings", "cxr"), ("CR pneumonia", "cxr_more"))[number % 2]
        Volume(film(number, 192 if number < 4 else 96), (1.0, 1.0)).write(folder / name / f"film{number}.png")
        rows.append([f"{name}/film{number}.png", "CXR", kind, f"f{number}", split])
    for number, split in enumerate(("train", "val", "test", "test")):
        slice_ = film(number + 10, 192).astype(np.int16)[np.newaxis] * 4 - 500
        Volume(slice_, (5.0, 1.0, 1.0)).write(folder / "ct_slices" / f"{number}.nii.gz")
        rows.append([f"ct_slices/{number}.nii.gz", "CT", "CT", f"c{number}", split])
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def tiny(name):
    """A recipe for films of 96 pixels."""
    recipe = read_recipe(name)
    data = dataclasses.replace(
        recipe.data, across=96 if recipe.data.across else 0, hint="nearest" if recipe.data.hint else ""
    )
    if recipe.architecture == "vae":
        schedule = dataclasses.replace(recipe.schedule, steps=2, batch=2, crops=2, check_every=2)
        return dataclasses.replace(recipe, arguments=TINY_ENCODER, schedule=schedule, data=data)
    arguments = {"pixels": 32, "slices": 1, "given": "fill", "relative": True, "hint": bool(data.hint)}
    schedule = dataclasses.replace(recipe.schedule, batch=2)
    return dataclasses.replace(
        recipe, arguments={**arguments, **TINY[recipe.architecture]}, schedule=schedule, data=data
    )


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(study, "read_recipe", tiny)
    monkeypatch.setattr(study, "in_parallel", lambda work, jobs, *, workers: (work(*job) for job in jobs))
    monkeypatch.setattr(study, "go_through", lambda todo, work, keep, *, workers: [work(*each) for each in todo])


def of_tiny_size(asked, **changes):
    """Return a study that takes seconds, of films of 96 pixels."""
    return dataclasses.replace(asked, across=asked.across and 96, sizes={"small": SIZE}, **changes)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Shared, so that studies share trainings."""
    return tmp_path_factory.mktemp("runs")


def is_pictured(asked, condition):
    """Whether fills of a condition are drawn."""
    return not asked.pictured or condition.label in asked.pictured


@pytest.mark.parametrize("name", TRAINED)
def test_the_pictures_of_a_page_are_of_its_conditions(name):
    asked = module_of(name).STUDY
    labels = [condition.label for condition in asked.conditions]
    assert set(asked.pictured) <= set(labels)
    folder = DOCS / STUDIES[name][1].removesuffix("README.md")
    drawn = {f"fills-{n}.webp" for n, each in enumerate(asked.conditions, start=1) if is_pictured(asked, each)}
    assert {path.name for path in folder.glob("fills-*")} == drawn


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TRAINED]
)
def test_a_small_study_has_a_whole_page(name, data, runs, tmp_path, small):
    asked = module_of(name).STUDY
    assert asked.name == name
    asked = of_tiny_size(asked)
    out = tmp_path / "docs" / "experiments"
    study_command.main(asked, ["--data", str(data), "--out", str(out), "--runs", str(runs)])
    page = (out / name / "README.md").read_text(encoding="utf-8")
    assert page == study_page.text(asked, out / name)
    assert page.startswith(f"# {asked.title}\n")
    verdicts, _, rest = page.partition("## Scores")
    for arm in asked.arms:
        # PSNR, difference with both ends of its interval, SSIM and texture of every condition; then the training.
        *scores, training = (line for line in rest.splitlines() if line.startswith(f"| {arm.label} |"))
        assert len(scores) == sum(arm in asked.tested(condition) for condition in asked.conditions)
        assert all(
            re.fullmatch(r"\|[^|]+(\| -?[\d.]+ )\| [-+][^|]+\([^|]+ to [^|]+\) (\| [\d.]+ ){2}\|", line)
            for line in scores
        )
        assert f"| {arm.architecture} |" in training
    assert verdicts.count(" dB (") == len(asked.comparisons)
    assert (" split train, seeds 0, 1, 2 (" if name == "seeds" else " split train, seed 0 (") in rest
    assert "nan" not in page
    drawn = [f"fills-{n}.webp" for n, each in enumerate(asked.conditions, start=1) if is_pictured(asked, each)]
    for picture in ("curves.webp", *drawn):
        assert f"({picture})" in page
        assert (out / name / picture).stat().st_size > 1000
    assert sorted(path.name for path in (out / name).glob("fills-*")) == sorted(drawn)
    assert page.count("![Fills]") == len(drawn)
    scores = read_rows(out / name / "scores.csv.gz")
    assert {row["method"] for row in scores} >= {arm.label for arm in asked.arms}
    assert all(bool(row["report_psnr"] and row["image_psnr"]) is (asked.modality == "film") for row in scores)


def test_what_is_trained_is_not_trained_again(data, runs, tmp_path, small, monkeypatch):
    asked = of_tiny_size(module_of("hole-shape").STUDY)
    study.run(asked, SIZE, data, runs, tmp_path)
    monkeypatch.setattr(study, "train", lambda *_, **__: pytest.fail("trained again"))
    study.run(asked, SIZE, data, runs, tmp_path)


def test_studies_share_their_trainings():
    """Those that are the same have the same folder; no two others have it."""
    places = {}
    for name in TRAINED:
        asked = module_of(name).STUDY
        for arm in asked.arms:
            place = study._folder_name(asked, arm, asked.sizes["full"], "")
            recipe = asked.recipe(arm, asked.sizes["full"])
            places.setdefault(place, []).append((recipe, arm.share, asked.match))
    assert all(same == first for first, *more in places.values() for same in more)
    alike = [next(iter(each)) for each in places.values()]
    assert not [pair for pair in itertools.combinations(alike, 2) if pair[0] == pair[1]]
    shared = {name: _places(name) for name in ("hole-shape", "hole-count", "rfr-holes-ct", "rfr-unlike-ct")}
    assert shared["hole-shape"] & shared["hole-count"]
    assert shared["rfr-unlike-ct"] <= shared["rfr-holes-ct"]


def _places(name):
    """Return the folders of a study's trainings."""
    asked = module_of(name).STUDY
    return {study._folder_name(asked, arm, asked.sizes["full"], "") for arm in asked.arms}


def test_an_encoder_is_trained_once_before_the_networks_and_found_by_its_name(data, tmp_path, small, monkeypatch):
    asked = module_of("rfr-losses").STUDY
    asked = of_tiny_size(asked, conditions=asked.conditions[:1])
    trained, train = [], study.train

    def noting(recipe, *arguments, **options):
        if trained:
            assert find(asked.encoder).folder.is_relative_to(tmp_path / "runs")
        trained.append(recipe.name)
        return train(recipe, *arguments, **options)

    monkeypatch.setattr(study, "train", noting)
    before = os.environ[study.MODELS]
    for _time in range(2):
        outcome = study.run(asked, SIZE, data, tmp_path / "runs", tmp_path / "out")
        assert os.environ[study.MODELS] == before
    assert trained == ["chest-film-features", *["chest-film-rfr"] * 3]
    parts = {
        label: {name for name in json.loads((folder / HISTORY).read_text().splitlines()[0]) if name.startswith("part/")}
        for label, folder in outcome.folders.items()
    }
    assert parts[module_of("rfr-losses").PIXELS] == {"part/valid", "part/hole"}
    published = {"part/valid", "part/hole", "part/perceptual", "part/style", "part/variation"}
    assert parts[module_of("rfr-losses").PUBLISHED] == published


@pytest.mark.parametrize("before", [None, "mine"])
def test_the_users_folder_of_models_is_set_back_also_after_an_error(tmp_path, monkeypatch, before):
    monkeypatch.delenv(study.MODELS)
    if before:
        monkeypatch.setenv(study.MODELS, before)
    with contextlib.suppress(InterruptedError), study._models_in(tmp_path):
        assert os.environ[study.MODELS] == str(tmp_path.resolve())
        raise InterruptedError
    assert os.environ.get(study.MODELS) == before


def test_the_published_losses_of_a_study_are_the_defaults_of_the_training():
    asked = module_of("rfr-losses").STUDY
    arm = next(each for each in asked.arms if each.label == module_of("rfr-losses").PUBLISHED)
    recipe = asked.recipe(arm, asked.sizes["full"])
    defaults = {field.name: field.default for field in dataclasses.fields(InpaintingTask)}
    own = {"network", "rate", "fine_rate", "fine_tune", "fresh", "features"}
    assert {name: value for name, value in recipe.task.items() if name not in own and value != defaults[name]} == {}
    assert recipe.task["fresh"]


#: Two networks for films of two sizes.
TWO_SIZES = study.Study(
    name="two-sizes",
    title="",
    question="",
    arms=(study.Arm("small", across=48), study.Arm("large")),
    conditions=(study.Condition("48 px", "squares:1/8", across=48), study.Condition("96 px", "squares:1/8")),
    comparisons=(),
    across=96,
    match="cxr/",
)


def test_a_network_is_tested_on_images_of_its_size_alone(data, runs, tmp_path, small):
    outcome = study.run(TWO_SIZES, SIZE, data, runs, tmp_path)
    for condition, network, side in (("48 px", "small", 48), ("96 px", "large", 96)):
        (arm,) = (each for each in TWO_SIZES.arms if each.label == network)
        bundle = find(str(study.bundle_of(outcome.folders[network])))
        assert bundle.input["pixels"] == (48 if network == "small" else 32)
        assert TWO_SIZES.recipe(arm, SIZE).data.across == bundle.input["across"] == side
        cases = [case for case in outcome.cases if case["title"] == condition]
        assert cases
        assert {row["method"] for case in cases for row in case["scores"]} == {*UNTRAINED, network}
        shapes = {Volume.read(entry.path).array.shape for entry in read_manifest(outcome.data[side])}
        assert shapes == {(side, side)}


def test_a_study_of_some_images_learns_from_them_alone_and_is_tested_on_them_alone(data, runs, tmp_path, small):
    outcome = study.run(TWO_SIZES, SIZE, data, runs, tmp_path)
    for folder in outcome.folders.values():
        learned = [(entry.split, entry.path.parent.name) for entry in read_manifest(folder)]
        assert learned == [("train", "cxr"), ("val", "cxr")]
    assert {case["image"] for case in outcome.cases} == {"cxr/film4", "cxr/film6"}
    everything = study.run(dataclasses.replace(TWO_SIZES, match=""), SIZE, data, runs, tmp_path / "all")
    assert not {*everything.folders.values()} & {*outcome.folders.values()}
    assert {case["image"].split("/")[0] for case in everything.cases} == {"cxr", "cxr_more"}


def test_a_study_with_another_network_has_the_same_holes_and_images():
    unet, rfr = (module_of(name).STUDY for name in ("hole-size", "rfr-hole-size"))
    assert {arm.architecture for arm in rfr.arms} == {"rfr"}
    assert tuple(dataclasses.replace(arm, architecture="unet") for arm in rfr.arms) == unet.arms
    assert (rfr.conditions, rfr.comparisons) == (unet.conditions, unet.comparisons)
    for name, size in rfr.sizes.items():
        assert dataclasses.replace(size, batch=0) == unet.sizes[name]
        plain, small = (asked.recipe(asked.arms[0], asked.sizes[name]).schedule.batch for asked in (unet, rfr))
        assert small * 2 == plain
    assert (rfr.name, rfr.title) != (unet.name, unet.title)


def test_the_released_networks_have_a_page(data, runs, tmp_path, small, monkeypatch):
    models = {}
    for name, modality in (("hole-shape", "film"), ("networks-ct", "CT")):
        asked = module_of(name).STUDY
        asked = of_tiny_size(asked)
        folders = study.run(asked, SIZE, data, runs, tmp_path).folders
        models[modality] = {"unet": ("unet", str(study.bundle_of(folders[asked.arms[0].label])))}
    tasks = (
        Task("film-squares", "Chest films, squares", "film", True, "squares:10px:2"),
        Task("ct-strips", "CT slices, strips", "CT", True, "strips:6px:1"),
    )
    for module in (films_and_ct, films_and_ct_page):
        monkeypatch.setattr(module, "MODELS", models)
        monkeypatch.setattr(module, "TASKS", tasks)
        monkeypatch.setattr(module, "WITHOUT", ("biharmonic", "harmonic"))
    monkeypatch.setattr(films_and_ct, "go_through", lambda todo, work, keep, *, workers: [work(*each) for each in todo])
    monkeypatch.setattr(films_and_ct, "ACROSS", 96)
    out = tmp_path / "films-and-ct"
    films_and_ct_page.main(["--data", str(data), "--out", str(out), "--runs", str(runs)])
    page = (out / "README.md").read_text(encoding="utf-8")
    words = ["## Chest films, squares", "## CT slices, strips", "| the report, RFR | 22.34", "## Against", "dB higher"]
    assert [each for each in words if each not in page] == []
    assert films_and_ct_page.text(out) == page
    assert (out / "film-squares.webp").stat().st_size > 5000
    rows = read_rows(out / "scores.csv.gz")
    assert len(rows) == 4 * (4 * 2 + 2 * 1)  # methods, and holes of films and slices


def test_full_image_figures_are_higher_by_what_nobody_had_to_fill(data, runs):
    """A hole of h of n pixels: 10 log10(n / h) dB for nothing, at the same maximum."""
    task = Task("film", "Films", "film", True, "squares:24px:1")
    entry = next(each for each in read_manifest(data, "test") if task.suits(each))
    case = films_and_ct.run_case(task, entry, 0, without=("biharmonic",), models={})
    for row in case["scores"]:
        assert row["image_psnr"] > row["report_psnr"] + 10 * np.log10(96 * 96 / 24**2) - 1e-6


def test_films_are_reduced_by_means_of_blocks(data, tmp_path):
    folder = reduced(data, tmp_path / "small", "film", 96)
    entries = read_manifest(folder)
    assert len(entries) == 8
    for before, after in zip(read_manifest(data), entries, strict=False):
        assert (before.split, before.subject, before.contrast) == (after.split, after.subject, after.contrast)
        large, small = Volume.read(before.path).array, Volume.read(after.path).array
        times = large.shape[0] // 96
        assert small.shape == (96, 96)
        assert small.dtype == np.uint8
        for row, column in ((0, 0), (50, 17), (95, 95)):
            block = large[row * times : (row + 1) * times, column * times : (column + 1) * times]
            assert small[row, column] == np.rint(block.mean())
    assert reduced(data, tmp_path / "small", "film", 96) == folder


def test_a_metric_is_averaged_over_the_holes_in_which_it_is_defined():
    def row(hole, texture):
        return {**dict.fromkeys(METRICS, 1.0), "method": "x", "hole": hole, "gradient_energy": texture}

    for textures, mean in (((2.0, None, 4.0), 3.0), ((None, None), None)):
        case = {"image": "a", "scores": [row(hole, texture) for hole, texture in enumerate(textures)]}
        (averaged,) = study_command.averaged(case)["scores"]
        assert averaged["gradient_energy"] == mean
        assert averaged["psnr"] == 1.0


def test_a_flat_slice_is_turned_as_networks_see_it(tmp_path):
    """Of an array whose rows run to the front and columns to the left, both are turned round."""
    array = np.arange(30, dtype=np.int16).reshape(1, 5, 6)
    turned = Volume(array, (5.0, 2.0, 1.0), direction=np.diag([-1.0, -1.0, 1.0]))
    (tmp_path / "ct_slices").mkdir()
    turned.write(tmp_path / "ct_slices" / "a.nii.gz")
    (tmp_path / "MANIFEST.csv").write_text("path,modality,contrast,subject_id,split\nct_slices/a.nii.gz,CT,CT,a,test\n")
    (entry,) = read_manifest(tmp_path)
    image = Task("ct", "CT", "CT", True, "squares:2px").load(entry)
    np.testing.assert_array_equal(image.array, array[0, ::-1, ::-1])
    assert image.spacing == (2.0, 1.0)


def test_other_data_are_other_trainings(data, tmp_path):
    before = fingerprint(data, "film")
    text = (data / "MANIFEST.csv").read_text(encoding="utf-8")
    other = tmp_path / "MANIFEST.csv"
    other.write_text(text.replace("f0,train", "f0,test"))
    assert fingerprint(tmp_path, "film") != before
    other.write_text(text.replace("c0,train", "c0,test"))  # of a CT
    assert fingerprint(tmp_path, "film") == before


def test_holes_lie_elsewhere_in_every_image(data):
    task = Task("film", "Films", "film", True, "squares:16px:1")
    entries = [each for each in read_manifest(data, "test") if task.suits(each)]
    cases = [films_and_ct.run_case(task, each, 0, without=("nearest",), models={}) for each in entries]
    assert len({case["seed"] for case in cases}) == len(entries) > 2
    again = films_and_ct.run_case(task, entries[0], 0, without=("nearest",), models={})
    assert again["scores"] == cases[0]["scores"]


@pytest.mark.parametrize("grey", [200, 0])
def test_a_flat_image_has_scores_that_can_be_averaged(grey, tmp_path):
    """Fills are perfect, there is no texture, and the brightest pixel of a fill may be black."""
    Volume(np.full((64, 64), grey, np.uint8), (1.0, 1.0)).write(tmp_path / "flat.png")
    (tmp_path / "MANIFEST.csv").write_text("path,modality,contrast,subject_id,split\nflat.png,CXR,CR,a,test\n")
    (entry,) = read_manifest(tmp_path)
    task = Task("film", "Films", "film", True, "squares:16px:1")
    case = films_and_ct.run_case(task, entry, 0, without=("nearest", "harmonic"), models={})
    for row in case["scores"]:
        assert row["psnr"] == 60.0
        assert all(row[metric] is None or np.isfinite(row[metric]) for metric in METRICS)
