"""The page of claims: every row compares what its studies test, links lead somewhere, verdicts follow from tables."""

from __future__ import annotations

import csv
import functools
import gzip
import importlib
import re
from pathlib import Path

import pytest

from MedInpaintLib.errors import InputError
from MedInpaintLib.evaluation.protocol import TRIVIAL
from Research import STUDIES
from Research.claims import text, trainings
from Research.claims.claim import Answer, Comparison, Number, read_sources
from Research.claims.measured import TEXTURE, Table, answer
from Research.downstream import arms as downstream
from Research.films_and_ct import measure as films_and_ct
from Research.shared.comparison import WITHOUT
from Research.shared.conventions import METRICS
from Research.shared.facts import write_facts
from Research.shared.statistics import Difference, Verdict

ROOT = Path(__file__).parents[3]
CLAIMS = [claim for source in read_sources() for claim in source.claims]
PEOPLE = "abcdef"
PAGES = {f"docs/{page}" for _, page in STUDIES.values()}
#: (table, task, method, metric) of all that the rows compare or show.
SCORES = {
    (each.table, task, method, each.metric)
    for claim in CLAIMS
    for each in claim.compare
    for task, method in (
        (each.task, each.first),
        (each.second_task or each.task, each.second),
        *((each.task, other) for other in each.minus),
    )
    if isinstance(method, str)
} | {(each.table, each.task, each.method, each.metric) for claim in CLAIMS for each in claim.numbers.values()}


def _table(path: Path, rows: list[dict[str, object]]) -> Table:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return Table(path)


@pytest.fixture
def table(tmp_path):
    """Return scores of six people, each with two holes of one kind and one of another kind."""
    rows = []
    for number, person in enumerate(PEOPLE):
        # Person n's holes have 10 n and 10 n + 2 dB; `good` has n / 10 more, `bad` 1 less, and so by kind `large`.
        for task, hole, level in (("small", 1, 0), ("small", 2, 2), ("large", 1, -3)):
            for method, more in (("plain", 0.0), ("good", 3 + number / 10), ("bad", -1.0)):
                psnr = 10 * number + level + more
                common = {"task": task, "image": f"{person}/1", "subject": person, "seed": 0, "method": method}
                rows.append({**common, "hole": hole, "psnr": psnr, "rmse": 100 - psnr, "ssim": ""})
    return _table(tmp_path / "scores.csv.gz", rows)


def _compare(first: str, second: str | float, **more: object) -> Comparison:
    return Comparison(**{"of": "", "table": "", "task": "small", "first": first, "second": second, **more})


def test_every_claim_has_one_row():
    assert sorted(claim.number for claim in CLAIMS) == list(range(1, 107))


@pytest.mark.parametrize("target", sorted({target for claim in CLAIMS for target in claim.links}))
def test_every_link_leads_to_a_heading_or_a_test_that_is_there(target):
    file, _, test = target.partition("::")
    file, _, heading = file.partition("#")
    if file in PAGES and not (ROOT / file).is_file():
        return  # the page of a study whose table is not there yet, which claims.md leaves out
    content = (ROOT / file).read_text(encoding="utf-8")
    assert not test or f"\ndef {test}(" in content
    headings = re.findall(r"^#+ (.+)", content, flags=re.M)
    assert not heading or heading in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


