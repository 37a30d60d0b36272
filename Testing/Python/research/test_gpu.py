"""The study of networks on a GPU, with the CPU in its place."""

from __future__ import annotations

import json
from pathlib import Path

from MedInpaintLib.models.store import find
from MedInpaintLib.samples import sample
from MedInpaintLib.training.loop import HISTORY
from Research.__main__ import main
from Research.gpu import measure, page
from Research.shared.facts import write_facts
from Research.shared.manifests import write_rows

ROOT = Path(__file__).parents[3]
SMALL = "chest-film-unet"


def test_a_device_differs_from_itself_by_nothing():
    row = dict(zip(page.COLUMNS, page.compare(find(SMALL), "cpu", "cpu"), strict=True))
    assert (row["model"], row["largest"], row["rms"], row["ran_on"]) == (SMALL, "0", "0", "cpu")
    assert float(row["seconds"]) > 0
    assert row["megabytes"] == ""


def test_differences_are_in_units_of_the_images_range():
    filled = measure.fill(find(SMALL), "cpu")
    assert 0 <= filled.values.min() < filled.values.max() <= 1  # an 8-bit film, of which R is 255


def test_a_training_takes_the_steps_that_it_is_asked_for(tmp_path):
    trained = measure.train("cpu", tmp_path, steps=1)
    assert trained.seconds > 0
    assert trained.megabytes is None
    history = (tmp_path / "cpu" / HISTORY).read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["step"] for line in history} == {1}


def test_every_released_model_has_a_sample():
    released = measure.released()
    assert {bundle.name for bundle in released} == {
        each.name for each in (ROOT / "Resources/Models").iterdir() if each.is_dir()
    }
    assert all(sample(measure.SAMPLES[bundle.modality]).truth_known for bundle in released)


def test_without_such_a_device_there_is_one_line_and_nothing_is_written(tmp_path, capsys):
    assert main(["gpu", "--device", "cuda:99", "--out", str(tmp_path / "gpu")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: The comparison needs the device 'cuda:99', which is not available here")
    assert message.count("\n") == 1
    assert not (tmp_path / "gpu").exists()


def test_a_training_without_steps_is_refused_before_anything_is_filled(tmp_path, capsys):
    assert main(["gpu", "--device", "cpu", "--steps", "0", "--out", str(tmp_path / "gpu")]) == 2
    assert capsys.readouterr().err == "Error: A training takes 1 step or more; found --steps 0.\n"
    assert not (tmp_path / "gpu").exists()


def test_the_page_says_that_it_was_not_run_until_it_was(tmp_path):
    assert "**Not run yet**" in page.text(tmp_path)
    rows = [["a-model", "4169", "1.2e-06", "3e-07", "0.51", "5.25", "312", "cuda"]]
    rows.append(["too-large", "10", "0", "0", "9.00", "8.00", "40", "cpu"])
    write_rows(tmp_path / page.FILLS, [page.COLUMNS, *rows])
    trained = {
        "cuda": {"seconds": 4.0, "psnr": 15.25, "megabytes": 250.4},
        "cpu": {"seconds": 50.0, "psnr": 15.21, "megabytes": None},
    }
    facts = {
        "device": "cuda",
        "against": "cpu",
        "gpu": "A GPU",
        "threads": 2,
        "torch": "2.9",
        "recipe": "r",
        "steps": 200,
    }
    write_facts(tmp_path, **facts, trained=trained)
    text = page.text(tmp_path)
    assert "Not run" not in text
    assert "| `a-model` | 4169 | 1.2e-06 | 3e-07 | 0.51 | 5.25 | 312 |" in text
    assert "| `too-large` (ran on cpu) |" in text
    assert "| cuda | 4.0 | 50.0 | 250 | 15.25 |" in text
    assert "| cpu | 50.0 | 4.0 |  | 15.21 |" in text


def test_the_committed_page_is_that_of_its_folder():
    folder = ROOT / "docs" / "gpu"
    assert (folder / page.PAGE).read_text(encoding="utf-8") == page.text(folder)
