"""The study `forced-choice`: pictures of holes, the blinded page, the count of choices, and the page of the study."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from MedInpaintLib.errors import InputError
from MedInpaintLib.manifest import Entry
from MedInpaintLib.volume import Volume
from Research.__main__ import main
from Research.forced_choice import blinded, choices, judge, measure, page
from Research.forced_choice.figure import draw_pairs, draw_rates
from Research.shared.cases import Task
from Research.shared.facts import write_facts
from Research.shared.manifests import read_rows, write_rows
from Research.shared.statistics import CHANCE_OF_TRAINING

PAGE = Path(__file__).parents[3] / "docs" / "forced-choice"
METHODS = {"films": ("biharmonic", "patch", "unet"), "mr": ("biharmonic", "mirror", "unet", "rfr")}


def pictures(task, person):
    """Return noise in place of pictures, so that no two are alike."""
    rng = np.random.default_rng(zlib.crc32(f"{task} {person}".encode()))
    views = ["film"] if task == "films" else ["axial", "coronal", "sagittal"]
    shape = (len(views), measure.SIDE, measure.SIDE)
    draw = lambda: rng.integers(0, 256, shape).astype(np.uint8)  # noqa: E731
    case = {"task": task, "image": f"images/{person}", "subject": person, "seed": 0}
    fills = {method: draw() for method in METHODS[task]}
    return measure.Pictures(case, "test", [1] * len(views), views, draw(), np.zeros(shape, bool), fills)


class Elements(HTMLParser):
    """Collects the elements of a page and the text of its scripts."""

    def __init__(self):
        super().__init__()
        self.elements, self.scripts, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def content_of(path):
    """Return what a blinded page shows, after a check that it is a page."""
    parser = Elements()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    return json.loads(parser.scripts[0])


def shown(source):
    """Return the picture of an address that is its own content."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))))


@pytest.fixture
def asked(tmp_path):
    """A page of five films and five heads with the truth hidden among the fills: its pictures, path and key."""
    own = [pictures(task, f"{task}-{number}") for task in METHODS for number in range(5)]
    path = tmp_path / "choices.html"
    return own, path, blinded.write_blinded(own, path, truth="hidden", most=10, seed=3)


def key_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# The blinded page


@pytest.mark.parametrize("truth", blinded.QUESTIONS)
def test_the_page_names_no_method_person_or_file_and_needs_no_network(tmp_path, truth):
    path = tmp_path / "choices.html"
    blinded.write_blinded([pictures("mr", "someone"), pictures("films", "another")], path, truth=truth)
    text = re.sub(r"data:image/png;base64,[\w+/=]+", "", path.read_text(encoding="utf-8"))
    for word in (*METHODS["films"], *METHODS["mr"], "someone", "another", "images/", "//", "src=", "href="):
        assert word not in text
    assert blinded.QUESTIONS[truth][0] in text


def test_the_key_tells_which_picture_is_by_which_method(asked):
    own, path, key = asked
    content = content_of(path)
    methods = {(row["hole"], row["panel"]): row for row in key_rows(key)}
    by_person = {one.case["subject"]: one for one in own}
    assert len(content["holes"]) == 10
    for hole in content["holes"]:
        assert "truth" not in hole
        for panel in hole["panels"]:
            row = methods[hole["hole"], panel["panel"]]
            one = by_person[row["person"]]
            source = one.truth if row["method"] == blinded.TRUTH else one.fills[row["method"]]
            assert (shown(panel["picture"]) == source[0]).all()
        assert {methods[hole["hole"], each["panel"]]["method"] for each in hole["panels"]} == {*one.fills, "truth"}


def test_identifiers_are_unique_and_orders_differ_and_come_from_the_seed(asked, tmp_path):
    own, path, key = asked
    rows = key_rows(key)
    assert len({row["panel"] for row in rows}) == len(rows)
    orders = {}
    for row in rows:
        orders.setdefault((row["task"], row["hole"]), []).append(row["method"])
    assert len({tuple(order) for (task, _), order in orders.items() if task == "mr"}) > 2
    again, other = tmp_path / "again.html", tmp_path / "other.html"
    blinded.write_blinded(own, again, truth="hidden", most=10, seed=3)
    blinded.write_blinded(own, other, truth="hidden", most=10, seed=4)
    assert again.read_bytes() == path.read_bytes() != other.read_bytes()


