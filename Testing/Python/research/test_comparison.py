"""Tables of studies of trained networks and their verdicts: every study, every outcome, from made-up tables."""

import csv
import gzip
import importlib
import math
from pathlib import Path

import numpy as np
import pytest

from MedInpaintLib.errors import InputError
from Research import STUDIES
from Research.shared.comparison import Comparison, difference, in_words, levels, mean, of_condition
from Research.shared.conventions import METRICS
from Research.shared.facts import write_facts
from Research.shared.manifests import write_rows
from Research.shared.statistics import CHANCE_OF_TRAINING, Verdict
from Research.shared.study_page import text

ROOT = Path(__file__).parents[3]
MODULES = {name: importlib.import_module(f"Research.{name.replace('-', '_')}") for name in STUDIES}
TRAINED = {name: module.STUDY for name, module in MODULES.items() if hasattr(module, "STUDY")}
PLATE = 30.0


def case(scores, image="a", subject="a", condition="squares"):
    rows = [{"method": method, "hole": "mean", "psnr": psnr} for method, psnr in scores.items()]
    return {"title": condition, "image": image, "subject": subject, "scores": rows}


def test_differences_are_paired_by_image_and_averaged_by_person():
    cases = [
        case({"x": 10.0, "y": 9.0}, image="a1"),
        case({"y": 30.0, "x": 30.0}, image="b", subject="b"),
        case({"x": 20.0, "y": 17.0}, image="a2"),
        case({"x": 99.0, "y": 0.0}, condition="strips"),
    ]
    gain = difference(cases, Comparison("squares", "x", "y"))
    assert (gain.mean, gain.people) == ((2.0 + 0.0) / 2, 2)
    assert mean(of_condition(cases, "squares"), "y") == pytest.approx(56 / 3)
    for nothing in (Comparison("squares", "x", "z"), Comparison("balls", "x", "y")):
        with pytest.raises(InputError, match="nothing to compare"):
            difference(cases, nothing)


def test_a_trained_network_counts_as_one_on_either_side():
    cases = [case(dict.fromkeys(("harmonic", "biharmonic", "shell-mean", "seed 0"), 1.0))]
    for first, second, trained in (
        ("harmonic", "biharmonic", False),
        ("shell-mean", "biharmonic", False),
        ("seed 0", "harmonic", True),
        ("harmonic", "seed 0", True),
    ):
        assert difference(cases, Comparison("squares", first, second)).trained is trained


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        ((1.0, 1.1, 0.9, 1.0, 1.2), "`x` is better than the thin plate"),
        ((-1.0, -1.1, -0.9, -1.0, -1.2), "`x` is worse than the thin plate"),
        ((1.0, -1.1, 0.9, -1.0, 1.2), "`x` and the thin plate cannot be told apart"),
        ((0.3, 0.31, 0.29, 0.3, 0.3), "`x` and the thin plate cannot be told apart"),
        ((1.0, 1.1, 0.9, 1.0), "Too few people to tell `x` from the thin plate"),
    ],
)
def test_every_outcome_has_its_sentence(gains, words):
    cases = [case({"biharmonic": PLATE, "x": PLATE + gain}, str(n), str(n)) for n, gain in enumerate(gains)]
    comparison = Comparison("squares", "x")
    assert in_words(comparison, difference(cases, comparison)) == words


def test_levels_are_means_over_images():
    cases = [case({"x": 10.0}, "a"), case({"x": 11.0}, "b"), case({"y": 20.0}, condition="strips")]
    expected = "PSNR of the network that learned such holes: squares 10.50 dB, strips 20.00 dB."
    assert levels(cases, {"squares": "x", "strips": "y"}) == expected


