"""Tables of pages, from made-up scores: every reading, and what goes into files and comes back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from MedInpaintLib.errors import InputError
from MedInpaintLib.models.store import find
from Research import pages
from Research.films_and_ct import page as films_and_ct
from Research.shared import cards
from Research.shared.cases import Task
from Research.shared.conventions import finite
from Research.shared.manifests import read_rows
from Research.shared.pages import best_of, claim, claims_head
from Research.shared.scores import mean_seconds, read_cases, read_scores, write_scores
from Research.shared.tables import about, compare, score_table
from Research.without_training.self_check import choices_table, promises_table, write_checks

ROOT = Path(__file__).parents[3]
TASK = Task("task", "A task", "MR", False, "spheres:5mm:2")


def case(number, scores, *, subject=None, task="task", seed=0):
    """Return a case with the PSNR of each method in each hole; SSIM is a hundredth of it."""
    rows = [
        {"method": method, "hole": hole, "psnr": psnr, "ssim": psnr / 100, "gradient_energy": 0.5, "rmse": -psnr}
        for method, each in scores.items()
        for hole, psnr in enumerate(each, start=1)
    ]
    return {
        "task": task,
        "image": f"image {number}",
        "subject": subject or f"person {number}",
        "seed": seed,
        "range": 255.0,
        "seconds": dict.fromkeys(scores, 1.0),
        "scores": rows,
    }


def people(*gains):
    """Return a case a person, in which ``new`` has so much more PSNR than ``old``."""
    return [case(number, {"old": [20.0], "new": [20.0 + gain]}) for number, gain in enumerate(gains)]


SURE = np.array([1.0, 1.1, 0.9, 1.05, 0.95])
OUTCOMES = [
    (SURE, False, "is better", "yes"),
    (-SURE, False, "is worse", "no"),
    (SURE - 1, False, "cannot be told apart", "cannot be told apart"),
    (SURE[:4], False, "too few people to tell", "too few people to tell"),
    (SURE[:1], False, "too few people to tell", "too few people to tell"),
    (SURE / 10, False, "is better", "yes"),
    (SURE / 10, True, "cannot be told apart", "cannot be told apart"),
    (-SURE / 10, True, "cannot be told apart", "cannot be told apart"),
    (SURE, True, "is better", "yes"),
    (-SURE, True, "is worse", "no"),
]


@pytest.mark.parametrize(("gains", "trained", "reading", "answer"), OUTCOMES)
def test_table_claim_and_card_read_the_same_difference(gains, trained, reading, answer):
    cases = people(*gains)
    line = score_table(cases, "old", trained={"new"} if trained else ()).splitlines()[-1]
    cells = [cell.strip() for cell in line.split("|")]
    difference = compare(cases, "new", "old", trained=trained)
    assert cells[5:8] == [str(difference).replace(" dB", ""), str(len(gains)), reading]
    assert f"| {answer}: {difference}, {len(gains)} pe" in claim("New", TASK, cases, "new", "old", trained=trained)
    assert difference.mean == pytest.approx(np.mean(gains))
    if len(gains) > 1:
        interval = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
        assert (difference.low, difference.high) == pytest.approx(tuple(interval))


def test_the_base_of_a_table_has_no_difference():
    line = score_table(people(*SURE), "old").splitlines()[2]
    assert line == "| old | 20.00 ± 0.00 | 0.200 ± 0.000 | 0.50 |  |  |  | 1.00 |"


def test_holes_and_images_of_one_person_count_as_one():
    cases = [
        case(1, {"old": [20.0, 20.0], "new": [21.0, 23.0]}, subject="a"),
        case(2, {"old": [20.0, 20.0], "new": [22.0, 22.0]}, subject="a"),
        case(3, {"old": [20.0, 20.0], "new": [20.0, 20.0]}, subject="b"),
    ]
    difference = compare(cases, "new", "old")
    assert (difference.mean, difference.people) == (1.0, 2)
    assert compare(cases, "new", "old", only={(0, 2)}).mean == 3.0
    assert about(TASK, cases) == "`spheres:5mm:2`, seed 0, 3 images of 2 people, 6 holes."


def test_less_of_an_error_is_better():
    assert compare(people(*SURE), "new", "old", "rmse").mean == pytest.approx(1.0)


def test_holes_without_a_score_are_left_out():
    cases = people(1.0, 2.0)
    cases[1]["scores"][0]["gradient_energy"] = None
    assert compare(cases, "new", "old", "gradient_energy").people == 1
    assert "| 0.50 |" in score_table(cases, "old").splitlines()[2]
    with pytest.raises(InputError, match="nothing to compare"):
        compare(cases, "new", "another")


def test_the_best_fill_is_the_best_on_average_over_people():
    """Two images of one person do not count more than one of another."""
    cases = [case(n, {"x": [22.0], "y": [20.0]}, subject="a") for n in range(3)] + [case(4, {"x": [20.0], "y": [23.0]})]
    assert best_of(cases, ("x", "y")) == "y"


def test_a_claims_line_has_the_columns_of_its_head():
    head, below = claims_head("claim", "holds?")
    line = claim("New", TASK, people(*SURE), "new", "old", trained=False)
    assert head.count("|") == below.count("|") == line.count("|")


@pytest.mark.parametrize(
    ("metric", "value", "kept"),
    [
        ("psnr", math.inf, 60.0),
        ("image_psnr", 75.0, 60.0),
        ("psnr", 31.5, 31.5),
        ("report_psnr", -math.inf, None),
        ("psnr", math.nan, None),
        ("gradient_energy", math.inf, None),
        ("slice_jump", math.nan, None),
        ("slice_jump", None, None),
        ("ssim", 0.5, 0.5),
    ],
)
def test_only_finite_scores_are_kept(metric, value, kept):
    assert finite(metric, value) == kept


def test_by_the_reports_convention_holes_without_a_psnr_are_left_out():
    """Of black fills; the medians, and by how much figures over the whole image are higher, are of the other holes."""
    columns = ("report_ssim", "report_rmse", "psnr", "ssim", "image_ssim")
    rows = [
        {"method": method, "hole": hole, "report_psnr": report, "image_psnr": 30.0, **dict.fromkeys(columns, 0.5)}
        for method in ("shell-mean", *films_and_ct.WITHOUT, *films_and_ct.MODELS["film"])
        for hole, report in enumerate((None, 0.0, 20.0), start=1)
    ]
    text = films_and_ct._on_their_terms([{"image": "a", "subject": "a", "scores": rows}])
    assert "| shell-mean | 10.00 | 0.500 |" in text
    assert "a PSNR that is 20.0 dB higher than by the report's convention" in text


def test_cases_come_back_from_their_table(tmp_path):
    cases = people(1.0, 2.0)
    cases.append(case(0, {"old": [20.0], "new": [25.0]}, seed=1))
    cases[0]["scores"][0]["gradient_energy"] = None
    write_scores(cases, ("psnr", "ssim", "gradient_energy", "rmse"), tmp_path / "scores.csv.gz")
    plain = [{name: value for name, value in each.items() if name != "seconds"} for each in cases]
    assert read_scores(tmp_path / "scores.csv.gz") == plain
    assert mean_seconds(cases) == {"task": {"old": 1.0, "new": 1.0}}
    (tmp_path / "facts.json").write_text(json.dumps({"seconds": mean_seconds(cases)}))
    assert read_cases(tmp_path) == cases


def test_a_card_says_how_a_model_compares_by_person():
    models = {"new": ("unet", "a-model")}
    (card,) = cards.card_scores(people(*SURE), models, [TASK], ("psnr", "rmse"), base="old", split="test", protocol="p")
    own, base = card.scores
    assert (card.model, card.method) == ("a-model", "unet")
    assert own["psnr"] == {"mean": 21.0, "sd": pytest.approx(np.std(20 + SURE, ddof=1), abs=1e-4)}
    assert own["against old, by person"].startswith("better: +1.00 dB (")
    assert own["holes"].endswith("5 images of 5 people, 5 holes.")
    assert "against old, by person" not in base


def checked(number, promised, achieved, subject=None):
    """Return a case in which the self-check took ``patch``."""
    scores = {"biharmonic": [20.0], "patch": [achieved], "auto": [20.0], "auto --self-check": [achieved]}
    return {
        **case(number, scores, subject=subject),
        "took": {"auto": "biharmonic", "auto --self-check": "patch"},
        "expected": promised and {"patch": {"mean": promised}},
    }


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        (SURE, "more than promised: +1.00 dB"),
        (-SURE, "less than promised: -1.00 dB"),
        (SURE - 1, "cannot be told apart: "),
        (SURE[:4], "too few people to tell: "),
    ],
)
def test_a_promise_is_read_by_person_and_correlated_within_its_task(tmp_path, gains, words):
    promised = [18.0, 25.0, 19.0, 30.0, 22.0][: len(gains)]
    cases = [checked(n, p, p + gain) for n, (p, gain) in enumerate(zip(promised, gains, strict=True))]
    other = {**checked(9, 50.0, 10.0), "task": "another"}
    write_checks([*cases, other, {**checked(10, None, 22.0), "seed": 1}], tmp_path / "checks.csv.gz")
    line = promises_table(read_rows(tmp_path / "checks.csv.gz"), [TASK]).splitlines()[-1]
    r = f"{stats.pearsonr(promised, np.add(promised, gains)).statistic:.2f}" if len(gains) > 4 else ""
    assert line.startswith(f"| task | {len(gains)} | {r} | {words}")
    assert line.endswith(f"{len(gains)} people |")


def test_a_choice_is_compared_with_the_best_of_each_case_and_of_the_task():
    cases = [checked(n, 20.0, 20.0 + gain) for n, gain in enumerate((2.0, 2.2, 1.8, 2.1, -1.0))]
    line = choices_table(cases, [TASK]).splitlines()[-1]
    cells = [cell.strip() for cell in line.split("|")][1:-1]
    assert cells[:4] == ["task", "5", "5", f"{np.mean([22, 22.2, 21.8, 22.1, 20]):.2f}"]
    assert cells[4].startswith(f"{-np.mean([2, 2.2, 1.8, 2.1, 0]):+.2f} dB (")
    assert cells[5].startswith("-0.20 dB (")
    assert cells[6] == "`patch`"
    assert cells[7] == "cannot be told apart: +0.00 dB (+0.00 to +0.00), 5 people"


def test_the_cards_of_the_released_models_say_what_the_tables_say():
    for model, _, scores in pages.cards(ROOT / "docs"):
        own = find(model).scores
        assert [score for score in scores if score not in own] == []
        replaced = {score["protocol"] for score in scores}
        assert len([score for score in own if score["protocol"] in replaced]) == len(scores)
