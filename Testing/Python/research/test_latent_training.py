"""The study of what VAE and GAN cost to train: modes of known mixtures, readings of made-up curves, a tiny training."""

from __future__ import annotations

import dataclasses
import math
import types

import numpy as np
import pytest

from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.volume import Volume
from Research.latent_training import clusters, measure, page
from Research.shared.facts import write_facts
from Research.shared.manifests import read_rows, write_rows


def mixture(rng, *tissues, count=4096):
    """Intensities of tissues, each ``(mean, standard deviation, share)``."""
    return np.concatenate([rng.normal(mean, sd, round(count * share)) for mean, sd, share in tissues])


@pytest.mark.parametrize(
    "tissues",
    [
        [(0.5, 0.08, 1.0)],
        [(0.0, 0.02, 0.4), (0.6, 0.06, 0.6)],
        [(0.1, 0.04, 0.2), (0.5, 0.05, 0.4), (0.85, 0.05, 0.4)],
        [(0.0, 0.02, 0.3), (0.25, 0.03, 0.2), (0.55, 0.04, 0.25), (0.9, 0.04, 0.25)],
    ],
)
def test_modes_are_where_the_tissues_of_a_mixture_are(tissues):
    for seed in range(5):
        modes = clusters.modes(mixture(np.random.default_rng(seed), *tissues))
        assert modes == pytest.approx([mean for mean, _, _ in tissues], abs=0.03)


def test_tissues_that_differ_by_less_than_their_noise_are_one_mode():
    # Two equal normal densities have two modes only if they are more than two standard deviations apart.
    assert len(clusters.modes(mixture(np.random.default_rng(0), (0.4, 0.1, 0.5), (0.55, 0.1, 0.5)))) == 1


def test_modes_at_the_ends_of_the_range_count_and_what_lies_beyond_is_there():
    assert clusters.modes(np.repeat([-3.0, 0.5, 9.0], 100)) == pytest.approx(
        [clusters.LOW, 0.5, clusters.HIGH], abs=0.02
    )
    assert clusters.modes(np.full((8, 8), 0.3)) == pytest.approx([0.3], abs=0.02)


def test_the_share_with_tissues_counts_images():
    rng = np.random.default_rng(0)
    two = [(0.1, 0.04, 0.5), (0.8, 0.05, 0.5)]
    images = [mixture(rng, *two), mixture(rng, *two), mixture(rng, *two), mixture(rng, (0.45, 0.04, 0.4), *two)[:4096]]
    rng.shuffle(images[3])
    assert clusters.share_with_tissues(np.stack([image.reshape(64, 64) for image in images])) == 0.25


def test_the_step_at_which_a_quality_is_reached():
    steps = np.array([100, 200, 300])
    assert page.reached(steps, np.array([10.0, 14.0, 12.0]), 13.0) == pytest.approx(175)
    assert page.reached(steps, np.array([10.0, 14.0, 12.0]), 10.0) == 100
    assert page.reached(steps, np.array([10.0, 14.0, 12.0]), 15.0) == math.inf
    assert page.reached(steps, np.array([0.3, 0.1, 0.2]), 0.2, less=True) == pytest.approx(150)
    assert page.reached(steps, np.array([0.3, 0.1, 0.2]), 0.05, less=True) == math.inf


def test_the_common_quality_is_the_best_that_both_reach():
    assert page.common_quality(np.array([1.0, 5.0, 4.0]), np.array([2.0, 3.0])) == 3.0
    assert page.common_quality(np.array([0.3, 0.1]), np.array([0.5, 0.2, 0.4]), less=True) == 0.2


@pytest.mark.parametrize(
    ("vae", "gan", "words"),
    [
        (2.0, 5.0, "the VAE formed them first"),
        (5.0, 2.0, "the GAN formed them first"),
        (3.0, 3.0, "both formed them at the same time"),
        (3.0, math.inf, "only the VAE formed them, not the GAN"),
        (math.inf, 3.0, "only the GAN formed them, not the VAE"),
        (math.inf, math.inf, "neither formed them"),
    ],
)
def test_which_network_forms_the_clusters_first(vae, gan, words):
    assert page.first_formed({"VAE-7": vae, "GAN-7": gan}, 7) == words


def write_table(folder, curves):
    """Write the table and the facts of made-up trainings: network -> (seconds of a step, PSNR, clusters) by check."""
    rows = [
        [network, 100 * number, seconds, psnr, psnr + 1, 1 / psnr, share]
        for network, (seconds, checks) in curves.items()
        for number, (psnr, share) in enumerate(checks, start=1)
    ]
    write_rows(folder / page.CHECKS, [page.COLUMNS, *rows])
    write_facts(
        folder,
        steps=300,
        batch=32,
        epoch=3200,
        images=5,
        people=4,
        validation="discs of 2 other people",
        search_steps=60,
        generated=256,
        real_clusters=0.5,
        warm_up=1000,
        released={network: {"distance": 0.01, "clusters": 0.4, "steps": 8000} for network in curves},
    )


