"""The study of missing contrasts: lesions counted by hand, and a whole page from three tiny heads."""

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.imputation.core import fit_core_scaling
from MedInpaintLib.models.bundle import read_bundle, write_bundle
from MedInpaintLib.models.store import find
from MedInpaintLib.training.recipe import FOLDER, read_recipe
from MedInpaintLib.volume import Volume
from Research.__main__ import run
from Research.contrasts import arms, card, command, measure, segmenter, sessions, text
from Research.contrasts.arms import ARMS, FROM_ONE, MAIN, Arm, Size, recipe_of
from Research.contrasts.lesions_kept import lesions_by_rule, lesions_kept
from Research.contrasts.page import finding
from Research.contrasts.table import Table, read_table
from Research.shared import statistics
from Research.shared.cards import write_cards
from Research.shared.cases import in_parallel
from Research.shared.manifests import read_rows

ROOT = Path(__file__).parents[3]

# lesions

#: ml of a voxel: 6 mm³.
MM, ML = (3.0, 1.0, 2.0), 0.006


def brain():
    """A block of tissue at 100, and where it is."""
    image = np.zeros((24, 60, 40))
    image[2:22, 5:55, 4:36] = 100
    return image, image > 0


def box(k, j, i, size):
    return tuple(slice(first, first + length) for first, length in zip((k, j, i), size, strict=True))


KEPT, MISSED, INVENTED = box(8, 15, 12, (4, 6, 4)), box(14, 40, 24, (3, 5, 2)), box(8, 40, 12, (2, 10, 5))


def test_lesions_are_kept_missed_and_invented():
    truth, inside = brain()
    made = truth.copy()
    truth[KEPT] = truth[MISSED] = 200
    made[KEPT] = 180
    made[KEPT][0] = 110  # one of its four slices is too faint
    made[INVENTED] = 150
    found = lesions_kept(made, truth, inside, MM)
    assert found.true_ml == pytest.approx((96 + 30) * ML)
    assert found.kept_ml == pytest.approx(72 * ML)
    assert found.missed_ml == pytest.approx((24 + 30) * ML)
    assert found.found_ml == pytest.approx((72 + 100) * ML)
    assert found.invented_ml == pytest.approx(100 * ML)
    assert found.true_contrast == pytest.approx(1.0)
    assert found.contrast == pytest.approx((72 * 0.8 + 24 * 0.1 + 30 * 0.0) / 126)


def test_a_perfect_estimate_keeps_all():
    truth, inside = brain()
    truth[KEPT] = 160
    found = lesions_kept(truth.copy(), truth, inside, MM)
    assert (found.missed_ml, found.invented_ml) == (0, 0)
    assert found.contrast == found.true_contrast == pytest.approx(0.6)


def test_lesions_are_compared_with_the_tissue_three_to_eight_mm_beside_them():
    """A lesion across all of the brain, so that only rows lie beside it: 1 mm each."""
    truth, inside = brain()
    for rows, level in (((19, 41), 80), ((25, 35), 120), ((27, 33), 200)):
        truth[:, slice(*rows)] = level
    truth *= inside
    assert lesions_kept(truth, truth, inside, MM).true_contrast == pytest.approx(200 / 80 - 1)


@pytest.mark.parametrize(
    ("place", "level"),
    [
        (box(10, 20, 20, (2, 2, 2)), 300),  # 8 voxels, 0.048 ml
        (box(10, 20, 4, (4, 6, 2)), 300),  # within 4 mm of the rim
        (KEPT, 135),  # not brighter than 1.35 times the median
    ],
    ids=["small", "rim", "faint"],
)
def test_what_is_small_at_the_rim_or_faint_is_no_lesion(place, level):
    truth, inside = brain()
    bright = truth.copy()
    bright[place] = level
    found = lesions_kept(bright, truth, inside, MM)
    assert (found.true_ml, found.found_ml, found.kept_ml) == (0, 0, 0)
    assert np.isnan(found.true_contrast)
    nine = truth.copy()
    nine[box(10, 20, 20, (1, 3, 3))] = 300
    assert lesions_kept(truth, nine, inside, MM).true_ml == pytest.approx(9 * ML)