def test_pages_of_one_seed_that_ask_or_show_something_else_are_not_mixed(tmp_path):
    own = [pictures("films", str(number)) for number in range(3)]
    names = []
    for truth, shown_ in (("absent", own), ("beside", own), ("hidden", own), ("absent", own[:2])):
        path = tmp_path / "choices.html"
        blinded.write_blinded(shown_, path, truth=truth)
        names.append(content_of(path)["page"])
    assert len(set(names)) == 4


def test_the_truth_is_beside_the_fills_where_it_is_asked_for(tmp_path):
    one, path = pictures("mr", "someone"), tmp_path / "choices.html"
    key = blinded.write_blinded([one], path, truth="beside")
    (hole,) = content_of(path)["holes"]
    assert (shown(hole["truth"]) == one.truth[0]).all()
    assert {row["method"] for row in key_rows(key)} == set(METHODS["mr"])


def test_fewer_holes_are_shown_where_that_is_asked_for(tmp_path):
    path = tmp_path / "choices.html"
    blinded.write_blinded([pictures("films", str(number)) for number in range(5)], path, most=2)
    assert len(content_of(path)["holes"]) == 2


def test_a_page_without_pictures_or_with_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        blinded.write_blinded([], tmp_path / "choices.html")
    with pytest.raises(InputError, match=r"must be a file \.html"):
        blinded.write_blinded([pictures("films", "one")], tmp_path / "choices.csv")


# The count of choices


def saved(path, key, choose, reader="Reader A"):
    """Write choices as the page saves them: of each hole the picture that ``choose`` prefers by its method."""
    holes = {}
    for row in key_rows(key):
        holes.setdefault((row["page"], row["hole"]), []).append(row)
    rows = [(page_, reader, hole, max(own, key=choose)["panel"]) for (page_, hole), own in holes.items()]
    write_rows(path, [choices.SAVED, *rows])
    return path


def prefer(method):
    return lambda row: row["method"] == method


def test_choices_are_counted_by_method_and_reader(asked, tmp_path):
    _, _, key = asked
    files = [
        saved(tmp_path / "a.csv", key, prefer("unet"), "Reader A"),
        saved(tmp_path / "b.csv", key, prefer("truth"), "Reader B"),
    ]
    rows = choices.count(files, key)
    assert {row["reader"] for row in rows} == {"1", "2"}  # names stay with whoever asked
    chosen = {}
    for row in rows:
        name = row["task"], row["method"], row["reader"]
        chosen[name] = chosen.get(name, 0) + int(row["chosen"])
    assert {name: times for name, times in chosen.items() if times} == {
        ("films", "unet", "1"): 5,
        ("mr", "unet", "1"): 5,
        ("films", "truth", "2"): 5,
        ("mr", "truth", "2"): 5,
    }


def test_the_interval_of_a_reader_is_that_of_clopper_and_pearson(asked, tmp_path):
    _, _, key = asked
    text = choices.choices_table(choices.count([saved(tmp_path / "a.csv", key, prefer("unet"))], key))
    # Five of five: the lower end p solves p ** 5 = 0.025.
    assert f"| unet | 1 | 5 of 5 | 1.00 ({0.025 ** (1 / 5):.2f} to 1.00) | 0.25 | too few people to tell" in text
    assert f"| patch | 1 | 0 of 5 | 0.00 (0.00 to {1 - 0.025 ** (1 / 5):.2f}) | 0.25 |" in text


def test_many_readers_have_a_reading(asked, tmp_path):
    _, _, key = asked
    files = [saved(tmp_path / f"{number}.csv", key, prefer("unet"), f"Reader {number}") for number in range(5)]
    # One reader, who always takes another, keeps the intervals from being without a width.
    files.append(saved(tmp_path / "other.csv", key, prefer("biharmonic"), "Reader 6"))
    text = choices.choices_table(choices.count(files, key)).partition("**mr")[0]
    assert re.search(r"\| unet \| 1 \|.* more often than by chance: .*, 6 people \|", text)
    assert re.search(r"\| patch \| 1 \|.* less often than by chance: .*, 6 people \|", text)
    assert re.search(r"\| biharmonic \| 1 \|.* cannot be told apart: .*, 6 people \|", text)