def test_the_page_multiplies_epochs_by_their_time(tmp_path):
    """An epoch is 100 steps here; the VAE reaches 16 dB at 150 steps and the GAN at 300, at half the time a step."""
    vae = (0.3, [(15.0, 0.0), (17.0, 0.5), (16.0, 0.5)])
    gan = (0.6, [(10.0, 0.0), (12.0, 0.0), (16.0, 0.5)])
    write_table(tmp_path, {"VAE-3": vae, "VAE-7": vae, "GAN-3": gan, "GAN-7": (0.6, [(10.0, 0.0), (16.0, 0.1)])})
    text = page.text(tmp_path)
    line = next(line for line in text.splitlines() if line.startswith("| 3 | PSNR of fills, each"))
    cells = [cell.strip() for cell in line.strip("|").split("|")][2:]
    # 1.5 epochs of 30 s against 3 epochs of 60 s: half the epochs, half the time, a quarter of the cost.
    assert cells == ["16.00 dB", "1.50", "30", "0.8", "3.00", "60", "3.0", "0.50", "0.50", "0.25"]
    assert "0.75 x 0.75 = 0.56 of the GAN's cost, 44 % less; 1 / 0.56 makes that 78 % faster" in text
    # Half of the real share, 0.25, is passed half-way between the first and the second check of the VAE.
    assert "| VAE-3 | 1.50 | 0.8 | 50 % | 40 %, 8000 steps |" in text
    assert "| GAN-7 | not formed |  | 10 % | 40 %, 8000 steps |" in text
    assert "Kernel 3: the VAE formed them first. Kernel 7: only the VAE formed them, not the GAN." in text
    assert "these have them: VAE-3, VAE-7, GAN-3, GAN-7." in text


def test_the_clock_passes_batches_on_and_gives_the_median_time_of_a_step(monkeypatch):
    times = iter([0.0, 1.0, 2.0, 12.0, 13.0, 50.0, 54.0])  # one step of 10 s: something else went on
    monkeypatch.setattr(measure.time, "process_time", lambda: next(times))
    clock = measure.Clock(types.SimpleNamespace(batch=lambda numbers: tuple(numbers)))
    assert [clock.batch(range(number, number + 2)) for number in range(5)][-1] == (4, 5)
    assert clock.seconds() == 1.0
    clock.batch(range(1))
    assert math.isnan(clock.seconds())


@pytest.fixture
def tiny(tmp_path, head, monkeypatch):
    """A folder with two tiny heads, and the study cut to tiny networks and few steps."""
    names = {"vae": "a-tiny-vae", "dcgan": "a-tiny-dcgan"}
    arguments = {"pixels": 16, "latent": 4, "kernel": 3, "width": 4}

    def recipe_of(label):
        recipe = read_recipe(f"brain-mr-{label[:3].lower()}-{label[-1]}")
        schedule = dataclasses.replace(recipe.schedule, batch=4, crops=2, hole_mm=8)
        return dataclasses.replace(recipe, arguments=arguments, schedule=schedule)

    labels = {"VAE-3": "vae", "VAE-7": "vae", "GAN-3": "dcgan", "GAN-7": "dcgan"}
    monkeypatch.setattr(measure, "recipe_of", recipe_of)
    monkeypatch.setattr(measure, "RECIPES", {label: names[kind] for label, kind in labels.items()})
    monkeypatch.setattr(measure, "EVERY", 2)
    monkeypatch.setattr(measure, "GENERATED", 12)
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["path,modality,contrast,subject_id,split"]
    for name, split in (("a", "train"), ("b", "val")):
        Volume(head[::2, ::2, ::2], (2.0,) * 3).write(folder / f"{name}.nii.gz")
        rows.append(f"{name}.nii.gz,MR,T1,{name},{split}")
    (folder / "MANIFEST.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.slow
def test_trainings_take_turns_and_go_on_where_they_were(tiny, tmp_path):
    measure.run(tiny, tmp_path / "runs", 2)
    outcome = measure.run(tiny, tmp_path / "runs", 4)
    alone = measure.run(tiny, tmp_path / "other", 4)
    values = [{name: value for name, value in row.items() if name != "seconds"} for row in outcome.rows]
    assert values == [{name: value for name, value in row.items() if name != "seconds"} for row in alone.rows]
    assert [(row["network"], row["step"]) for row in outcome.rows[:3]] == [("VAE-3", 2), ("VAE-3", 4), ("VAE-7", 2)]
    assert outcome.real.shape == (12, 16, 16)
    out = tmp_path / "page"
    page.write_page(outcome, out)
    text = (out / "README.md").read_text(encoding="utf-8")
    assert page.text(out) == text
    assert "nan" not in text.lower()
    assert len(read_rows(out / page.CHECKS)) == 8
    assert min((out / name).stat().st_size for name in (page.CURVES, page.SAMPLES)) > 1000
