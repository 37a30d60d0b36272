"""The study of latent search, on one tiny head with untrained models: every variant runs, the page is complete."""

from __future__ import annotations

import pytest

from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models import store
from MedInpaintLib.volume import Volume
from Research.latent_search import measure, page
from Research.shared import cards
from Research.shared.cases import Task, list_cases
from Research.shared.manifests import read_rows

TASKS = (
    Task("mr-10mm", "Small", "MR", False, "spheres:5mm:2", contrasts=("T1",)),
    Task("mr-20mm", "Large", "MR", False, "spheres:8mm:1", (0, 1), contrasts=("T1",)),
)
MODELS = {
    "VAE-3": ("vae-latent", "a-tiny-vae"),
    "VAE-7": ("vae-latent", "a-tiny-vae"),
    "GAN-3": ("gan-latent", "a-tiny-dcgan"),
    "GAN-7": ("gan-latent", "a-tiny-dcgan"),
}


@pytest.fixture
def data(tmp_path, head, monkeypatch):
    for module in (measure, page):
        monkeypatch.setattr(module, "TASKS", TASKS)
        monkeypatch.setattr(module, "MODELS", MODELS)
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        Volume(head[::2, ::2, ::2], (2.0,) * 3).write(folder / name)
    (folder / "MANIFEST.csv").write_text(
        "path,modality,contrast,subject_id,split\na.nii.gz,MR,T1,one,test\nb.nii.gz,MR,T1C,one,test\n"
    )
    return folder


def test_contrasts_that_no_model_has_learned_are_left_out(data):
    found = list_cases(read_manifest(data, "test"), TASKS)
    assert {entry.name for _, entry, _ in found} == {"a"}


def test_each_switch_switches_one_thing_off():
    whole = measure.variants(TASKS[1])["VAE-3"]
    for switch in measure.SWITCHES:
        options = measure.variants(TASKS[1])[f"VAE-3, {switch}"]
        changed = [name for name in {*options, *whole} if options.get(name) != whole.get(name)]
        assert len(changed) == 1
    assert not [label for label in measure.variants(TASKS[0]) if "," in label]


@pytest.mark.slow
def test_the_page_is_complete(data, tmp_path):
    todo = list_cases(read_manifest(data, "test"), TASKS)
    found = [measure.run_case(*case) for case in todo]
    out = tmp_path / "page"
    out.mkdir()
    page.write_page(found, data, out, "test")
    text = (out / "README.md").read_text(encoding="utf-8")
    for words in ("### Small", "### Large", "| VAE-7 |", "GAN-3, no blending", "VAE ahead of GAN, kernel 7", "holds?"):
        assert words in text
    assert "nan" not in text.lower().replace("explanation", "")
    assert (out / "fills.png").stat().st_size > 1000
    rows = read_rows(out / "scores.csv.gz")
    assert len(rows) == sum(len(case["scores"]) for case in found)
    assert {row["method"] for row in rows if row["task"] == "mr-10mm"} == {"shell-mean", "biharmonic", *MODELS}

    before = store.find("a-tiny-vae")
    for _ in range(2):
        cards.write_cards(
            cards.card_scores(
                found, MODELS, TASKS, measure.METRICS, base="biharmonic", split="test", protocol="latent_search"
            )
        )
    after = store.find("a-tiny-vae")
    assert after.weights_file == before.weights_file
    psnr = [row["psnr"] for row in found[0]["scores"] if row["method"] == "VAE-7"]
    own = [score for score in after.scores if score["split"] == "test" and score["method"] == "VAE-7"]
    assert len(own) == 2
    assert own[0]["psnr"]["mean"] == pytest.approx(sum(psnr) / len(psnr), abs=1e-4)
    assert "spheres:8mm:1" in (after.folder / "README.md").read_text(encoding="utf-8")