def test_a_file_that_is_given_twice_counts_once(asked, tmp_path):
    _, _, key = asked
    file = saved(tmp_path / "a.csv", key, prefer("unet"))
    assert choices.count([file, file], key) == choices.count([file], key)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must begin with the line page,reader,hole,panel; found ''"),
        ("page;reader;hole;panel\na;b;c;d\n", "must begin with the line"),
        ("page,reader,hole,panel\n", "no choices to count"),
        ("page,reader,hole,panel\nPAGE,A,HOLE\n", "Row 2 .* must have 4 cells"),
        ("page,reader,hole,panel\nPAGE,,HOLE,PANEL\n", "Row 2 .* none of them empty"),
        ('page,reader,hole,panel\nPAGE,"A,HOLE,PANEL\n', "is no CSV table"),
        ("page,reader,hole,panel\nelsewhere,A,HOLE,PANEL\n", "is of page elsewhere, which the key"),
        ("page,reader,hole,panel\nPAGE,A,nowhere,PANEL\n", "names the hole nowhere"),
        ("page,reader,hole,panel\nPAGE,A,HOLE,nothing\n", "and the picture nothing"),
        ("page,reader,hole,panel\nPAGE,A,HOLE,PANEL\nPAGE,A,HOLE,OTHER\n", "Reader 'A' has two choices"),
    ],
)
def test_a_malformed_file_is_one_clear_line(asked, tmp_path, content, message):
    _, _, key = asked
    first, second = key_rows(key)[:2]
    assert first["hole"] == second["hole"]
    for name, value in (("PAGE", "page"), ("HOLE", "hole"), ("PANEL", "panel")):
        content = content.replace(name, first[value])
    file = tmp_path / "a.csv"
    file.write_text(content.replace("OTHER", second["panel"]), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        choices.count([file], key)
    assert "\n" not in str(error.value)


def test_the_command_counts_and_says_what_is_missing(asked, tmp_path, capsys):
    _, _, key = asked
    file = saved(tmp_path / "a.csv", key, prefer("unet"))
    assert main(["forced-choice", "--count", str(file), "--key", str(key), "--out", str(tmp_path)]) == 0
    assert "| unet | 1 | 5 of 5 |" in capsys.readouterr().out
    for arguments, message in (
        ([], "needs --data"),
        (["--count", str(file)], "counted with --key"),
        (["--count", str(tmp_path / "none.csv"), "--key", str(key)], "cannot be read"),
        (["--data", str(tmp_path), "--blinded", "a.html", "--with-truth", "--hide-truth"], "one of the two"),
    ):
        assert main(["forced-choice", *arguments]) == 2
        line = capsys.readouterr().err
        assert message in line
        assert line.count("\n") == 1


# Pictures of holes


def entry(path, split, person, name="", modality="film"):
    return Entry(path, name or path.stem, modality, "CR", person, split)


@pytest.fixture
def film(tmp_path):
    """A film of noise around a grey; and a task of one square hole that only `biharmonic` fills."""
    array = np.random.default_rng(1).integers(60, 200, (120, 110)).astype(np.uint8)
    Volume(array, (1.0, 1.0)).write(tmp_path / "film.png")
    return Task("films", "Films", "film", True, "squares:16px:1"), array


def test_a_picture_has_the_hole_in_the_middle_and_differs_from_the_truth_there_alone(film, tmp_path, monkeypatch):
    task, array = film
    monkeypatch.setitem(measure.METHODS, "films", {"biharmonic": {"method": "biharmonic"}})
    job = (task, entry(tmp_path / "film.png", "test", "one"), 0, tmp_path / "keep")
    made = measure.kept(*job)
    rows, columns = np.nonzero(made.inside[0])
    assert made.inside[0].sum() == 16 * 16
    for along in (rows, columns):
        assert along.max() - along.min() == 15
        assert abs(along.mean() - measure.SIDE / 2) <= 1
    assert set(made.fills) == {"shell-mean", "biharmonic"}
    for fill in made.fills.values():
        assert (fill[0] == made.truth[0])[~made.inside[0]].all()
        assert (fill[0] != made.truth[0])[made.inside[0]].mean() > 0.9
    # The picture is a part of the film, level by level.
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(array, measure.SIDE), made.truth[0].shape)
    assert any((made.truth[0] == row).all(axis=(1, 2)).any() for row in windows)

    monkeypatch.setattr(measure, "_filled", None)  # a second time, nothing is filled
    again = measure.kept(*job)
    assert again.case == made.case
    assert (again.fills["biharmonic"] == made.fills["biharmonic"]).all()


