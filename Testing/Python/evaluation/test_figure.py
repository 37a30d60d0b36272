"""The figure: right size, right way up, atomically written."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from MedInpaintLib.errors import GeometryError, MaskError, MissingDependencyError, OutputError, OutputPathError
from MedInpaintLib.evaluation import save_figure
from MedInpaintLib.evaluation.figure import _PANEL, save_comparison, write_figure
from MedInpaintLib.volume import Volume

image_module = pytest.importorskip("matplotlib.image")
DPI = 100


def pixels(path):
    return image_module.imread(path)[..., :3]


@pytest.fixture
def case():
    """Slices of 60 x 40 voxels; a large hole, largest on slice 2."""
    image = Volume.of(np.random.default_rng(0).integers(100, 900, (5, 60, 40)).astype(np.int16))
    hole = np.zeros(image.array.shape, dtype=bool)
    hole[2, 20:40, 10:30] = hole[1, 22:30, 15:20] = True
    return image, hole, np.where(hole, 500, image.array)


def panel(picture, number, ratio):
    """The pixels of one of the equally wide panels; sizes as the module lays them out."""
    left = round((0.12 + number * (ratio * _PANEL + 0.08)) * DPI)
    top = round(0.72 * DPI)
    return picture[top : top + round(_PANEL * DPI), left : left + round(ratio * _PANEL * DPI)]


@pytest.mark.parametrize("spacing", [(1, 1, 1), (3, 2, 1), (1, 0.5, 0.9)])
def test_panels_have_the_shape_of_the_slice_in_mm(case, tmp_path, spacing):
    image, hole, filled = case
    save_figure(tmp_path / "f.png", Volume.of(image.array, spacing), hole, filled, dpi=DPI)
    height, width = pixels(tmp_path / "f.png").shape[:2]
    ratio = 40 * spacing[2] / (60 * spacing[1])
    assert width / DPI == pytest.approx(0.12 + 4 * ratio * _PANEL + 3 * 0.08 + 0.75, abs=0.02)
    assert height / DPI == pytest.approx(0.72 + _PANEL + 0.38, abs=0.02)


def test_it_shows_before_hole_after_and_difference_of_the_largest_slice(case, tmp_path):
    image, hole, filled = case
    save_figure(tmp_path / "f.png", image, hole, filled, window=(0, 1000), dpi=DPI)
    picture, ratio = pixels(tmp_path / "f.png"), 40 / 60
    before, marked, after, difference = (panel(picture, number, ratio) for number in range(4))
    middle = (slice(120, 200), slice(70, 150))  # well inside the hole
    assert before[middle].std() > 0.1
    assert after[middle] == pytest.approx(0.5, abs=0.01)
    red, green, blue = marked[middle].reshape(-1, 3).mean(axis=0)
    assert red > green > blue + 0.3
    assert difference[middle].std() > 0.1
    assert (difference[5:60] <= 0.45).all()  # outside the hole only dimmed anatomy


@pytest.mark.parametrize(
    ("direction", "corner"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), "top left"),
        ((-1, 0, 0, 0, -1, 0, 0, 0, 1), "bottom right"),  # RAS, as in most NIfTI files
        ((-1, 0, 0, 0, 1, 0, 0, 0, 1), "top right"),
        ((0, 0, 1, 1, 0, 0, 0, 1, 0), "bottom left"),  # sagittal: columns to posterior, rows to superior
        ((0, 0, 1, 1, 0, 0, 0, -1, 0), "top left"),  # sagittal: rows to inferior
    ],
)
def test_the_patient_lies_as_in_radiology(tmp_path, direction, corner):
    array = np.zeros((3, 40, 40), dtype=np.int16)
    array[:, :10, :10] = 1000  # where the rows and columns begin
    hole = np.zeros(array.shape, dtype=bool)
    hole[1, 14:26, 14:26] = True
    image = Volume(array, (1, 1, 1), direction=direction)
    save_figure(tmp_path / "f.png", image, hole, array, window=(0, 1000), dpi=DPI)
    before = panel(pixels(tmp_path / "f.png"), 0, 1.0).mean(axis=2)
    half = before.shape[0] // 2
    means = {
        "top left": before[:half, :half].mean(),
        "top right": before[:half, half:].mean(),
        "bottom left": before[half:, :half].mean(),
        "bottom right": before[half:, half:].mean(),
    }
    assert max(means, key=means.get) == corner


def test_a_small_hole_is_shown_close_up_beside_the_whole_slice(case, tmp_path):
    image, _, filled = case
    hole = np.zeros(image.array.shape, dtype=bool)
    hole[2, 30:33, 20:23] = True
    save_figure(tmp_path / "f.png", image, hole, filled, dpi=DPI)
    width = pixels(tmp_path / "f.png").shape[1]
    assert width / DPI == pytest.approx(0.12 + (40 / 60 + 4) * _PANEL + 4 * 0.08 + 0.75, abs=0.02)


def test_films_and_holes_at_the_border_can_be_shown(tmp_path):
    film = Volume.of(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8))
    hole = np.zeros(film.array.shape, dtype=bool)
    hole[:4, -4:] = True
    save_figure(tmp_path / "f.png", film, hole, film.array, window=(0, 255), truth_known=False, dpi=DPI)
    picture = pixels(tmp_path / "f.png")
    assert picture.shape[1] / DPI == pytest.approx(0.12 + 5 * _PANEL + 4 * 0.08 + 0.75, abs=0.02)
    whole, before, marked = (panel(picture, number, 1.0) for number in range(3))
    assert whole.mean() == pytest.approx(film.array.mean() / 255, abs=0.03)
    # The close-up is 40 of the 64 pixels wide and ends where the film does: at the top and at the right.
    assert before.mean() == pytest.approx(film.array[:40, 24:].mean() / 255, abs=0.03)
    corner = (slice(4, 26), slice(-26, -4))
    red, green, blue = marked[corner].reshape(-1, 3).mean(axis=0)
    assert red > green > blue + 0.3
    assert np.ptp(marked[60:-10, 10:-60], axis=2).max() < 0.02  # grey, away from the hole


def test_the_title_has_the_method_and_its_scores(case, tmp_path):
    named = {"method": "harmonic", "scores": {"psnr": 20.0}}
    for name, words in (("bare.png", {}), ("named.png", named)):
        save_figure(tmp_path / name, *case, dpi=DPI, **words)
    bare, titled = pixels(tmp_path / "bare.png"), pixels(tmp_path / "named.png")
    rows = np.flatnonzero((bare != titled).any(axis=(1, 2)))
    assert rows.size > 0
    assert rows.max() < 0.45 * DPI  # above the panels and their names
    middle = titled.shape[1] // 2
    assert titled[:40, :middle].max() > 0.9  # the name at the left
    assert titled[:40, middle:].max() > 0.9  # the score at the right


def test_drawing_changes_none_of_the_arrays(case, tmp_path):
    image, hole, filled = case
    copies = image.array.copy(), hole.copy(), filled.copy()
    save_figure(tmp_path / "f.png", image, hole, filled)
    assert all((a == b).all() for a, b in zip(copies, (image.array, hole, filled), strict=True))


def test_the_same_fill_gives_the_same_file(case, tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, *case)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_without_matplotlib_the_error_says_how_to_install_it(case, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match="pip install matplotlib"):
        save_figure(tmp_path / "f.png", *case)


def test_matplotlib_is_not_imported_before_a_figure_is_drawn():
    import subprocess

    code = "import sys, MedInpaintLib.evaluation; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_empty_hole_and_other_shapes_are_refused(case, tmp_path):
    image, hole, filled = case
    with pytest.raises(MaskError, match="empty"):
        save_figure(tmp_path / "f.png", image, np.zeros_like(hole), filled)
    with pytest.raises(GeometryError, match="one shape"):
        save_figure(tmp_path / "f.png", image, hole, filled[1:])


def test_a_folder_that_does_not_exist_is_an_output_error(case, tmp_path):
    with pytest.raises(OutputError, match="does not exist; create it first"):
        save_figure(tmp_path / "nowhere" / "f.png", *case)


def test_a_comparison_can_show_what_differs_beside_each_fill(case, tmp_path):
    image, hole, _ = case
    fills = {"right": image.array, "wrong": np.where(hole, image.array + 200, image.array)}
    save_comparison(tmp_path / "c.png", image, hole, fills, differences=True, dpi=DPI)
    picture, ratio = pixels(tmp_path / "c.png"), 40 / 60
    # Truth, hole, right, its difference, wrong, its difference.
    nothing, something = (
        panel(picture, number, ratio)[120:200, 70:150].reshape(-1, 3).mean(axis=0) for number in (3, 5)
    )
    assert nothing.max() < 0.2  # dark where nothing differs
    assert something[0] > something[2] + 0.2  # red where the fill is too bright
    save_comparison(tmp_path / "d.png", image, hole, fills, dpi=DPI)
    assert pixels(tmp_path / "d.png").shape[1] < picture.shape[1]


def test_a_webp_shows_what_the_png_shows(case, tmp_path):
    image, hole, filled = case
    for name in ("c.png", "c.webp"):
        save_comparison(tmp_path / name, image, hole, {"fill": filled}, differences=True, dpi=DPI)
    png, webp = tmp_path / "c.png", tmp_path / "c.webp"
    assert webp.read_bytes()[:4] == b"RIFF"
    assert webp.read_bytes()[8:12] == b"WEBP"
    assert np.abs(pixels(png) * 255.0 - pixels(webp)).mean() < 5  # of 255 greys, in an image of noise


def test_a_webp_has_no_loss_where_that_takes_fewer_bytes(tmp_path):
    from matplotlib.figure import Figure

    flat, noisy = Figure(figsize=(2, 2), dpi=100), Figure(figsize=(2, 2), dpi=100)
    flat.subplots().imshow([[0, 1], [1, 0]], cmap="gray")
    noisy.subplots().imshow(np.random.default_rng(0).random((200, 200)), cmap="gray")
    for name, figure in (("flat", flat), ("noisy", noisy)):
        for ending in ("png", "webp"):
            write_figure(figure, tmp_path / f"{name}.{ending}")
    write_figure(noisy, tmp_path / "better.webp", quality=95)
    png, webp = ((pixels(tmp_path / f"flat.{ending}") * scale).round() for ending, scale in (("png", 255), ("webp", 1)))
    assert np.array_equal(png, webp)
    truth = pixels(tmp_path / "noisy.png") * 255.0
    lossy, better = (np.abs(truth - pixels(tmp_path / f"{name}.webp")).mean() for name in ("noisy", "better"))
    assert lossy > better > 0
    size = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert size["noisy.webp"] < size["better.webp"] < size["noisy.png"]


@pytest.mark.parametrize("name", ["f.jpg", "f", "f.png.gz"])
def test_another_format_is_refused_before_anything_is_drawn(case, tmp_path, name):
    image, hole, filled = case
    with pytest.raises(OutputPathError, match=rf"^'{name}' must end in \.png or \.webp\.$"):
        save_figure(tmp_path / name, image, hole, filled)
    with pytest.raises(OutputPathError, match=r"must end in \.png or \.webp"):
        save_comparison(tmp_path / name, image, hole, {})
    assert not list(tmp_path.iterdir())
