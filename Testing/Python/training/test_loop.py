"""The training loop: it learns, resumes exactly, stops when asked, and shares its work among processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from MedInpaintLib.errors import Cancelled, InputError, ParameterError
from MedInpaintLib.models.bundle import load_into
from MedInpaintLib.networks import build
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.loop import BEST, HISTORY, LAST
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import run

ARCHITECTURES = ["vae", "dcgan", "unet"]
#: All losses, a discriminator beside the network, and both phases, the second with new optimizers.
EVERYTHING = """
[task]
fine_tune = 3
fresh = true
ssim = 0.1
multi_scale = 0.1
edge = 0.1
adversarial = 0.01
features = "a-tiny-vae"
"""


def history(folder):
    lines = [json.loads(line) for line in (folder / HISTORY).read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def stopping_after(updates):
    """A progress that cancels at the n-th step of training."""
    count = 0

    def cancelled():
        nonlocal count
        count += 1
        return count > updates

    return Progress(cancelled=cancelled)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_training_makes_a_bundle_that_can_be_loaded(architecture, recipe, data, tmp_path):
    out = tmp_path / "out"
    bundle = run(read_recipe(recipe(architecture)), data, out, accelerator="cpu")
    assert bundle.folder == out / "tiny"
    assert bundle.contrasts == ("T1",)
    assert bundle.training["data"] == [
        {"dataset": "Blobs", "licence": "CC0", "citation": "Nobody, 2020", "subjects": 2}
    ]
    network = load_into(build(bundle.architecture, bundle.arguments), bundle)
    if architecture == "unet":
        assert network(torch.zeros(3, 5, 16, 16), torch.ones(3, 4, 16, 16) > 0).shape == (3, 1, 16, 16)
        assert bundle.input["hint"] == "nearest"
    else:
        assert network.decode(torch.zeros(3, 4)).shape == (3, 1, 16, 16)
    assert (out / BEST).is_file()
    assert any((out / "tensorboard").iterdir())


def test_the_loss_falls(recipe, data, tmp_path):
    run(read_recipe(recipe("vae", steps=120, check_every=120)), data, tmp_path / "out", accelerator="cpu")
    losses = [line["loss/vae"] for line in history(tmp_path / "out") if "loss/vae" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.3
    errors = [line["part/rmse"] for line in history(tmp_path / "out") if "part/rmse" in line]
    assert np.mean(errors[-10:]) < 0.5 * np.mean(errors[:10])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_check_notes_similarity_and_error_beside_those_of_the_smooth_fill(architecture, recipe, data, tmp_path):
    run(read_recipe(recipe(architecture)), data, tmp_path / "out", accelerator="cpu")
    checks = [line for line in history(tmp_path / "out") if "psnr" in line]
    assert [line["step"] for line in checks] == [3, 6]
    for line in checks:
        assert -1 <= line["ssim"] <= 1
        assert 0 < line["rmse"] < 2
    # The smooth fill stays as it is, whatever the network has learned.
    before, after = ({name: line[f"start/{name}"] for name in ("ssim", "rmse")} for line in checks)
    assert before == after


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("stop", [2, 3, 4])
def test_a_training_that_was_stopped_and_resumed_takes_the_same_steps(architecture, stop, recipe, data, tmp_path):
    path = read_recipe(recipe(architecture, extra=EVERYTHING if architecture == "unet" else ""))
    where = {"accelerator": "cpu", "cache": tmp_path / "cache"}
    run(path, data, tmp_path / "whole", **where)
    # Three images are announced before the first step; holes are made already.
    with pytest.raises(Cancelled, match=r"Stopped after step \d; the same command goes on"):
        run(path, data, tmp_path / "parts", **where, progress=stopping_after(3 + stop))
    assert 0 < len([line for line in history(tmp_path / "parts") if "psnr" not in line]) < 6
    run(path, data, tmp_path / "parts", **where)
    assert history(tmp_path / "parts") == history(tmp_path / "whole")
    for name in ("average", "network", "helpers"):
        whole, parts = (torch.load(tmp_path / each / LAST, weights_only=True)[name] for each in ("whole", "parts"))
        assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_killed_training_goes_on_from_its_last_check(recipe, data, tmp_path):
    path, out = read_recipe(recipe(steps=6, check_every=2)), tmp_path / "out"
    run(path, data, tmp_path / "whole", accelerator="cpu")
    run(read_recipe(recipe(steps=4, check_every=2)), data, out, accelerator="cpu")
    # Steps after the last checkpoint that a killed run had written down are taken, and written, again.
    with (out / HISTORY).open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "loss/vae": 123}\n{"step": 6, "lo')
    run(path, data, out, accelerator="cpu")
    assert history(out) == history(tmp_path / "whole")


def test_a_finished_training_only_writes_its_bundle_again(recipe, data, tmp_path):
    path, out = read_recipe(recipe()), tmp_path / "out"
    first = run(path, data, out, accelerator="cpu")
    steps = history(out)
    again = run(path, data, out, accelerator="cpu")
    assert history(out) == steps
    assert again.weights_file == first.weights_file


def test_another_recipe_is_refused_in_the_same_folder(recipe, data, tmp_path):
    run(read_recipe(recipe("vae", steps=2)), data, tmp_path / "out", accelerator="cpu")
    other = recipe("vae", steps=2, extra="[task]\nrate = 0.5\n")
    with pytest.raises(ParameterError, match="another recipe"):
        run(read_recipe(other), data, tmp_path / "out", accelerator="cpu")


def test_a_training_that_diverges_says_so(recipe, data, tmp_path):
    path = recipe("vae", steps=200, check_every=200, extra="[task]\nrate = 1e30\n")
    with pytest.raises(ParameterError, match="diverged at step"):
        run(read_recipe(path), data, tmp_path / "out", accelerator="cpu")


def test_a_gpu_that_is_not_there_is_one_clear_line(recipe, data, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU, so the error cannot be seen on it")
    with pytest.raises(ParameterError, match="cannot run on this hardware"):
        run(read_recipe(recipe()), data, tmp_path / "out", accelerator="cuda")


def test_a_device_with_too_little_memory_is_one_clear_line(recipe, data, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation.")

    monkeypatch.setattr("MedInpaintLib.training.loop._step", refuse)
    with pytest.raises(ParameterError, match=r"small for a batch of 8 .*Tried to allocate 2.00 GiB\); lower") as said:
        run(read_recipe(recipe("vae")), data, tmp_path / "out", accelerator="cpu")
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("precision", ["bf16", "8"])
def test_mixed_precision_is_for_gpus(precision, recipe, data, tmp_path):
    with pytest.raises(ParameterError, match="recision"):
        run(read_recipe(recipe()), data, tmp_path / "out", accelerator="cpu", precision=precision)


@pytest.mark.slow
def test_two_processes_learn_the_same_as_one_with_their_batch(recipe, data, tmp_path):
    """Without batch statistics they would be equal; with them each process normalises its own half, so: close, the
    validation score counted once, and the weights the same in both."""
    path = recipe("vae", steps=4, check_every=4)
    command = [sys.executable, "-m", "MedInpaintLib.cli", "train", str(path), "--data", str(data)]
    command += ["--accelerator", "cpu", "--progress", "none"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for out, devices in (("one", "1"), ("two", "2")):
        done = subprocess.run(
            [*command, "--out", str(tmp_path / out), "--devices", devices],
            capture_output=True,
            text=True,
            env=environment,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("medinpaint models add") == 1
    one, two = ([line for line in history(tmp_path / out) if "psnr" not in line] for out in ("one", "two"))
    assert [line["step"] for line in two] == [1, 2, 3, 4]
    assert two[0]["loss/vae"] == pytest.approx(one[0]["loss/vae"], rel=0.3)


@pytest.mark.slow  # 30 s of CPU time, most of it six starts of torch
def test_two_processes_go_on_alike_when_statistics_are_frozen(recipe, data, tmp_path):
    """With frozen statistics every process must have the same ones, and a resumed training takes the same steps."""
    command = [sys.executable, "-m", "MedInpaintLib.cli", "train"]
    options = ["--data", str(data), "--accelerator", "cpu", "--progress", "none", "--devices", "2"]
    options += ["--cache", str(tmp_path / "cache")]
    extra = "[task]\nfine_tune = 2\nper = 'region'\nperceptual = 0.0\nstyle = 0.0\n"
    runs = {"whole": [4], "parts": [3, 4]}
    for out, stops in runs.items():
        for steps in stops:
            path = recipe("unet", steps=steps, check_every=1, extra=extra)
            done = subprocess.run(
                [*command, str(path), *options, "--out", str(tmp_path / out)],
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                timeout=300,
            )
            assert done.returncode == 0, done.stderr
    assert history(tmp_path / "parts") == history(tmp_path / "whole")


def test_plain_folders_are_split_by_subject(recipe, data, tmp_path):
    folder = tmp_path / "plain"
    for subject in range(5):
        (folder / f"p{subject}").mkdir(parents=True)
        (folder / f"p{subject}" / "t1.nii.gz").write_bytes((data / "s0.nii.gz").read_bytes())
    bundle = run(read_recipe(recipe(steps=2)), folder, tmp_path / "out", accelerator="cpu")
    assert [row["subjects"] for row in bundle.training["data"]] == [4]


def test_data_without_images_are_refused(recipe, data, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="hold no image to learn from"):
        run(read_recipe(recipe()), empty, tmp_path / "out", accelerator="cpu")
    with pytest.raises(InputError, match="no folder"):
        run(read_recipe(recipe()), tmp_path / "nowhere", tmp_path / "out", accelerator="cpu")