def test_a_volume_is_cut_in_three_planes_and_three_slices_each(tmp_path, monkeypatch):
    """In a volume that grows brighter from slice to slice, an axial picture has one level, which says where it is."""
    monkeypatch.setitem(measure.METHODS, "mr", {"biharmonic": {"method": "biharmonic"}})
    array = np.zeros((60, 50, 50), np.float32)
    array[5:55, 5:45, 5:45] = np.arange(100, 150)[:, None, None]
    Volume(array, (1.0,) * 3).write(tmp_path / "head.nii.gz")
    task = Task("mr", "MR", "MR", False, "spheres:12mm:1")
    made = measure.kept(task, entry(tmp_path / "head.nii.gz", "test", "one", modality="MR"), 0, tmp_path / "keep")
    assert made.views == list(measure.VIEWS)
    middle = measure.SIDE // 2
    levels = {view: float(picture[middle, middle]) for view, picture in zip(made.views, made.truth, strict=True)}
    steps = [levels["axial"] - levels["axial -5 mm"], levels["axial +5 mm"] - levels["axial"]]
    assert abs(steps[0]) == pytest.approx(5 * 255 / made.case["range"], abs=1.1)
    assert steps[0] == pytest.approx(steps[1], abs=1.1)
    assert levels["coronal -5 mm"] == levels["coronal +5 mm"] == levels["sagittal"] == levels["axial"]
    # Sections of a sphere of radius 6 mm through its middle, and 5 mm from there.
    areas = {view: int(inside.sum()) for view, inside in zip(made.views, made.inside, strict=True)}
    assert areas["axial"] == pytest.approx(np.pi * 6**2, rel=0.15)
    assert areas["axial +5 mm"] == pytest.approx(np.pi * (6**2 - 5**2), rel=0.5)


def test_holes_that_do_not_fit_are_left_out_the_second_time_too(tmp_path):
    Volume(np.full((20, 20), 9, np.uint8), (1.0, 1.0)).write(tmp_path / "film.png")
    task = Task("films", "Films", "film", True, "squares:16px:9")
    job = (task, entry(tmp_path / "film.png", "test", "one"), 0, tmp_path / "keep")
    assert measure.kept(*job) is None
    assert measure.kept(*job) is None


