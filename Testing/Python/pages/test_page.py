"""The page of a fill: what it shows, that it is whole, and that no text in it is taken for HTML."""

import copy
import dataclasses
import json

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import OutputPathError
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.pages.page import MOST_DRAWN, MOST_ROWS, fill_page

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x1b[31m\u202e"
SHOWN = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\\x1b[31m\\u202e"


def image_of(array, spacing=(1.0, 1.0, 1.0)):
    """A volume that lies as radiology shows it, but for its slices, which go up."""
    return mi.Volume(array, spacing, (-9.0, -9.0, -9.0))


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(100, 900, shape).astype(np.int16)


def filled(image, *boxes, **options):
    hole = np.zeros(image.array.shape, np.uint8)
    for box in boxes:
        hole[box] = 1
    return mi.inpaint(image, image.with_array(hole), **{"method": "shell-mean", "modality": "MR", **options})


def page_of(result, report=None, spread=None):
    return fill_page(result.image, result.volume.array, result.hole, result.parts, report or result.report, spread)


@pytest.fixture(scope="module")
def result():
    """A part of 5 x 6 x 7 voxels in a volume that is shown whole, since it is small."""
    return filled(image_of(noise((20, 22, 24))), (slice(8, 13), slice(7, 13), slice(6, 13)))


def greys(result, values):
    """What the page should show of intensities, by its definition of black, white and steps."""
    known = result.image.array[~result.hole.full()]
    low, high = np.percentile(known, [0.5, 99.5])
    white = np.percentile(known[known > low + 0.1 * (high - low)], 99.5)
    return 1 + np.rint(np.clip(values / white, 0, 1) * 254)


def test_pictures_are_the_arrays_cut_through_the_middle_of_the_part(result, reading):
    read = reading(page_of(result))
    k, j, i = result.report["parts"][0]["middle"]
    for start, array in (("Before: part 1, ", result.image.array), ("After: part 1, ", result.volume.array)):
        pictures = read.pictures(start)
        expected = {
            f"axial, k = {k}": array[k],
            f"coronal, j = {j}": array[::-1, j],
            f"sagittal, i = {i}": array[::-1, :, i],
        }
        assert set(pictures) == set(expected)
        for name, cut in expected.items():
            assert (pictures[name][..., 3] == 255).all()
            np.testing.assert_allclose(pictures[name][..., 0], greys(result, cut.astype(float)), atol=1)


def test_before_and_after_differ_inside_the_outline_alone(result, reading):
    read = reading(page_of(result))
    k = result.report["parts"][0]["middle"][0]
    before, after = (read.pictures(f"{when}: part 1, ")[f"axial, k = {k}"][..., 0] for when in ("Before", "After"))
    changed = before != after
    assert changed.any()
    assert not changed[~result.hole.full()[k]].any()
    assert read.all("path", class_="outline")[0]["d"].startswith("M6 7H13M6 13H13")


def test_the_page_is_whole_and_can_be_used_without_eyes_and_mouse(result, reading):
    page = page_of(result)
    read = reading(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert read.all("html")[0]["lang"] == "en"
    for _, attributes in read.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "#").startswith(("data:image/png;base64,", "#"))
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in page
    assert "url(" not in page
    assert all(each["alt"] for each in read.all("img"))
    wipes = read.all("input", class_="wipe")
    assert len(wipes) == 3
    assert all(each["type"] == "range" and each["aria-label"] for each in wipes)
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [each["href"] for each in read.all("a")] == ["#part-1"]
    assert "part-1" in ids
    policy = read.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy.startswith("default-src 'none';")


def test_the_page_says_how_far_to_trust_the_fill_and_how_it_was_made(result, reading):
    text = reading(page_of(result)).text
    for said in ("No warnings.", result.report["trust"], "shell-mean", "synthetic", "not for clinical use", "int16"):
        assert said in text
    assert "24 x 22 x 20 voxels of 1 x 1 x 1 mm" in text
    assert result.report["software"] in text
    assert "Self-check" not in text
    assert "Uncertainty" not in text


def test_the_same_fill_makes_the_same_page_to_the_byte(result):
    assert page_of(result) == page_of(copy.deepcopy(result))


def hostile_report(result):
    report = copy.deepcopy(result.report)
    for name in ("trust", "method", "reason", "software", "modality_reason", "blend", "device", "date"):
        report[name] = HOSTILE
    report["uncertainty"] = {"basis": HOSTILE, "reason": HOSTILE, "factors": {HOSTILE: 1.0}}
    report["parameters"] = {HOSTILE: HOSTILE}
    report["notes"] = {HOSTILE: HOSTILE, "list": [HOSTILE]}
    report["warnings"] = [HOSTILE]
    report["seconds"] = {HOSTILE: 1.0}
    report["image"]["name"] = HOSTILE
    report["mask"] |= {"name": HOSTILE, "rule": HOSTILE, "kind": HOSTILE}
    spread = {"mean": 1.0, "sd": None}
    scores = {"psnr": spread, "ssim": spread, "mae": spread}
    report["parts"][0] |= {"method": HOSTILE, "reason": HOSTILE, "warnings": [HOSTILE], "scores": scores}
    checked = {"parts": [1], "holes": 1, "range": HOSTILE, "methods": {HOSTILE: scores}, "left_out": {HOSTILE: HOSTILE}}
    report["self_check"] = [checked]
    return report


def test_no_text_is_taken_for_html(result, reading):
    spread = result.hole.full().astype(np.float32)
    usual = reading(page_of(result, spread=spread))
    read = reading(page_of(result, hostile_report(result), spread))
    assert len(read.all("script")) == 1
    assert len(read.all("img")) == len(usual.all("img"))
    assert read.text.count(SHOWN) >= 20
    assert "\x1b" not in read.text
    assert "\u202e" not in read.text


def test_warnings_of_parts_come_first(result, reading):
    report = copy.deepcopy(result.report)
    report["warnings"] = report["parts"][0]["warnings"] = ["Darker than any tissue around it."]
    read = reading(page_of(result, report))
    assert "1 of 1 part of the hole with warnings." in read.text
    assert read.all("p", class_="verdict look")
    report["parts"][0]["warnings"] = []
    assert reading(page_of(result, report)).all("p", class_="verdict note")


def test_regions_and_tissues_are_shown_where_they_are_known(result, reading):
    assert "By the atlas" not in reading(page_of(result)).text
    report = copy.deepcopy(result.report)
    report["parts"][0] |= {
        "regions": {"left <cortex>": 0.62, "left white matter": 0.3, "left hippocampus": 0.04},
        "tissues": {"grey": 0.2, "white": 0.7, "csf": 0.04},
    }
    report["parts"].append({**result.report["parts"][0], "number": 2})
    read = reading(page_of(result, report))
    regions = "left <cortex> (62 %), left white matter (30 %)"
    assert f"By the atlas in {regions}; an average head has there white matter (70 %), grey matter (20 %)." in read.text
    method = result.report["method"]
    headings = read.texts.index("Regions")
    assert read.texts[headings + 1] == "Warnings"
    cells = [text for text in read.texts[headings + 2 :] if text.strip()]
    assert [cells[at + 1] for at, cell in enumerate(cells) if cell == method][:2] == [regions, "–"]


def test_voxels_keep_their_proportions(reading):
    image = image_of(noise((12, 40, 48)), (5.0, 0.5, 1.0))
    read = reading(page_of(filled(image, (slice(4, 6), slice(10, 20), slice(10, 20)))))
    mm = {"axial": (0.5, 1.0), "coronal": (5.0, 1.0), "sagittal": (5.0, 0.5)}  # down and right
    for figure, (name, pixels) in zip(read.all("figure"), read.pictures("Before: part 1, ").items(), strict=True):
        tall, wide = np.multiply(pixels.shape[:2], mm[name.split(",")[0]])
        assert float(figure["style"].removeprefix("--ratio:")) == pytest.approx(wide / tall, rel=1e-3)


def test_voxels_without_data_are_see_through(reading):
    array = noise((16, 18, 20)).astype(np.float32)
    array[:, :, :3] = np.nan
    padded = filled(image_of(array), (slice(6, 9),) * 3)
    read = reading(page_of(padded))
    for picture in [*read.pictures("Before: ").values(), *read.pictures("After: ").values()]:
        if picture.shape[1] == 20:
            assert not picture[:, :3, 3].any()
            assert (picture[:, 3:, 3] == 255).all()
    assert "Hatched: no data." in read.text


def test_a_film_has_one_plane_and_no_letters(reading):
    film = filled(mi.Volume(noise((60, 70)), (1.0, 1.0)), (slice(20, 24), slice(30, 40)), modality="film")
    read = reading(page_of(film))
    assert len(read.all("figure")) == 2  # close, and the whole image
    assert not [each for each in read.all("span") if each.get("class", "").startswith("letter")]
    assert "40 pixels" in read.text
    assert "mm" not in read.text.replace("1 x 1 mm", "")


def test_the_letters_of_a_flipped_volume_are_those_of_the_patient(reading):
    array = np.full((20, 22, 24), 300, np.int16)
    array[:, :, 20:] = 800  # at the end of the rows, which here run to the patient's right
    turned = mi.Volume(array, (1.0,) * 3, (0.0,) * 3, (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    read = reading(page_of(filled(turned, (slice(8, 12),) * 3)))
    axial = next(picture for name, picture in read.pictures("Before: part 1, ").items() if name.startswith("axial"))
    assert axial[:, :4, 0].mean() > axial[:, 4:, 0].mean()
    assert [each["class"] for each in read.all("span") if each.get("class", "").startswith("letter")][:4] == [
        "letter top",
        "letter right",
        "letter bottom",
        "letter left",
    ]
    assert [text for text in read.texts if text in "LRAPSI"][:4] == ["A", "L", "P", "R"]


def test_an_uncertainty_is_drawn_in_the_hole_with_a_legend(result, reading):
    spread = np.where(result.hole.full(), 7.0, 0.0).astype(np.float32)
    report = copy.deepcopy(result.report)
    report["uncertainty"] = {"basis": "calibrated by a, b", "reason": "", "factors": {}}
    read = reading(page_of(result, report, spread))
    k = report["parts"][0]["middle"][0]
    picture = read.pictures("Uncertainty: part 1, ")[f"axial, k = {k}"]
    np.testing.assert_array_equal(picture[..., 3] > 0, result.hole.full()[k])
    assert "7 or more" in read.text
    assert "standard deviation of the error, calibrated by a, b, in the image's units" in read.text


def test_sixty_parts_make_no_page_of_more_than_3_mb(reading):
    image = image_of(noise((40, 280, 280)))
    boxes = [
        (slice(k, k + 9), slice(j, j + 24), slice(i, i + 24))
        for k in (3, 16, 29)
        for j in range(10, 250, 60)
        for i in range(10, 260, 54)
    ]
    many = filled(image, *boxes)
    assert len(many.parts) == 60
    page = page_of(many, spread=many.hole.full().astype(np.float32))
    assert 1e6 < len(page.encode()) < 3e6
    read = reading(page)
    assert 5 <= len(read.all("article")) <= MOST_DRAWN
    (rows,) = [len(read.all("tr")) - 1]
    assert rows == 60
    assert f"Pictures of the {len(read.all('article'))} worst parts" in read.text


def test_of_thousands_of_parts_the_table_has_the_worst(result, reading):
    report = copy.deepcopy(result.report)
    report["parts"] = [{**report["parts"][0], "number": number} for number in range(1, 5001)]
    read = reading(page_of(result, report))
    assert len(read.all("tr")) - 1 == MOST_ROWS
    assert f"and {5000 - MOST_ROWS} more" in read.text


def test_the_page_is_saved_with_the_image_or_not_at_all(result, tmp_path):
    result.save(tmp_path / "filled.nii.gz", tmp_path / "filled.json", page=tmp_path / "filled.html")
    assert (tmp_path / "filled.html").read_text(encoding="utf-8") == page_of(result)
    assert set(json.loads((tmp_path / "filled.json").read_text())["files"]) == {"filled.nii.gz", "filled.html"}
    with pytest.raises(OutputPathError, match="does not exist"):
        result.save(tmp_path / "other.nii.gz", page=tmp_path / "nowhere" / "filled.html")
    assert not (tmp_path / "other.nii.gz").exists()


def test_a_job_writes_a_page_and_its_file_keeps_the_path(tmp_path, reading):
    image = image_of(noise((12, 14, 16)))
    image.write(tmp_path / "<b>t1.nii.gz")
    hole = np.zeros(image.array.shape, np.uint8)
    hole[4:7, 5:9, 6:9] = 1
    image.with_array(hole).write(tmp_path / "mask.nii.gz")
    fields = {"image": "<b>t1.nii.gz", "mask": "mask.nii.gz", "output": "out.nii.gz", "page": "page.html"}
    job = FillJob.of({"job": "fill", "method": "shell-mean", **fields}, tmp_path)
    job.write(tmp_path / "job.json")
    again = FillJob.of(json.loads((tmp_path / "job.json").read_text()), tmp_path)
    assert again == job
    assert dataclasses.replace(again, page=None).page is None
    again.run()
    assert "<b>t1.nii.gz" in reading((tmp_path / "page.html").read_text(encoding="utf-8")).texts


def test_only_the_page_of_several_volumes_says_which_one_it_shows(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    array = noise((12, 14, 10, 3))
    hole = np.zeros(array.shape[:3], np.uint8)
    hole[4:7, 5:9, 6:9] = 1
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "series.nii.gz")
    nibabel.save(nibabel.Nifti1Image(hole, np.eye(4)), tmp_path / "mask.nii.gz")
    fields = {"image": "series.nii.gz", "mask": "mask.nii.gz", "output": "out.nii.gz", "page": "page.html"}
    job = FillJob.of({"job": "fill", "method": "shell-mean", **fields}, tmp_path)
    job.run()
    of_all = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "This page shows volume 0, the first that was filled." in of_all
    dataclasses.replace(job, volume=1).run()
    assert "This page shows" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_remark_is_shown_below_the_title_as_it_is_written(result, reading):
    read = reading(result.page(HOSTILE))
    assert SHOWN in read.texts
    assert result.page() == page_of(result)