@functools.cache
def _methods(table: str, task: str) -> set[str]:
    """Return what a study scores on a task, by its definition; by its table where it has no other."""
    folder = Path(table).parent
    if folder.parent.name == "experiments":
        study = importlib.import_module(f"Research.{folder.name.replace('-', '_')}").STUDY
        tested = {study.task_name(each): study.tested(each) for each in study.conditions}
        return {TRIVIAL, *WITHOUT, *(arm.label for arm in tested[task])}
    if folder.name == "films-and-ct":
        modality = {each.name: each.modality for each in films_and_ct.TASKS}[task]
        return {TRIVIAL, *films_and_ct.WITHOUT, *films_and_ct.MODELS[modality]}
    if folder.name == "downstream":
        assert task in downstream.KINDS
        return {downstream.LEFT_IN, downstream.MASKED_OUT, *downstream.methods_for(task)}
    with gzip.open(ROOT / "docs" / table, "rt", encoding="utf-8", newline="") as file:
        return {row["method"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(("table", "task", "method", "metric"), sorted(SCORES))
def test_every_row_compares_what_its_study_tests(table, task, method, metric):
    assert method in _methods(table, task)
    if table.startswith(("experiments/", "films-and-ct/")):
        assert metric in (*METRICS, TEXTURE)


@pytest.mark.parametrize(("number", "label"), [(40, "U-Net, 64 px, wide"), (41, "PConv, 64 px, wide")])
def test_the_wide_networks_have_the_size_that_their_rows_say(number, label):
    torch = pytest.importorskip("torch")
    from MedInpaintLib.networks import build
    from MedInpaintLib.networks.partial import PartialConv2d
    from Research.image_size import STUDY

    recipe = STUDY.recipe(next(arm for arm in STUDY.arms if arm.label == label), STUDY.sizes["full"])
    with torch.device("meta"):
        network = build(recipe.architecture, recipe.arguments)
    found = next(claim.found for claim in CLAIMS if claim.number == number)
    assert f"{sum(each.numel() for each in network.parameters()) / 1e6:.2f} million weights" in found
    if number == 41:
        layers = [each.convolution for each in network.modules() if isinstance(each, PartialConv2d)]
        narrowest, *_, widest = sorted(each.out_channels for each in layers)
        assert f"{len(layers)} partial convolutions of {narrowest} to {widest} channels" in found


def test_the_page_is_that_of_its_tables():
    assert (ROOT / "docs" / "claims.md").read_text(encoding="utf-8") == text(ROOT / "docs")


def test_without_tables_nothing_is_said_to_be_measured(tmp_path):
    page = text(tmp_path)
    assert " people |" not in page
    assert "dB (" not in page
    rows = {int(row.split("|")[1]): row for row in page.splitlines() if re.match(r"\| \d+ \|", row)}
    for claim in CLAIMS:
        assert (Answer.NOT_MEASURED.value in rows[claim.number]) == (
            bool(claim.compare or claim.trainings or claim.numbers) or claim.answer is Answer.NOT_MEASURED
        )


def test_a_gain_is_paired_by_hole_and_averaged_by_person(table):
    difference = table.difference(_compare("good", "plain"))
    assert (difference.people, difference.mean) == (6, pytest.approx(3.25))
    assert difference.verdict is Verdict.BETTER
    assert table.difference(_compare("plain", "good")).verdict is Verdict.WORSE


def test_of_errors_less_is_better(table):
    difference = table.difference(_compare("good", "bad", metric="rmse", trained=False))
    assert difference.mean == pytest.approx(4.25)


def test_other_holes_are_paired_by_image(table):
    # The mean of a person's small holes is 1 above, that of the large hole 3 below the person's level.
    difference = table.difference(_compare("plain", "plain", second_task="large"))
    assert difference.mean == pytest.approx(4)


def test_what_others_gain_is_subtracted(table):
    difference = table.difference(_compare("good", "plain", minus=("plain", "bad")))
    assert difference.mean == pytest.approx(2.25)


def test_a_score_is_compared_with_a_number(table):
    assert table.difference(_compare("plain", 20.0)).mean == pytest.approx(6)


def test_texture_is_the_distance_from_the_truths(tmp_path):
    rows = [
        {"task": "small", "image": f"{person}/1", "subject": person, "seed": 0, "hole": 1, "method": method}
        | {"gradient_energy": energy}
        for person in PEOPLE
        for method, energy in (("smooth", 0.5), ("rough", 1.75), ("like", 1.1), ("flat", ""))
    ]
    table = _table(tmp_path / "scores.csv.gz", rows)
    assert table.difference(_compare("like", "smooth", metric="texture")).mean == pytest.approx(0.4)
    assert table.difference(_compare("rough", "smooth", metric="texture")).mean == pytest.approx(-0.25)
    assert table.difference(_compare("flat", "smooth", metric="texture")) is None


def test_numbers_are_means_over_people_or_medians_over_holes(table):
    assert table.number(Number("", "small", "plain")) == pytest.approx(26)
    assert table.number(Number("", "large", "plain", how="median")) == pytest.approx(22)


def test_what_a_table_lacks_is_none(table, tmp_path):
    assert table.difference(_compare("good", "new")) is None
    assert table.difference(_compare("good", "plain", metric="ssim")) is None
    assert table.number(Number("", "huge", "plain")) is None
    assert Table(tmp_path / "none.csv.gz").difference(_compare("good", "plain")) is None


def test_sessions_of_contrasts_are_of_people(tmp_path):
    rows = [
        {"session": session, "subject": session.split()[0], "wanted": "FLAIR", "there": "T1+T2", "method": method}
        | {"slice": number, "nmse": nmse}
        for session in ("p1 ses1", "p1 ses2", "p2")
        for number in (8, 9)
        for method, nmse in (("a", 0.1), ("b", 0.3))
    ]
    comparison = _compare("a", "b", task="FLAIR from T1+T2", metric="nmse")
    difference = _table(tmp_path / "scores.csv.gz", rows).difference(comparison)
    assert (difference.people, difference.mean) == (2, pytest.approx(0.2))


def test_a_fill_that_is_told_less_often_is_better(tmp_path):
    rows = [
        {"task": "mr", "image": f"{person}/1", "person": person, "hole": 1, "view": view, "method": method}
        | {"training": training, "told": told}
        for person in PEOPLE
        for view in ("axial", "coronal")
        for training in (0, 1)
        for method, told in (("a", 0), ("b", training))
    ]
    difference = _table(tmp_path / "told.csv.gz", rows).difference(_compare("a", "b", task="mr", metric="told"))
    assert (difference.people, difference.mean) == (6, pytest.approx(0.5))


def test_an_error_of_a_volume_has_no_sign_and_is_averaged_over_segmentations(tmp_path):
    rows = [
        {"image": f"{person}/1", "subject": person, "kind": "ms", "arm": arm, "segmenter": segmenter, "grey": error}
        for person in PEOPLE
        for arm, errors in (("filled", (-0.5, 0.1)), ("left in", (2.0, -1.0)))
        for segmenter, error in zip(("k-means", "HMRF"), errors, strict=True)
    ]
    comparison = _compare("filled", "left in", task="ms", metric="grey", trained=False)
    difference = _table(tmp_path / "volumes.csv.gz", rows).difference(comparison)
    assert (difference.people, difference.mean) == (6, pytest.approx((2 + 1) / 2 - (0.5 + 0.1) / 2))


def test_of_distances_of_a_registration_less_is_better(tmp_path):
    rows = [
        {"image": f"{person}/1", "subject": person, "kind": "stroke", "arm": arm, "near": distance}
        for person in PEOPLE
        for arm, distance in (("filled", 0.4), ("left in", 1.9))
    ]
    comparison = _compare("filled", "left in", task="stroke", metric="near", trained=False)
    assert _table(tmp_path / "registration.csv.gz", rows).difference(comparison).mean == pytest.approx(1.5)


def test_a_link_to_a_page_that_is_not_there_is_left_out(tmp_path):
    assert "(forced-choice/README.md)" not in text(tmp_path / "docs")
    (tmp_path / "docs" / "forced-choice").mkdir(parents=True)
    (tmp_path / "docs" / "forced-choice" / "README.md").touch()
    assert "(forced-choice/README.md)" in text(tmp_path / "docs")


def test_costs_of_trainings_are_epochs_times_seconds(tmp_path):
    study = pytest.importorskip("Research.latent_training.page")
    columns = ("network", "step", "seconds", "psnr", "plain_psnr", "distance", "clusters")
    rows = []
    for network, seconds, gain in (("VAE-3", 1, 2), ("VAE-7", 1, 2), ("GAN-3", 2, 1), ("GAN-7", 2, 1)):
        for step in (100, 200, 300, 400):
            good = 10 + gain * step / 100
            values = (network, step, seconds, good, good, 1 / good, min(0.2 * gain * step / 100, 1.0))
            rows.append(dict(zip(columns, values, strict=True)))
    folder = tmp_path / trainings.FOLDER
    folder.mkdir()
    _table(folder / study.CHECKS, rows)
    released = {"VAE-3": {"clusters": 0.4}, "GAN-3": {"clusters": 0.3}}
    write_facts(folder, batch=10, epoch=1000, real_clusters=0.8, steps=400, released=released)
    # Half the steps to the GAN's best, of half the time.
    found, verdict = trainings.cost(tmp_path)
    assert "In 400 steps (4.0 epochs)" in found
    assert (found.count("0.50 x 0.50 = 0.25"), verdict) == (6, Answer.ONE_TRAINING)
    found, verdict = trainings.clusters(tmp_path)
    assert "VAE-3 1.0, VAE-7 1.0, GAN-3 2.0, GAN-7 2.0" in found
    assert found.endswith("these have them: VAE-3")
    assert verdict is Answer.ONE_TRAINING


_BETTER, _WORSE, _UNCLEAR = (Difference(1, 0.5, 1.5, 9), Difference(-1, -1.5, -0.5, 9), Difference(0, -1, 1, 9))
_FEW = Difference(1, 0.5, 1.5, 3)


@pytest.mark.parametrize(
    ("differences", "expect", "verdict"),
    [
        ([_BETTER, _BETTER], "better", Answer.HOLDS),
        ([_BETTER, _UNCLEAR], "better", Answer.IN_PART),
        ([_BETTER, _WORSE], "better", Answer.IN_PART),
        ([_WORSE, _UNCLEAR], "better", Answer.NOT),
        ([_WORSE], "worse", Answer.HOLDS),
        ([_BETTER], "worse", Answer.NOT),
        ([_UNCLEAR], "same", Answer.UNCLEAR),
        ([_UNCLEAR, _BETTER], "same", Answer.NOT),
        ([_UNCLEAR, _FEW], "better", Answer.UNCLEAR),
        ([_BETTER, _FEW], "better", Answer.IN_PART),
        ([_FEW, _FEW], "same", Answer.TOO_FEW),
        ([_WORSE, _UNCLEAR], "not better", Answer.HOLDS),
        ([_WORSE, _FEW], "not better", Answer.IN_PART),
        ([_BETTER, _UNCLEAR], "not better", Answer.NOT),
        ([_UNCLEAR, _UNCLEAR], "not better", Answer.UNCLEAR),
    ],
)
def test_every_verdict(differences, expect, verdict):
    assert answer([(difference, expect) for difference in differences]) is verdict


def test_what_is_claimed_may_differ_between_differences():
    assert answer([(_BETTER, "better"), (_WORSE, "worse")]) is Answer.HOLDS
    assert answer([(_BETTER, "better"), (_BETTER, "worse")]) is Answer.IN_PART
    assert answer([(_WORSE, "better"), (_BETTER, "worse")]) is Answer.NOT
    assert answer([(_BETTER, "better"), (_UNCLEAR, "not better")]) is Answer.HOLDS
    assert answer([(_UNCLEAR, "better"), (_UNCLEAR, "not better")]) is Answer.UNCLEAR
    assert answer([(_UNCLEAR, "better"), (_WORSE, "not better")]) is Answer.IN_PART


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('claim = "It helps"', "neither an answer nor comparisons"),
        ('claim = "It helps"\nanswer = "perhaps"', "'perhaps' is not a valid Answer"),
        ('claim = "It helps"\nanswer = "holds"\nseen = "yes"', "seen"),
        ('claim = "It helps"\ncompare = [{ of = "a" }]', "table"),
    ],
)
def test_a_row_that_says_too_little_or_something_unknown_is_refused(tmp_path, row, message):
    path = tmp_path / "claims.toml"
    path.write_text(f'[[source]]\ntitle = "A"\nabout = "B"\n[[source.claim]]\nnumber = 7\n{row}\n')
    with pytest.raises(InputError, match=message) as caught:
        read_sources(path)
    assert "claim 7" in str(caught.value)