def test_a_damaged_file_of_pictures_is_named(tmp_path):
    task = Task("films", "Films", "film", True, "squares:16px:1")
    (tmp_path / "films--test--film--0.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"films--test--film--0\.npz' cannot be read"):
        measure.kept(task, entry(tmp_path / "film.png", "test", "one"), 0, tmp_path)


def test_each_person_has_one_image_and_some_people_teach():
    task = Task("films", "Films", "film", True, "squares:16px:1")
    tested = [entry(Path(f"{name}.png"), "test", name[0]) for name in ("b2", "a1", "a2", "b1")]
    assert [each.name for each in measure.people(task, tested)] == ["a1", "b1"]
    teaching = [entry(Path(f"{number}.png"), "train", str(number)) for number in range(100)]
    assert len(measure.people(task, teaching)) == round(100 * measure.SHARES["films"])


# The page


def write_tables(folder, told, psnr, people=6):
    """Write made-up tables: method -> share that is told, and PSNR, each with a little spread over people."""
    rows, scores = [], []
    for task in measure.TASKS:
        for method in judge.methods_of(task.name):
            for person in range(people):
                name = f"person {person}"
                about = (task.name, f"image {person}", name)
                # Of 20 pictures, one more or less is told.
                right = round(20 * told.get(method, 0.9)) + (person % 2 if told.get(method, 0.9) < 1 else 0)
                rows += [(*about, 1, f"view {at}", method, 0, int(at < right)) for at in range(20)]
                dB = psnr.get(method, 20.0) + 0.01 * person
                scores.append((*about, 0, 200, method, 1, dB, 0.8, 200 * 10 ** (-dB / 20), 0.9))
    write_rows(folder / page.TOLD, [judge.COLUMNS, *rows])
    head = ("task", "image", "subject", "seed", "R", "method", "hole", "psnr", "ssim", "rmse", "gradient_energy")
    write_rows(folder / page.SCORES, [head, *scores])
    numbers = {task.name: {"train": 9, "val": 3, "test": people} for task in measure.TASKS}
    about = {"weights": 1000, "epochs": 2, "batch": 8, "rate": 0.001, "seen": 48, "trainings": 1, "models": {"m": "ab"}}
    write_facts(folder, people=numbers, pairs=numbers, **about)


def row_of(text, *cells):
    (row,) = [line for line in text.splitlines() if line.startswith("| " + " | ".join(cells) + " |")]
    return row


def test_each_method_has_a_reading_beside_its_error(tmp_path):
    write_tables(tmp_path, {"biharmonic": 1.0, "mirror": 0.475, "rfr": 0.2, "unet": 0.8}, {"mirror": 26.0})
    text = page.text(tmp_path)
    heads = text[text.index("## T1") : text.index("## Appealing")]
    lines = {line.split(" | ")[0][2:]: line for line in heads.splitlines() if line.startswith("| ")}
    assert "1.000 (1.000 to 1.000) | can be told from the truth | 6 |" in lines["biharmonic"]
    assert "| cannot be told apart | 6 | 26.0" in lines["mirror"]
    assert "is called the truth more often than the truth" in lines["rfr"]
    # PSNR 20 dB is an RMSE of a tenth of R.
    assert "| 20.0" in lines["unet"]
    assert "| 9.97 | 0.90 |" in lines["unet"]
    assert "No readers have been asked yet" in text


@pytest.mark.parametrize(
    ("told", "psnr", "answer", "sentence"),
    [
        ({"rfr": 0.5}, {"rfr": 19.0}, "yes", "holds for the released model in all"),
        ({"rfr": 0.5}, {"rfr": 21.0}, "no: more accurate", "None of them supports"),
        ({"rfr": 1.0, "unet": 0.6, "biharmonic": 0.6, "mirror": 0.6, "shell-mean": 0.6}, {"rfr": 21.0},
         "no: told more often and more accurate", "None of them supports"),
        ({"rfr": 1.0, "unet": 0.6, "biharmonic": 0.6, "mirror": 0.6, "shell-mean": 0.6}, {"rfr": 19.0},
         "no: told more often", "None of them supports"),
        ({"rfr": 0.5}, {"rfr": 20.1}, "not shown", "None of them supports"),
    ],
)  # fmt: skip
def test_whether_a_fill_is_appealing_and_not_accurate(tmp_path, told, psnr, answer, sentence):
    write_tables(tmp_path, told, psnr)
    text = page.text(tmp_path)
    assert row_of(text, "`rfr` and `biharmonic`").endswith(f"| {answer} |")
    assert sentence in text


def test_the_statement_may_depend_on_the_other_fill(tmp_path):
    write_tables(tmp_path, {"rfr": 0.5, "mirror": 0.2}, {"rfr": 19.0})
    text = page.text(tmp_path)
    assert row_of(text, "`rfr` and `biharmonic`").endswith("| yes |")
    assert row_of(text, "`rfr` and `mirror`").endswith("| no: told more often |")
    assert "looks better and is less accurate: 3. The opposite of one of the two: 1. Neither is shown: 0." in text
    assert "depends on what it is compared with" in text


def test_the_pictures_of_the_page_are_drawn(tmp_path):
    write_tables(tmp_path, {"rfr": 0.5}, {})
    told, scores = read_rows(tmp_path / page.TOLD), read_rows(tmp_path / page.SCORES)
    one = pictures("mr", "someone")
    one.inside[:, 40:56, 40:56] = True
    draw_pairs([one], METHODS["mr"], told, tmp_path / "pairs.webp")
    draw_rates({task.title: page.points(task, told, scores) for task in measure.TASKS}, tmp_path / "told.webp")
    for name in ("pairs.webp", "told.webp"):
        assert np.asarray(Image.open(tmp_path / name)).std() > 10


def test_few_people_say_nothing(tmp_path):
    write_tables(tmp_path, {"rfr": 0.2}, {"rfr": 10.0}, people=4)
    text = page.text(tmp_path)
    assert text.count("too few people to tell") > 8
    assert "can be told from the truth |" not in text
    assert "looks better and is less accurate: 0. The opposite of one of the two: 0. Neither is shown: 4." in text


def test_choices_of_people_take_the_place_of_the_words_that_there_are_none(asked, tmp_path, capsys):
    _, _, key = asked
    write_tables(tmp_path, {}, {})
    file = saved(tmp_path / "a.csv", key, prefer("truth"))
    assert main(["forced-choice", "--count", str(file), "--key", str(key), "--out", str(tmp_path)]) == 0
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "No readers have been asked yet" not in text
    assert "| truth | 1 | 5 of 5 |" in text
    assert "Reader A" not in text


def test_the_committed_page_is_what_its_tables_say():
    assert page.text(PAGE) == (PAGE / "README.md").read_text(encoding="utf-8")


def test_trainings_of_the_classifier_differ_by_no_more_than_is_counted_as_chance():
    told = read_rows(PAGE / page.TOLD)
    rates = {}
    for row in told:
        people = rates.setdefault((row["task"], row["method"]), {}).setdefault(row["training"], {})
        people.setdefault(row["person"], []).append(float(row["told"]))
    means = [[np.mean([np.mean(each) for each in own.values()]) for own in per.values()] for per in rates.values()]
    assert max(max(each) - min(each) for each in means) <= CHANCE_OF_TRAINING["told"]
