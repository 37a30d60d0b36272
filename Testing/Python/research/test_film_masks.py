"""The study of masks on real films: shapes are drawn as counted by hand, and the page is what its folder says."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from MedInpaintLib.errors import InputError, ParameterError
from MedInpaintLib.models.store import find
from MedInpaintLib.volume import Volume
from Research.__main__ import main
from Research.film_masks import measure, page
from Research.film_masks.cases import KINDS, read_cases
from Research.film_masks.masks import draw_mask
from Research.film_masks.picture import close_up, count_columns, draw, window

DOCS = Path(__file__).parents[3] / "docs" / "film-masks"
#: All films of the study have this size.
SIZE = (512, 512)


def drawn(text):
    """Return the mask that a picture of dots and crosses shows."""
    return np.array([[sign == "x" for sign in line] for line in text.split()])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"box": [1, 1, 2, 3]}, "..... .xxx. .xxx. ....."),
        ({"ellipse": [1, 2, 1, 2]}, "..x.. xxxxx ..x.. ....."),
        # A triangle with its right angle at the top left, between pixel centres.
        ({"polygon": [[-0.5, -0.5], [-0.5, 3.2], [3.2, -0.5]]}, "xxx.. xx... x.... ....."),
        ({"line": [[1, 0], [1, 3]], "width": 1}, "..... xxxx. ..... ....."),
        ({"line": [[1, 1], [1, 3]], "width": 2}, ".xxx. xxxxx .xxx. ....."),
        ({"line": [[0, 0], [3, 3]], "width": 0.5}, "x.... .x... ..x.. ...x."),
        ({"line": [[0, 1], [2, 1], [2, 4]], "width": 1}, ".x... .x... .xxxx ....."),
        ({"line": [[2, 2], [2, 2]], "width": 2}, "..... ..x.. .xxx. ..x.."),
    ],
)
def test_shapes_are_as_counted_by_hand(shape, expected):
    assert (draw_mask([shape], (4, 5)) == drawn(expected)).all()


def test_shapes_join_and_grow_by_a_disc():
    both = draw_mask([{"box": [0, 0, 0, 0]}, {"box": [3, 4, 3, 4]}], (4, 5), grow=1)
    assert (both == drawn("xx... x.... ....x ...xx")).all()


def test_what_is_outside_the_film_is_left_out():
    assert draw_mask([{"box": [-3, -3, 0, 9]}], (4, 5)).sum() == 5
    assert draw_mask([{"box": [7, 0, 9, 4]}], (4, 5)).sum() == 0
    assert draw_mask([{"polygon": [[-9, -9], [-9, 99], [99, 99], [99, -9]]}], (4, 5)).all()


def test_an_unknown_shape_is_refused():
    with pytest.raises(ParameterError, match="one of box, ellipse, polygon, line; found star"):
        draw_mask([{"star": [1, 2]}], (4, 5))


def test_there_are_twelve_cases_of_all_kinds_in_different_films():
    cases = read_cases()
    assert len(cases) == len({case.image for case in cases}) == 12
    assert list(dict.fromkeys(case.kind for case in cases)) == list(KINDS)  # in the order of the page, kind by kind
    assert all(len(case.seen) > 20 for case in cases)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.film)
def test_a_mask_is_inside_its_film_and_of_a_sensible_size(case):
    mask = draw_mask(case.shapes, SIZE, case.grow)
    assert 20 <= mask.sum() <= 0.2 * mask.size
    for shape in case.shapes:
        points = outline(shape)
        assert points.min() >= 0
        assert points.max() < min(SIZE)
        assert draw_mask([shape], SIZE).any()


def outline(shape):
    """Return points of a shape's outline, its width aside."""
    if "ellipse" in shape:
        row, column, tall, wide = shape["ellipse"]
        return np.array([[row - tall, column - wide], [row + tall, column + wide]])
    if "box" in shape:
        return np.reshape(shape["box"], (2, 2))
    return np.array(shape.get("polygon") or shape["line"])


def test_the_table_is_of_the_masks_that_are_committed():
    with gzip.open(DOCS / page.FILLS, "rt", encoding="utf-8", newline="") as file:
        pixels = {row["image"]: int(row["pixels"]) for row in csv.DictReader(file)}
    assert pixels == {case.image: draw_mask(case.shapes, SIZE, case.grow).sum() for case in read_cases()}