def test_bright_tissue_is_found_by_the_rule_that_counts_it():
    truth, inside = brain()
    truth[KEPT] = 160
    truth[MISSED] = 130
    expected = np.zeros(truth.shape, dtype=bool)
    expected[KEPT] = True
    assert np.array_equal(lesions_by_rule(truth, inside, MM), expected)


# whole slices


def test_scores_of_whole_slices_are_those_of_scikit_image_of_images_divided_by_their_maxima():
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    truth = np.pad(rng.uniform(0.1, 0.8, (30, 34)), 9)
    made = truth + np.pad(rng.normal(0, 0.05, (30, 34)), 9)
    psnr, ssim = measure.whole_slice(made, truth)
    one, other = truth / truth.max(), made / made.max()
    assert psnr == pytest.approx(metrics.peak_signal_noise_ratio(one, other, data_range=1.0))
    _, similar = metrics.structural_similarity(
        one, other, data_range=1.0, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    assert ssim == pytest.approx(similar.mean())
    assert measure.whole_slice(3 * made, truth) == pytest.approx((psnr, ssim))
    assert measure.whole_slice(2 * truth, truth) == (60.0, pytest.approx(1.0))


def test_an_empty_estimate_of_a_slice_has_a_score():
    truth = np.zeros((20, 20))
    truth[5:15, 5:15] = 0.5
    psnr, ssim = measure.whole_slice(np.zeros((20, 20)), truth)
    assert psnr == pytest.approx(-10 * np.log10(1 / 4))
    assert 0 < ssim < 1


# the study

SIZE = Size(steps=2, crops=2, every=1, segmenter=2)
RELEASED = "a-tiny-collagan"


def head(seed):
    """T1, T2 and FLAIR of one head, with a lesion in the last one."""
    k, j, i = np.ogrid[-1:1:5j, -1:1:44j, -1:1:40j]
    inside = k**2 + j**2 + i**2 < 0.9
    tissue = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(5, 44, 40)), (0.4, 2, 2))
    tissue /= tissue.std()
    flair = 500 + 90 * np.cos(tissue)
    flair[1:4, 20:26, 18 + seed : 23 + seed] = 1200
    made = {"t1": 600 + 100 * tissue, "t2": 250 + 150 * np.exp(-tissue / 1.5), "flair": flair}
    return {name: Volume(np.where(inside, each, 0).astype(np.int16), (4.0, 1.0, 1.0)) for name, each in made.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four sessions of three people: one to learn from, one for validation, one at two times to test on."""
    folder = tmp_path_factory.mktemp("data")
    rows = [["path", "modality", "contrast", "subject_id", "split"]]
    people = [("a", "ses1", "train"), ("b", "ses1", "val"), ("c", "ses1", "test"), ("c", "ses2", "test")]
    for seed, (subject, session, split) in enumerate(people):
        (folder / subject).mkdir(exist_ok=True)
        for contrast, volume in head(seed).items():
            path = f"{subject}/{session}_{contrast}.nii.gz"
            volume.write(folder / path)
            rows.append([path, "MR", contrast.upper(), subject, split])
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """The released model's, of a tiny network."""
    text = (FOLDER / f"{arms.RECIPE}.toml").read_text(encoding="utf-8")
    for name, value in {"pixels": 32, "width": 4, "levels": 2, "batch": 2}.items():
        text, count = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {value}", text)
        assert count == 1, name
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shrink(patch, recipe):
    """The study with that recipe, in one process."""
    for module in (arms, sessions):
        patch.setattr(module, "RECIPE", str(recipe))
    for module in (measure, segmenter):
        patch.setattr(module, "LEAST_PIXELS", 300)
    for module in (arms, measure):
        patch.setattr(module, "in_parallel", lambda work, jobs, *, workers: (work(*job) for job in jobs))
    patch.setattr(command, "SIZES", {"small": SIZE})


@pytest.fixture
def small(monkeypatch, recipe):
    shrink(monkeypatch, recipe)


def options(folder, data, *more):
    out = folder / "docs" / "contrasts"
    given = ["--data", data, "--out", out, "--runs", folder / "runs", "--released", folder / RELEASED, *more]
    return [str(each) for each in given]


@pytest.fixture(scope="module")
def done(data, recipe, tmp_path_factory):
    """The folder that the command has written to, with its trainings."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("done")
    shutil.copytree(find(RELEASED).folder, folder / RELEASED)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, recipe)
        run("contrasts", options(folder, data, "--cards"))
    return folder


@pytest.fixture(scope="module")
def scores(done):
    return read_rows(done / "docs" / "contrasts" / "scores.csv.gz")


@pytest.fixture(scope="module")
def page(done):
    return (done / "docs" / "contrasts" / "README.md").read_text(encoding="utf-8")


#: Which methods answer: networks with fixed inputs from these alone, rescaling from one contrast, networks with fewer
#: losses where all networks are compared.
ANY = {"CollaGAN", "without dropout", "StarGAN, stacked", "released", "regression"}
FEWER = {"without cycle", "without SSIM", "L1 only"}
ANSWERS = {
    ("FLAIR", "T1+T2"): ANY | FEWER | {"pix2pix", "CycleGAN"},
    ("FLAIR", "T1"): ANY | {"rescaled", "StarGAN"},
    ("FLAIR", "T2"): ANY | FEWER | {"rescaled", "pix2pix", "CycleGAN", "StarGAN"},
    ("T1", "T2+FLAIR"): ANY,
    ("T2", "T1+FLAIR"): ANY,
}


def test_there_is_a_score_for_each_method_question_and_slice(scores):
    found = {}
    for row in scores:
        assert row["subject"] == "c"
        found.setdefault((row["session"], row["wanted"], row["there"]), {}).setdefault(row["method"], []).append(
            int(row["slice"])
        )
    slices = [number for number in range(5) if (head(0)["t1"].array[number] > 0).sum() >= 300]
    assert 0 < len(slices) < 5
    for session in ("c ses1", "c ses2"):
        for question, methods in ANSWERS.items():
            assert found.pop((session, *question)) == dict.fromkeys(methods, slices)
    assert found == {}


def test_there_are_lesions_of_each_method_that_estimates_flair_from_both_or_from_one(done):
    rows = read_rows(done / "docs" / "contrasts" / "lesions.csv.gz")
    for there in ("T1+T2", "T2"):
        own = [(row["session"], row["method"]) for row in rows if row["there"] == there]
        methods = ANSWERS["FLAIR", there] | {"truth"}
        assert sorted(own) == sorted((session, each) for session in ("c ses1", "c ses2") for each in methods)
    assert {row["there"] for row in rows} == {"T1+T2", "T2"}
    assert all(0 <= float(row["dice"]) <= 1 for row in rows)


def test_the_page_has_a_row_for_every_method_and_what_it_sees_and_a_finding(page):
    tables = page.split("\n## ")
    for part, numbers in ((tables[0], 2), (tables[2], 3)):  # NMSE and SSIM; PSNR, SSIM and Dice: of one person
        rows = {
            tuple(map(str.strip, line.split("|")[1:3])): line for line in part.splitlines() if line.startswith("| ")
        }
        for there in ("T1+T2", "T2"):
            for method in ANSWERS["FLAIR", there]:
                assert len(re.findall(r"-?\d+\.\d+", rows[method, there])) == numbers, (method, there)
        assert ("rescaled", "T1") in rows
    gains = [line for line in tables[1].splitlines() if line.startswith("| `")]
    assert len(gains) == len(ANSWERS["FLAIR", "T1+T2"]) - 1 + len(ANSWERS["FLAIR", "T2"]) - 2
    assert all("too few people to tell" in line for line in gains)
    assert "nan" not in page
    assert "T1C" not in "".join(tables[3:5])  # there are none
    lesions = next(each for each in tables if each.startswith("Lesions"))
    for session in ("c ses1", "c ses2"):
        count = 1 + len(ANSWERS["FLAIR", "T1+T2"]) + len(ANSWERS["FLAIR", "T2"])
        assert sum(line.startswith(f"| {session} | ") for line in lesions.splitlines()) == count
    networks = {line.split(" | ")[0]: line.split(" | ") for line in page.splitlines() if line.startswith("| ")}
    assert networks["| pix2pix from T1+T2"][3] == "2"


def test_the_page_is_made_from_the_files_in_its_folder_alone(done, page, tmp_path):
    folder = done / "docs" / "contrasts"
    for name in ("scores.csv.gz", "lesions.csv.gz", "facts.json"):
        shutil.copy(folder / name, tmp_path)
    assert text(tmp_path) == page


def test_the_page_in_docs_is_what_its_tables_say():
    folder = ROOT / "docs" / "contrasts"
    assert text(folder) == (folder / "README.md").read_text(encoding="utf-8")


def test_there_is_a_picture_of_each_session(done, page):
    for picture in ("c-ses1.webp", "c-ses2.webp"):
        assert f"({picture})" in page
        assert (done / "docs" / "contrasts" / picture).stat().st_size > 5000


def test_scores_in_the_table_and_in_the_card_are_means_of_those_in_the_file(done, scores, page):
    bundle = read_bundle(done / RELEASED)
    rows = {(row["wanted"], row["from"], row["method"]): row for row in bundle.scores if "wanted" in row}
    assert len(rows) == 2 * len(ANSWERS)
    for (wanted, there), _ in ANSWERS.items():
        for method, name in (("regression", "regression"), ("released", "collagan")):
            own = [row for row in scores if (row["wanted"], row["there"], row["method"]) == (wanted, there, method)]
            row = rows[wanted, there, name]
            assert (row["split"], row["people"], row["slices"]) == ("test", 1, len(own))
            for metric in ("nmse", "ssim"):
                mean = np.mean([float(each[metric]) for each in own])
                assert row[metric] == {"mean": pytest.approx(mean, abs=2e-4), "sd": 0}
    own = [float(row["nmse"]) for row in scores if (row["there"], row["method"]) == ("T1+T2", "pix2pix")]
    assert f"| pix2pix | T1+T2 | {np.mean(own):.3f} |" in page
    # What was in the card of another protocol is still there; the weights are as they were.
    assert bundle.scores[0]["protocol"] == "none"
    assert bundle.weights_file["sha256"] == find(RELEASED).weights_file["sha256"]


def test_scores_are_those_of_the_definition(data, scores):
    """Of the regression, done here once more by numpy, in the middle slice."""
    train, test = ({name: fit_core_scaling(v.array, v.spacing).forward(v.array).astype(float) for name, v in
                    head(seed).items()} for seed in (0, 2))  # fmt: skip
    inside = train["t1"] > 0
    matrix = np.column_stack([train["t1"][inside], train["t2"][inside], np.ones(inside.sum())])
    a, b, c = np.linalg.lstsq(matrix, train["flair"][inside], rcond=None)[0]
    inside = test["t1"] > 0
    made = np.where(inside, a * test["t1"] + b * test["t2"] + c, 0)[2][inside[2]]
    truth = test["flair"][2][inside[2]]
    wanted = ((made - truth) ** 2).sum() / (truth**2).sum()
    (row,) = [
        row
        for row in scores
        if [row[each] for each in ("session", "there", "method", "slice")] == ["c ses1", "T1+T2", "regression", "2"]
    ]
    assert float(row["nmse"]) == pytest.approx(wanted, rel=0.02)


def test_the_card_has_means_over_people_of_the_means_over_their_slices(monkeypatch):
    """One of c has 0.2 and 0.4, the one of d 0.7."""
    rows = [made_row("released", person, nmse) for person, nmse in (("c", 0.2), ("c", 0.4), ("d", 0.7))]
    rows += [made_row("regression", person, 0.5) for person in "ccd"]
    table = Table(rows, [], {"split": "val", "released": "a-model"})
    monkeypatch.setattr(card, "read_table", lambda _: table)
    ((model, method, scores),) = card.cards(Path())
    assert (model, method) == ("a-model", "collagan")
    assert [(row["method"], row["people"], row["slices"], row["nmse"]) for row in scores] == [
        ("collagan", 2, 3, {"mean": 0.5, "sd": 0.2}),
        ("regression", 2, 3, {"mean": 0.5, "sd": 0.0}),
    ]
    assert scores[0]["NMSE against regression, by person"].startswith("too few people to tell: +0.000 (")
    monkeypatch.setattr(card, "read_table", lambda _: Table(rows[3:], [], {}))
    assert [*card.cards(Path())] == []


def test_cards_are_scored_again_and_not_twice(done):
    """The command has written the card once; the table it is made from is still there."""
    before = read_bundle(done / RELEASED)
    write_cards(card.cards(done / "docs" / "contrasts"))
    assert read_bundle(done / RELEASED).scores == before.scores


def test_what_is_trained_and_answered_is_kept_and_a_new_model_is_all_that_is_asked(
    done, data, small, page, monkeypatch, tmp_path
):
    monkeypatch.setattr(arms, "train", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(segmenter, "train", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(measure, "estimates_without_network", lambda *_: pytest.fail("answered again"))
    monkeypatch.setattr(command, "draw", lambda session, *_: (f"{session.name.replace(' ', '-')}.webp", "a head"))
    questions = []

    def estimate_by(bundle, session, question):
        questions.append((bundle.folder, session.name, question))
        return session.scaled["FLAIR"]

    monkeypatch.setattr(measure, "estimate_by", estimate_by)
    shutil.copytree(done / "docs", tmp_path / "docs")
    shutil.copytree(done / RELEASED, tmp_path / RELEASED)
    shutil.copytree(done / "runs", tmp_path / "runs")
    folder = tmp_path / "docs" / "contrasts"
    before = (folder / "scores.csv.gz").read_bytes()
    run("contrasts", options(tmp_path, data))
    assert questions == []
    assert (folder / "scores.csv.gz").read_bytes() == before

    own = next((tmp_path / "runs").glob("contrasts-collagan-*/*/bundle.json")).parent
    other = read_bundle(shutil.copytree(own, tmp_path / "published"))
    weights = {name: 2 * tensor for name, tensor in other.weights().items()}
    fields = {each.name: getattr(other, each.name) for each in dataclasses.fields(other)}
    for name in ("folder", "format", "weights_file"):
        del fields[name]
    write_bundle(other.folder, **fields, tensors=weights)
    run("contrasts", options(tmp_path, data, "--published", other.folder))
    assert questions == [(other.folder, session, MAIN) for session in ("c ses1", "c ses2")]
    again = (folder / "README.md").read_text(encoding="utf-8")
    assert "| published | T1+T2 | 0.000 | 1.000 |" in again
    assert "--published FOLDER" in again
    assert "`published` is the network" in again
    assert "published" not in page


# the parts of it


def test_sessions_are_called_by_their_folders_whatever_these_are_called(tmp_path):
    rows = [["path", "modality", "contrast", "subject_id", "split"]]
    for subject in ("c", "d"):
        (tmp_path / "my_data" / subject).mkdir(parents=True)
        for contrast, volume in head(0).items():
            volume.write(tmp_path / "my_data" / subject / f"{contrast}.nii.gz")
            rows.append([f"my_data/{subject}/{contrast}.nii.gz", "MR", contrast.upper(), subject, "test"])
    with (tmp_path / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = [each.name for each in sessions.read_sessions(tmp_path, "test")]
    assert found == ["c", "d"]


def test_arms_differ_from_the_released_recipe_by_what_they_say_alone():
    size = arms.SIZES["full"]
    recipes = {arm.name: recipe_of(arm, size) for arm in ARMS}
    whole = recipes["CollaGAN"]
    released = read_recipe("brain-mr-collagan")
    assert (whole.arguments, whole.data, whole.architecture) == (released.arguments, released.data, "collagan")
    assert {name: value for name, value in whole.task.items() if name != "half_life"} == {
        name: value for name, value in released.task.items() if name != "half_life"
    }
    assert len({arms.folder_name(recipe, "") for recipe in recipes.values()}) == len(ARMS)
    assert {(recipe.schedule, recipe.data) for recipe in recipes.values()} == {(whole.schedule, whole.data)}
    without = {
        "without cycle": {"cycle", "cycle_ssim"},
        "without SSIM": {"direct_ssim", "cycle_ssim"},
        "L1 only": {"cycle", "cycle_ssim", "direct_ssim", "adversarial", "domain"},
        "without dropout": {"dropout"},
    }
    for label, names in without.items():
        task = recipes[label].task
        assert {name for name in whole.task if task[name] != whole.task[name]} == names
        assert all(task[name] == 0 for name in names)
        assert recipes[label].arguments == whole.arguments
    order = whole.data.contrasts
    for label in ("pix2pix", "CycleGAN"):
        for there in (("T1", "T2"), ("T2",)):
            arguments = recipes[f"{label} from {'+'.join(there)}"].arguments
            assert (tuple(order[each] for each in arguments["sources"]), order[arguments["target"]]) == (there, "FLAIR")
    assert recipes["StarGAN, stacked"].task["dropout"] == whole.task["dropout"]


def test_every_network_that_is_compared_answers_from_what_collagan_sees_and_from_one_contrast():
    for question in (MAIN, FROM_ONE):
        labels = {arm.label.partition(",")[0] for arm in ARMS if arm.answers(question)}
        assert {"CollaGAN", "pix2pix", "CycleGAN", "StarGAN"} <= labels
        names = [arm.label for arm in ARMS if arm.answers(question)]
        assert len({*names}) == len(names)
    both = Arm("one", only=(("T1", "T2"),), wanted="FLAIR")
    questions = [("FLAIR", ("T1", "T2")), ("FLAIR", ("T2",)), ("FLAIR", ("T1", "T2", "T1C")), ("T1C", ("T1", "T2"))]
    assert [both.answers(each) for each in questions] == [True, False, False, False]
    assert arms.asked("CollaGAN", ("T2", ("T1", "FLAIR")))
    assert not arms.asked("pix2pix from T1+T2", FROM_ONE)


def test_other_data_or_steps_are_other_trainings():
    small, full = (recipe_of(ARMS[0], each) for each in (SIZE, arms.SIZES["full"]))
    assert len({arms.folder_name(small, ""), arms.folder_name(small, "x"), arms.folder_name(full, "")}) == 3


def test_a_worker_process_knows_the_comparators(data, small, tmp_path):
    recipe = recipe_of(next(arm for arm in ARMS if arm.label == "pix2pix"), SIZE)
    jobs = [(recipe, data, tmp_path / "pix2pix", "cpu")]
    assert list(in_parallel(arms._train, jobs, workers=1)) == ["pix2pix"]
    (bundle,) = (tmp_path / "pix2pix").glob("*/bundle.json")
    assert read_bundle(bundle.parent).architecture == "pix2pix"


# what is found, from made-up tables


def made_row(method, person, nmse, there="T1+T2"):
    about = {"session": person, "subject": person, "wanted": "FLAIR", "there": there, "method": method}
    return {**about, "slice": 0, "nmse": nmse, "ssim": 1 - nmse, "slice_psnr": 20.0, "slice_ssim": 0.5}


def made_lesion(method, person, kept, there="T1+T2"):
    volumes = {"true_ml": 10.0, "found_ml": 12.0, "kept_ml": kept, "true_contrast": 0.5, "contrast": 0.25}
    return {"session": person, "subject": person, "there": there, "method": method, **volumes, "dice": 0.75}


def made_table(people, kept=None, **gains):
    """CollaGAN with an NMSE of 0.3 against methods that are so much worse, one gain per person or one for all."""
    scores, kept = [], kept or [1.0] * people
    for there in ("T1+T2", "T2"):
        for number in range(people):
            scores.append(made_row("CollaGAN", f"p{number}", 0.3, there))
            for method, gain in gains.items():
                own = gain[number] if isinstance(gain, list) else gain + 0.001 * number
                scores.append(made_row(method, f"p{number}", 0.3 + own, there))
    lesions = [made_lesion("CollaGAN", f"p{number}", each) for number, each in enumerate(kept)]
    return Table(scores, lesions, {})


def test_two_people_are_too_few_whatever_the_difference():
    words = finding(made_table(2, regression=0.5, CycleGAN=0.5, pix2pix=-0.2))
    numbers = "person by person: 0.300 against 0.800, 0.300 against 0.801"
    assert f"From T1+T2, NMSE (less is better) of `CollaGAN` and `regression`, {numbers}" in words
    assert words.count("too few people to tell: +0.500 (+0.494 to +0.507), 2 people.") == 2
    assert words.count("There are too few people to tell `CollaGAN` from `pix2pix`, `CycleGAN`.") == 2
    assert "` is better" not in words
    assert "worse" not in words


def test_with_more_people_a_difference_must_leave_out_zero_and_exceed_the_chance_of_a_training(monkeypatch):
    mixed = [0.5, -0.4, 0.3, -0.3, 0.2, -0.3]
    table = made_table(6, regression=0.2, CycleGAN=0.3, pix2pix=-0.2, StarGAN=mixed)
    words = finding(table)
    assert "` is better" not in words  # the chance of a training is not known for NMSE
    assert words.count("`CollaGAN` cannot be told apart from `pix2pix`, `CycleGAN`, `StarGAN`.") == 2
    monkeypatch.setitem(statistics.CHANCE_OF_TRAINING, "nmse", 0.25)
    words = finding(table)
    assert words.count("cannot be told apart: +0.203") == 2  # less than the chance
    assert words.count("`CollaGAN` is better than `CycleGAN`.") == 2
    assert words.count("`CollaGAN` cannot be told apart from `pix2pix`, `StarGAN`.") == 2
    monkeypatch.setitem(statistics.CHANCE_OF_TRAINING, "nmse", 0.1)
    words = finding(table)
    assert words.count("`CollaGAN` is better: +0.203 (+0.201 to +0.204), 6 people.") == 2
    assert words.count("`CollaGAN` is worse than `pix2pix`.") == 2
    assert words.count("`CollaGAN` cannot be told apart from `StarGAN`.") == 2


def test_the_released_network_is_the_one_that_is_held_against_the_regression():
    table = made_table(6, regression=0.1, released=-0.1)
    words = finding(table)
    assert "NMSE (less is better) of `released` and `regression`, person by person: 0.200 against 0.400" in words
    assert "`CollaGAN` cannot be told apart from `released`." in words


@pytest.mark.parametrize(
    ("kept", "verdict"),
    [
        ([1.0, 4.9], "it does not show lesions as they are"),
        ([1.0, 5.0], "in 1 of 2 it shows less than half of them"),
        ([5.0, 9.0], "it shows half of them or more"),
    ],
)
def test_what_becomes_of_lesions_is_said_by_how_much_of_them_is_shown(kept, verdict):
    words = finding(made_table(2, kept, regression=0.1))
    assert f"{kept[0]:.0f} of 10 ml, with a contrast of 0.25 in place of 0.50 and a Dice of 0.75; " in words
    assert words.endswith(f"**{verdict}**.")


def test_differences_are_of_the_same_slice_and_averaged_over_each_person():
    first = [made_row("CollaGAN", *each) for each in (("a", 0.2), ("a", 0.4), ("b", 0.9))]
    second = [made_row("pix2pix", *each) for each in (("a", 0.3), ("a", 0.1), ("b", 1.0))]
    table = Table(first + second, [], {})
    gain = table.difference(MAIN, "CollaGAN", "pix2pix")
    assert (gain.mean, gain.people) == (pytest.approx(((0.1 - 0.3) / 2 + 0.1) / 2), 2)
    assert table.difference(MAIN, "CollaGAN", "pix2pix", "ssim").mean == pytest.approx(gain.mean)
    assert table.difference(MAIN, "pix2pix", "CollaGAN").mean == pytest.approx(-gain.mean)
    assert table.mean(MAIN, "CollaGAN", "nmse") == pytest.approx((0.3 + 0.9) / 2)


def test_a_table_is_read_as_it_was_written(done):
    table = read_table(done / "docs" / "contrasts")
    assert table.people == ["c"]
    assert {type(row["slice"]) for row in table.scores} == {float}
    assert table.facts["people"] == 1
    assert json.loads((done / "docs" / "contrasts" / "facts.json").read_text())["split"] == "test"
