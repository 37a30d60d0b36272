"""The study of missing contrasts: lesions counted by hand, and a whole page from three tiny heads."""

import csv
import re
import shutil

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.imputation.core import fit_core_scaling
from MedInpaintLib.models.bundle import read_bundle
from MedInpaintLib.models.store import find
from MedInpaintLib.training.recipe import FOLDER, read_recipe
from MedInpaintLib.volume import Volume
from Research.__main__ import run
from Research.contrasts import measure
from Research.contrasts import page as page_module
from Research.contrasts.lesions_kept import lesions_kept
from Research.contrasts.measure import ARMS, MAIN, Outcome, Size, recipe_of
from Research.shared.cases import in_parallel
from Research.shared.manifests import read_rows

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


# the study

SIZE = Size(steps=2, crops=2, every=1)
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
    text = (FOLDER / f"{measure.RECIPE}.toml").read_text(encoding="utf-8")
    for name, value in {"pixels": 32, "width": 4, "levels": 2, "batch": 2}.items():
        text, count = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {value}", text)
        assert count == 1, name
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shrink(patch, recipe):
    """The study with that recipe, in one process."""
    patch.setattr(measure, "RECIPE", str(recipe))
    patch.setattr(page_module, "SIZES", {"small": SIZE})
    patch.setattr(measure, "LEAST_PIXELS", 300)
    patch.setattr(measure, "in_parallel", lambda work, jobs, *, workers: (work(*job) for job in jobs))


@pytest.fixture
def small(monkeypatch, recipe):
    shrink(monkeypatch, recipe)