def test_the_committed_page_is_that_of_its_folder():
    assert (DOCS / page.PAGE).read_text(encoding="utf-8") == page.text(DOCS)


def test_the_page_says_what_the_table_says(tmp_path):
    for name in (page.FILLS, "facts.json"):
        shutil.copy(DOCS / name, tmp_path)
    with gzip.open(tmp_path / page.FILLS, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index("jump")] = "7.125"
    with gzip.open(tmp_path / page.FILLS, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert "| 7.125 |" in page.text(tmp_path)
    assert "| 7.125 |" not in page.text(DOCS)


def test_pictures_are_small_and_each_case_has_one():
    pictures = {path.name: path for path in DOCS.glob("*.webp")}
    assert sorted(pictures) == sorted(map(page.picture, read_cases()))
    for path in pictures.values():
        assert path.stat().st_size < 200_000
        with Image.open(path) as image:
            assert image.format == "WEBP"


def test_methods_are_those_with_a_released_model_for_films():
    learned = measure.networks()
    assert learned["unet"] == "chest-film-unet"
    assert all(find(model).modality == "film" for model in learned.values())
    assert "collagan" not in learned  # its models are for brain MR


def film_with_a_mark():
    """Return a film of a slope with a white box in it, and the mask of the box."""
    film = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    mask = draw_mask([{"box": [20, 20, 29, 39]}], film.shape)
    film[mask] = 255
    return film, mask


def test_a_thin_plate_continues_a_slope_under_a_mark_without_a_step():
    film, mask = film_with_a_mark()
    filled = measure.fill(Volume(film, (1.0, 1.0)), mask, "biharmonic", {})
    slope = np.add.outer(np.arange(48), np.arange(64))
    assert np.abs(filled.film.astype(int) - slope)[mask].max() <= 1
    assert (filled.film == film)[~mask].all()
    assert filled.used == "biharmonic"
    assert filled.jump < 0.1  # beside the step from the slope to the white box
    assert filled.seconds > 0


def test_the_automatic_choice_is_shown_once():
    fill = measure.Fill("patch", "patch", np.zeros((2, 2)), 1.0, 1.0, ())
    chosen = dataclasses.replace(fill, method="auto")
    assert measure.distinct([fill, chosen]) == [fill]
    other = dataclasses.replace(chosen, used="biharmonic")
    assert measure.distinct([fill, other]) == [fill, other]


def test_close_ups_have_a_margin_and_the_greys_of_what_is_known():
    film, mask = film_with_a_mark()
    part = close_up(mask)
    assert part == (slice(0, 48), slice(0, 64))
    black, white = window(film, mask, part)
    assert 0 <= black < white < 112
    assert [count_columns(4, aspect) for aspect in (0.5, 1.0, 2.0)] == [4, 2, 2]


def test_a_picture_is_written(tmp_path):
    film, mask = film_with_a_mark()
    fills = [measure.Fill("patch", "patch", film, 1.0, 1.0, ())]
    draw(film, mask, fills, tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as image:
        assert (image.format, image.width) == ("WEBP", 1400)


def test_data_without_the_films_are_refused_before_anything_is_filled(tmp_path, capsys):
    (tmp_path / "MANIFEST.csv").write_text("path,modality,contrast,subject_id,split\n", encoding="utf-8")
    assert main(["film-masks", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"Error: The data in '{tmp_path}' lack films that are marked: cxr/nih-")
    assert not (tmp_path / "out").exists()


def test_a_case_of_no_known_kind_or_with_other_fields_is_refused(tmp_path):
    file = tmp_path / "masks.toml"
    good = (
        '[[case]]\nimage = "a"\nkind = "text"\nmarked = "L"\nseen = "s"\ngrow = 0\nshapes = [{ box = [0, 0, 1, 1] }]\n'
    )
    file.write_text(good, encoding="utf-8")
    assert read_cases(file)[0].marked == "L"
    file.write_text(good.replace('"text"', '"toy"'), encoding="utf-8")
    with pytest.raises(InputError, match="'a' is marked as 'toy'"):
        read_cases(file)
    file.write_text(good.replace("grow = 0", "grows = 0"), encoding="utf-8")
    with pytest.raises(InputError, match="lacks a field or has one too many"):
        read_cases(file)
