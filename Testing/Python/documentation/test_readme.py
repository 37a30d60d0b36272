"""The README is short, its table is that of the page, and what it says can be done as it says."""

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.samples import sample
from Testing import documentation

README = "README.md"


def test_the_readme_has_at_most_200_lines():
    assert len(documentation.text(README).splitlines()) <= 200


def test_every_command_and_snippet_works(tmp_path):
    assert [language for language, _ in documentation.steps(README)] == ["sh", "python"]
    documentation.run(README, tmp_path)


def section(page: str, title: str) -> dict[str, dict[str, str]]:
    """Return method -> cells of the table below a heading of a page."""
    rest = documentation.text(page).split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in rest.splitlines() if line.startswith("| ")]
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]
    heads = cells[0]
    return {row[0]: dict(zip(heads, row, strict=True)) for row in cells[1:]}


@pytest.mark.parametrize(
    ("hole", "title"),
    [
        ("15 ml of MS lesions", "15 ml of MS lesions"),
        ("six balls of 20 mm", "Six balls of 20 mm"),
        ("one stroke of 20-50 ml", "One stroke of 20-50 ml in the average head"),
    ],
)
def test_the_rows_of_heads_are_those_of_the_page(hole, title):
    table = section("docs/real-lesions/README.md", title)
    smooth, mirror, unet, auto = (
        f"{float(table[name]['PSNR dB']):.1f}" for name in ("biharmonic", "mirror", "unet", "auto")
    )
    people, seconds = table["auto"]["people"], f"{float(table['auto']['s']):.0f}"
    line = f"| Heads: {hole} | {people} | {smooth} | {mirror} | {unet} | **{auto}** | {seconds} |"
    assert line in documentation.text(README)


@pytest.mark.parametrize("title", ["Chest films, squares of 32 px", "CT slices, squares of 32 px"])
def test_the_rows_of_films_and_slices_are_those_of_the_page(title):
    table = section("docs/films-and-ct/README.md", title)
    smooth, unet = (f"{float(table[name]['PSNR dB'].split(' ')[0]):.1f}" for name in ("biharmonic", "unet"))
    people, seconds = table["unet"]["people"], f"{float(table['unet']['s']):.0f}"
    line = f"| {title.replace(',', ':')} | {people} | {smooth} | | **{unet}** | takes `unet` | {seconds} |"
    assert line in documentation.text(README)


def test_auto_takes_the_network_on_films_and_slices():
    """As the table says, where PyTorch is installed."""
    pytest.importorskip("torch")
    for name, modality in (("chest-film", "film"), ("ct-slab", "CT")):
        image = sample(name)
        array = mi.Volume.read(image.image).array
        frame = array if array.ndim == 2 else array[len(array) // 2]
        hole = np.zeros(frame.shape, dtype=bool)
        middle = [size // 2 for size in frame.shape]
        hole[middle[0] - 16 : middle[0] + 16, middle[1] - 16 : middle[1] + 16] = True
        assert mi.inpaint(frame, hole, modality=modality).report["method"] == "unet"