@pytest.fixture(scope="module")
def done(data, recipe, tmp_path_factory):
    """The folder that the command has written to, with its trainings."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("done")
    released = shutil.copytree(find(RELEASED).folder, folder / RELEASED)
    arguments = ["--data", data, "--out", folder / "docs" / "contrasts", "--runs", folder / "runs", "--released",
                 released, "--cards"]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, recipe)
        run("contrasts", [str(each) for each in arguments])
    return folder


@pytest.fixture(scope="module")
def scores(done):
    return read_rows(done / "docs" / "contrasts" / "scores.csv.gz")


@pytest.fixture(scope="module")
def page(done):
    return (done / "docs" / "contrasts" / "README.md").read_text(encoding="utf-8")


#: Which methods can answer: the translators start from T2, and the paired ones end at FLAIR.
ANY = {"CollaGAN", "without cycle", "without SSIM", "L1 only", "without dropout", "StarGAN", "released", "regression"}
ANSWERS = {
    ("FLAIR", "T1+T2"): ANY | {"T1, rescaled", "T2, rescaled", "pix2pix", "CycleGAN"},
    ("FLAIR", "T1"): ANY | {"T1, rescaled"},
    ("FLAIR", "T2"): ANY | {"T2, rescaled", "pix2pix", "CycleGAN"},
    ("T1", "T2+FLAIR"): ANY | {"T2, rescaled", "FLAIR, rescaled"},
    ("T2", "T1+FLAIR"): ANY | {"T1, rescaled", "FLAIR, rescaled"},
}


def test_there_is_a_score_for_each_method_question_and_slice(scores):
    found = {}
    for row in scores:
        found.setdefault((row["session"], row["wanted"], row["there"]), {}).setdefault(row["method"], []).append(
            int(row["slice"])
        )
    slices = [number for number in range(5) if (head(0)["t1"].array[number] > 0).sum() >= 300]
    assert 0 < len(slices) < 5
    for session in ("c ses1", "c ses2"):
        for question, methods in ANSWERS.items():
            assert found.pop((session, *question)) == dict.fromkeys(methods, slices)
    assert found == {}


def test_the_page_has_a_row_for_every_arm_and_method_and_a_finding(page):
    tables = page.split("\n## ")
    main = {line.split("|")[1].strip(): line for line in tables[0].splitlines() if line.startswith("| ")}
    for method in ("T1, rescaled", "T2, rescaled", "regression", *(arm.label for arm in ARMS), "released"):
        assert len(re.findall(r"-?\d+\.\d{3}", main[method])) == 2 * 2, method  # NMSE and SSIM, two sessions
    found = re.search(r"\*\*Found:\*\* (.+)", page)
    assert found
    for arm in ARMS[1:]:
        assert f"than `{arm.label}` by" in found[1]
    assert "nan" not in page
    assert "T1C" not in "".join(tables[1:3])  # there are none
    lesions = next(each for each in tables if each.startswith("Lesions"))
    for session in ("c ses1", "c ses2"):
        assert sum(line.startswith(f"| {session} | ") for line in lesions.splitlines()) == 1 + 12


def test_there_is_a_picture_of_each_session(done, page):
    for picture in ("c-ses1.png", "c-ses2.png"):
        assert f"({picture})" in page
        assert (done / "docs" / "contrasts" / picture).stat().st_size > 5000


def test_scores_in_the_table_and_in_the_card_are_means_of_those_in_the_file(done, scores, page):
    bundle = read_bundle(done / RELEASED)
    rows = {(row["wanted"], row["from"], row["method"]): row for row in bundle.scores if "wanted" in row}
    assert len(rows) == 2 * len(ANSWERS)
    for (wanted, there), _ in ANSWERS.items():
        for method, name in (("regression", "regression"), ("released", RELEASED)):
            own = [row for row in scores if (row["wanted"], row["there"], row["method"]) == (wanted, there, method)]
            row = rows[wanted, there, name]
            assert (row["split"], row["slices"]) == ("test", len(own))
            for metric in ("nmse", "ssim"):
                values = [float(each[metric]) for each in own]
                assert row[metric]["mean"] == pytest.approx(np.mean(values), abs=2e-4)
                assert row[metric]["sd"] == pytest.approx(np.std(values), abs=2e-4)
    own = [float(row["nmse"]) for row in scores
           if (row["session"], row["there"], row["method"]) == ("c ses2", "T1+T2", "pix2pix")]  # fmt: skip
    assert f"| {np.mean(own):.3f} |" in next(line for line in page.splitlines() if line.startswith("| pix2pix |"))
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


def test_cards_are_scored_anew_and_not_twice(done):
    bundle = read_bundle(done / RELEASED)
    outcome = Outcome(
        [
            {"session": "c ses1", "wanted": "FLAIR", "there": "T1+T2", "method": method, "nmse": value, "ssim": 0.5}
            for method, value in (("released", 0.25), ("released", 0.75), ("regression", 0.5))
        ],
        [],
        {"released": bundle},
        "val",
        SIZE,
    )
    for _ in range(2):
        page_module.write_cards(outcome)
        outcome.models["released"] = read_bundle(bundle.folder)
    rows = [row for row in read_bundle(bundle.folder).scores if row["split"] == "val" and "wanted" in row]
    assert [(row["method"], row["slices"], row["nmse"]) for row in rows] == [
        ("regression", 1, {"mean": 0.5, "sd": 0.0}),
        (RELEASED, 2, {"mean": 0.5, "sd": 0.25}),
    ]
    assert len(read_bundle(bundle.folder).scores) == len(bundle.scores) + 2
    assert "| 0.5 ± 0.25 |" in (bundle.folder / "README.md").read_text(encoding="utf-8")


def test_what_is_trained_is_not_trained_again(done, data, small, monkeypatch):
    monkeypatch.setattr(measure, "train", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(measure, "QUESTIONS", (MAIN,))
    outcome = measure.run(SIZE, data, done / "runs", done / "again", released=None, split="val")
    assert {row["session"] for row in outcome.rows} == {"b ses1"}
    assert set(outcome.models) == {arm.label for arm in ARMS}
    truth = [found for _, method, found in outcome.lesions if method == "truth"]
    assert len(truth) == 1


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
    found = [each.name for each in measure.read_sessions(tmp_path, "test")]
    assert found == ["c", "d"]


def test_arms_differ_from_the_released_recipe_by_what_they_say_alone():
    size = measure.SIZES["full"]
    recipes = {arm.label: recipe_of(arm, size) for arm in ARMS}
    whole = recipes["CollaGAN"]
    released = read_recipe("brain-mr-collagan")
    assert (whole.arguments, whole.data, whole.architecture) == (released.arguments, released.data, "collagan")
    assert {name: value for name, value in whole.task.items() if name != "half_life"} == {
        name: value for name, value in released.task.items() if name != "half_life"
    }
    assert len({measure._folder_name(recipe, "") for recipe in recipes.values()}) == len(ARMS)
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
        arguments = recipes[label].arguments
        assert (order[arguments["source"]], order[arguments["target"]]) == ("T2", "FLAIR")
    assert order[recipes["StarGAN"].arguments["preferred"][0]] == "T2"


def test_other_data_or_steps_are_other_trainings():
    small, full = (recipe_of(ARMS[0], each) for each in (SIZE, measure.SIZES["full"]))
    assert len({measure._folder_name(small, ""), measure._folder_name(small, "x"), measure._folder_name(full, "")}) == 3


def test_a_finding_is_paired_by_slice_and_averaged_by_session():
    def rows(method, *values):
        return [
            {
                "session": session,
                "wanted": "FLAIR",
                "there": "T1+T2",
                "method": method,
                "nmse": value,
                "ssim": 1 - value,
            }
            for session, value in values
        ]

    outcome = Outcome(
        rows("one", ("a", 0.2), ("a", 0.4), ("b", 0.9)) + rows("other", ("a", 0.3), ("a", 0.1), ("b", 1.0)),
        [],
        {},
        "test",
        SIZE,
    )
    gain, wins, count = page_module.better(outcome, "one", "other")
    assert gain == pytest.approx(((0.1 - 0.3) / 2 + 0.1) / 2)
    assert (wins, count) == (2, 3)
    assert page_module.better(outcome, "one", "other", "ssim")[0] == pytest.approx(gain)
    assert page_module.better(outcome, "other", "one")[0] == pytest.approx(-gain)


def test_what_was_answered_is_kept_and_comes_back_as_it_was(done, data, small, monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "QUESTIONS", (MAIN,))
    first = measure.run(SIZE, data, done / "runs", tmp_path, released=None)
    monkeypatch.setattr(measure, "_answer", lambda *_: pytest.fail("answered again"))
    again = measure.run(SIZE, data, done / "runs", tmp_path, released=None)
    assert again.rows == first.rows
    assert [each[:2] for each in again.lesions] == [each[:2] for each in first.lesions]


def test_a_worker_process_knows_the_comparators(data, small, tmp_path):
    recipe = recipe_of(next(arm for arm in ARMS if arm.label == "pix2pix"), SIZE)
    jobs = [(recipe, data, tmp_path / "pix2pix", "cpu")]
    assert list(in_parallel(measure._train, jobs, workers=1)) == ["pix2pix"]
    (bundle,) = (tmp_path / "pix2pix").glob("*/bundle.json")
    assert read_bundle(bundle.parent).architecture == "pix2pix"
