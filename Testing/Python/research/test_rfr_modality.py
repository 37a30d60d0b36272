"""X-ray against CT: the page from made-up tables of two studies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from Research import rfr_modality
from Research.shared.conventions import METRICS
from Research.shared.curves import Point, write_curves
from Research.shared.facts import FACTS
from Research.shared.scores import SCORES, write_scores

#: Label -> range R, and each person's scores of the thin plate and of the network.
SCORED = {
    "films": (255.0, {f"f{number}": (0.6, 0.7 + 0.01 * number, 30.0, 31.0) for number in range(6)}),
    "CT slices": (400.0, {f"c{number}": (0.5, 0.5 + 0.02 * number, 10.0, 12.0 + 0.1 * number) for number in range(7)}),
}


def cases(kind, images):
    """Return the cases of a kind: a person has as many images, whose scores lie around the person's."""
    width, people = SCORED[kind.label]
    task = kind.study.task_name(next(c for c in kind.study.conditions if c.label == kind.condition))
    made = []
    for person, (plate_ssim, ssim, plate_psnr, psnr) in people.items():
        for number, shift in enumerate(np.linspace(-0.01, 0.01, images)):
            rows = [
                {**dict.fromkeys(METRICS, 1.0), "method": method, "hole": "mean", "ssim": s + shift, "psnr": p}
                for method, s, p in (("biharmonic", plate_ssim, plate_psnr), (kind.arm, ssim, psnr))
            ]
            rows[1]["rmse"] = (51.0 if kind.label == "films" else 40.0) + ssim
            case = {"task": task, "image": f"{person}-{number}", "subject": person, "seed": 0, "range": width}
            made.append({**case, "scores": rows})
    return made


@pytest.fixture
def folder(tmp_path):
    """The folder of the page, beside those of both studies."""
    for images, kind in ((2, rfr_modality.FILMS), (3, rfr_modality.SLICES)):
        out = tmp_path / kind.study.name
        out.mkdir()
        write_scores(cases(kind, images), METRICS, out / SCORES)
        network = {"network": kind.arm, "architecture": "rfr", "learned_from": "squares", "people": 30}
        facts = {
            "networks": [{**network, "megabytes": 1.5, "step_size": 0.004, "minutes": 12}],
            "pictures": {kind.condition: {"image": "a/b", "arm": kind.arm}},
            **{"steps": 800, "batch": 16, "cases": 800, "split": "test"},
        }
        (out / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        point = Point(100, 25.0, 1.5, 0.6, 0.05, 0.5, 0.0625)
        write_curves(out / "curves.csv.gz", {"another": [point], kind.arm: [point]})
    return tmp_path / rfr_modality.NAME


def welch(first, second):
    """Return the difference of two means and its interval by scipy, three digits."""
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    return tuple(round(float(each), 3) for each in (np.mean(first) - np.mean(second), interval.low, interval.high))


def test_the_page_says_what_scipy_says(folder, capsys):
    rfr_modality.main(["--out", str(folder.parent)])
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page == rfr_modality.text(folder)
    assert capsys.readouterr().out == f"{folder / 'README.md'}\n"
    films, slices = (np.array([*people.values()]) for _, people in SCORED.values())
    for title, first, second in (
        ("SSIM", films[:, 1], slices[:, 1]),
        ("gain in SSIM over the thin plate", films[:, 1] - films[:, 0], slices[:, 1] - slices[:, 0]),
        ("RMSE / range", -(51 + films[:, 1]) / 255, -(40 + slices[:, 1]) / 400),
    ):
        mean, low, high = welch(first, second)
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {title} |"))
        assert line.endswith(f"| {mean:+.3f} ({low:+.3f} to {high:+.3f}) |")
    assert "| SSIM | films are filled better |" in page
    assert "| gain in PSNR over the thin plate | the network gains more on CT slices | -1.30 dB (" in page
    assert "| RMSE / range | cannot be told apart |" in page  # the chance of a training is not known
    assert "255 grey levels for films, 400 HU for CT slices" in page
    assert "| films | RFR | 0.725 | 31.00 | 51.7 grey levels | 6 |" in page
    assert (folder / "curves.webp").stat().st_size > 5000


def test_networks_and_pictures_are_those_of_the_studies(folder):
    page = rfr_modality.text(folder)
    assert "| films | rfr | squares | 30 | 1.5 MB | 0.004 | 12 |" in page
    assert "](../rfr-hole-size/fills-3.webp)" in page
    assert "](../rfr-holes-ct/fills-1.webp)" in page


def test_both_networks_are_trained_alike_on_squares_of_32_pixels():
    films, slices = (
        each.study.recipe(next(arm for arm in each.study.arms if arm.label == each.arm), each.study.sizes["full"])
        for each in rfr_modality.KINDS
    )
    assert films.data.holes == ("squares:1/8",)
    assert films.data.across / 8 == 32
    assert slices.data.holes == ("squares:32px",)
    assert (films.architecture, films.arguments) == (slices.architecture, slices.arguments)
    assert (films.schedule.steps, films.schedule.batch) == (slices.schedule.steps, slices.schedule.batch)