def made_up(study, folder, psnr, people):
    """Write a table of an even number of people with these mean scores, and the facts that a page needs."""
    table = [["task", "image", "subject", "seed", "R", "method", "hole", *METRICS]]
    for condition in study.conditions:
        for person in range(people):
            for number, (method, level) in enumerate(psnr.items()):
                noise = 0.01 * (number + 1) * (-1) ** person  # none on average
                known = {"psnr": f"{level + noise:.5g}", "ssim": "0.9", "gradient_energy": "0.8"}
                scores = [known.get(metric, "") for metric in METRICS]
                who = f"person{person}"
                table.append([study.task_name(condition), who, who, 0, 255, method, "mean", *scores])
    write_rows(folder / "scores.csv.gz", table)
    labels = [condition.label for condition in study.conditions]
    write_facts(
        folder,
        command=f"python -m Research {study.name}",
        split="test",
        steps=8,
        batch=4,
        cases=2,
        trained_on="a machine",
        holes=dict.fromkeys(labels, people),
        pictures={label: {"image": "person0", "arm": study.arms[0].label} for label in labels},
        networks=[],
    )


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    ("step", "people", "verdict"),
    [
        (1.0, 6, Verdict.BETTER),
        (-1.0, 6, Verdict.WORSE),
        (0.03, 6, Verdict.UNCLEAR),  # eleven steps are less than the chance of a training
        (1.0, 4, Verdict.TOO_FEW),
    ],
)
def test_every_study_states_every_outcome(name, step, people, verdict, tmp_path):
    """Each arm is better than the one before by one step, the first better than the thin plate."""
    study = TRAINED[name]
    psnr = {"biharmonic": PLATE, **{arm.label: PLATE + step * n for n, arm in enumerate(study.arms, start=1)}}
    made_up(study, tmp_path, {"shell-mean": 20.0, "harmonic": 28.0, **psnr}, people)
    page = text(study, tmp_path)
    lines = [line for line in page.partition("## Scores")[0].splitlines() if " dB (" in line]
    assert len(lines) == len(study.comparisons) > 0
    for line, comparison in zip(lines, study.comparisons, strict=True):
        first, second = (
            "the thin plate" if each == "biharmonic" else f"`{each}`" for each in (comparison.first, comparison.second)
        )
        gain = psnr[comparison.first] - psnr[comparison.second]
        words = {
            Verdict.UNCLEAR: f"{first} and {second} cannot be told apart",
            Verdict.TOO_FEW: f"Too few people to tell {first} from {second}",
        }.get(verdict, f"{first} is {'better' if gain > 0 else 'worse'} than {second}")
        condition, sentence, interval, *alike, number = line.strip("| ").split(" | ")
        assert alike == ["+0.000 (+0.000 to +0.000)"] * 2
        assert (condition, sentence, number) == (comparison.condition, words, str(people))
        assert interval.startswith(f"{gain:+.2f} dB (")
        if second == "the thin plate":  # the page's other table shows the same difference
            assert f"| {comparison.first} | " in page
            assert f" | {interval.replace(' dB', '')} | 0.900 | 0.80 |" in page
    if name == "seeds":
        assert f"Two of the three trainings differ by up to {abs(step) * 2:.2f} dB" in page
        assert ("is more than the 0.4 dB" in page) is (abs(step) > 0.2)
    elif study.remark is not None:
        assert f"such holes: {study.conditions[0].label} {psnr[study.comparisons[0].first]:.2f} dB, " in page


def test_the_chance_of_a_training_is_the_largest_difference_between_seeds():
    """Each film is of another person, so the mean over people is the mean over films that all three have a score of."""
    with gzip.open(ROOT / "docs" / "experiments" / "seeds" / "scores.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["subject"] for row in rows}) == len({row["image"] for row in rows})
    for row in rows:
        row["texture"] = abs(float(row["gradient_energy"] or "nan") - 1)
    for metric, digits in (("psnr", 1), ("ssim", 3), ("texture", 2)):
        largest = 0.0
        for task in {row["task"] for row in rows}:
            scores = np.array(
                [
                    [float(row[metric]) for row in rows if (row["task"], row["method"]) == (task, f"seed {seed}")]
                    for seed in range(3)
                ]
            )
            means = scores[:, np.isfinite(scores).all(axis=0)].mean(axis=1)
            largest = max(largest, max(means) - min(means))
        assert CHANCE_OF_TRAINING[metric] == math.ceil(largest * 10**digits) / 10**digits
