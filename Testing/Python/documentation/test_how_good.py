"""What the pages say of results is in the tables of the studies."""

import json

import numpy as np
from scipy import stats

from Testing import documentation
from Testing.Python.documentation.scores import table

PAGE = "docs/explanation/how-good.md"
LESIONS = "docs/how-to/ms-lesions.md"


def by_person(rows: list[dict[str, str]], task: str, method: str, other: str) -> list[float]:
    """Return each person's mean gain in PSNR of one method over another in the same holes of a task."""
    scores: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows:
        if row["task"] == task:
            hole = (row["subject"], row["image"], row["seed"], row["hole"])
            scores.setdefault(hole, {})[row["method"]] = float(row["psnr"])
    gains: dict[str, list[float]] = {}
    for (person, *_), psnr in scores.items():
        gains.setdefault(person, []).append(psnr[method] - psnr[other])
    return [float(np.mean(each)) for each in gains.values()]


def interval(means: list[float]) -> tuple[float, float]:
    """Return the ends of the 95 % t-interval of a mean."""
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    return low, high


def says(sentence: str) -> bool:
    """Return whether the page says this, however its lines are broken."""
    return documentation.says(PAGE, sentence)


def tasks_of(rows: list[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(row["task"] for row in rows))


def test_the_table_of_scores_is_that_of_the_page():
    labels = {"shell-mean": "shell-mean (trivial)"}
    labels["scikit-image biharmonic, 2-D"] = "scikit-image biharmonic, slice by slice"
    columns = (
        ("mr-5mm", "psnr", 1),
        ("mr-5mm", "gradient_energy", 2),
        ("mr-20mm", "psnr", 1),
        ("mr-20mm", "gradient_energy", 2),
        ("mr-strips", "psnr", 1),
    )
    shown = ["shell-mean", "telea (OpenCV)", "scikit-image biharmonic, 2-D", "biharmonic", "patch", "mirror"]
    shown += ["patch-regression", "auto", "auto --self-check"]
    rows = table("fills/scores")
    cells: dict[str, list[str]] = {method: [] for method in shown}
    for task, metric, digits in columns:
        means = {
            method: np.mean([float(row[metric]) for row in rows if (row["task"], row["method"]) == (task, method)])
            for method in shown
        }
        texts = {method: f"{mean:.{digits}f}" for method, mean in means.items()}
        highest = texts[max(means, key=lambda method: means[method])]
        for method, text in texts.items():
            cells[method].append(f"**{text}**" if text == highest else text)
    seconds = json.loads((documentation.ROOT / "docs/fills/facts.json").read_text(encoding="utf-8"))["seconds"][
        "mr-5mm"
    ]
    for method in shown:
        time = f"{seconds[method]:.{2 if seconds[method] < 1 else 1}f}"
        assert f"| {labels.get(method, method)} | {' | '.join(cells[method])} | {time} |" in documentation.text(PAGE)
    mr = [row for row in rows if row["task"] == "mr-20mm"]
    assert len({row["image"] for row in mr}) == 8
    assert len({row["subject"] for row in mr}) == 3


def test_what_is_said_of_large_holes_is_in_the_table():
    rows = [row for row in table("fills/scores") if row["task"] == "mr-20mm"]
    psnr, texture = (
        {
            method: np.mean([float(row[metric]) for row in rows if row["method"] == method])
            for method in {row["method"] for row in rows}
        }
        for metric in ("psnr", "gradient_energy")
    )
    highest = max(psnr, key=lambda method: psnr[method])
    assert says(f"The fill of a 20 mm hole with the highest PSNR has {texture[highest]:.2f} of the true texture.")
    lateral = [row for row in rows if row["off_midline_mm"] and float(row["off_midline_mm"]) >= 20]
    every, aside = (np.mean(by_person(each, "mr-20mm", "mirror", "biharmonic")) for each in (rows, lateral))
    assert says(f"`mirror` leads `biharmonic` by {every:.1f} dB there, averaged over the three people, and by")
    assert says(f"and by {aside:.1f} dB in spheres that lie 20 mm or more from the midline: too few people to tell.")


def test_what_is_said_of_the_self_check_is_in_its_table():
    checks = table("fills/checks")
    correlations, means, unclear, few = [], [], set(), set()
    for task in tasks_of(checks):
        own = [row for row in checks if row["task"] == task]
        promised, achieved = (
            np.array([float(row[f"{what}_psnr"]) for row in own]) for what in ("promised", "achieved")
        )
        if len(own) >= 5:
            correlations.append(stats.pearsonr(promised, achieved).statistic)
        people = sorted({row["subject"] for row in own})
        off = [
            float(np.mean([gain for row, gain in zip(own, achieved - promised, strict=True) if row["subject"] == who]))
            for who in people
        ]
        means.append(np.mean(off))
        if len(people) < 5:
            few.add((task.partition("-")[0], len(people)))
        else:
            low, high = interval(off)
            assert low < 0 < high
            unclear.add((task.rpartition("-")[0], len(people)))
    assert says(f"correlate with r = {min(correlations):.2f} to {max(correlations):.2f} within one kind of hole;")
    assert says(f"mean outcomes are {-min(means):.1f} dB below to {max(means):.1f} dB above the promise.")
    assert unclear == {("ct-slices", 12), ("film", 12)}
    assert few == {("mr", 3), ("ct", 3)}


def test_what_is_said_of_networks_on_films_and_ct_is_in_their_table():
    rows = table("films-and-ct/scores")
    networks = ("unet", "pconv", "rfr")
    gains = {(task, name): by_person(rows, task, name, "biharmonic") for task in tasks_of(rows) for name in networks}
    for (task, _), each in gains.items():
        assert len(each) == {"film": 35, "ct": 12}[task.partition("-")[0]]
        assert interval(each)[0] > 0
    means = [np.mean(each) for each in gains.values()]
    assert min(means) > 0.4  # more than two trainings alike differ
    assert says(
        "`unet`, `pconv` and `rfr` are better than a thin plate on chest films (35 people) and CT slices (12 people), "
        f"by {min(means):.1f} to {max(means):.1f} dB"
    )


def test_what_is_said_of_networks_in_heads_is_in_their_table():
    rows = table("feed-forward/scores")
    means = []
    for task in tasks_of(rows):
        without = {
            method: by_person(rows, task, method, "biharmonic")
            for method in ("biharmonic", "patch-regression", "patch", "mirror")
        }
        best = max(without, key=lambda method: np.mean(without[method]))
        for network in ("unet", "pconv", "rfr"):
            each = by_person(rows, task, network, best)
            assert len(each) == 3
            means.append(np.mean(each))
    assert says(
        f"In heads `unet`, `pconv` and `rfr` are {-min(means):.1f} dB behind to {max(means):.1f} dB ahead of the best "
        "fill without training"
    )


def test_what_is_said_of_latent_searches_is_in_their_table():
    rows = table("latent/scores")
    means = []
    for task, people in (("mr-10mm", 11), ("mr-20mm", 11), ("mr-40mm", 6)):
        for label in ("VAE-3", "VAE-7", "GAN-3", "GAN-7"):
            each = by_person(rows, task, label, "biharmonic")
            assert len(each) == people
            assert interval(each)[1] < 0
            means.append(-np.mean(each))
    assert min(means) > 0.4  # more than two trainings alike differ
    assert says(
        "worse than the smooth fill in spheres of 10 and 20 mm (11 people) and of 40 mm (6 people), "
        f"by {min(means):.1f} to {max(means):.1f} dB"
    )


def downstream(name: str, kind: str, arm: str, column: str) -> list[float]:
    """Return each person's mean of an error that the study `downstream` measured, without its sign."""
    people: dict[str, list[float]] = {}
    for row in table(f"downstream/{name}"):
        if (row["kind"], row["arm"]) == (kind, arm):
            people.setdefault(row["subject"], []).append(abs(float(row[column])))
    assert len(people) == 6
    return [float(np.mean(each)) for each in people.values()]


def test_what_is_said_of_measuring_afterwards_is_in_its_tables():
    left_in, masked, unet = (
        np.array(downstream("registration", "stroke-50-120", arm, "near")) for arm in ("left in", "masked out", "unet")
    )
    stroke = (
        f"eside a stroke one was off by {left_in.mean():.1f} mm ({left_in.min():.1f} to {left_in.max():.1f} mm in six "
        f"people) with the lesion left in, {masked.mean():.1f} mm with a mask, {unet.mean():.1f} mm after a fill by "
        "`unet`"
    )
    for page in ("README.md", "docs/how-to/stroke-before-registration.md"):
        assert documentation.says(page, stroke)
    inside = {
        arm: np.mean(downstream("volumes", "ms-white", arm, "white"))
        for arm in ("left in", "masked out", "white-matter", "biharmonic")
    }
    assert documentation.says(
        LESIONS,
        f"15 ml of MS in white matter leave an error of {inside['left in']:.2f} % of its volume when left in, "
        f"{inside['masked out']:.2f} % masked out, {inside['white-matter']:.2f} % filled by `white-matter` and "
        f"{inside['biharmonic']:.2f} % by `biharmonic`",
    )
    reaching = {arm: np.mean(downstream("volumes", "ms", arm, "white")) for arm in ("white-matter", "biharmonic")}
    assert documentation.says(
        LESIONS, f"where lesions reach the cortex {reaching['white-matter']:.2f} % and {reaching['biharmonic']:.2f} %"
    )
