"""The committed pages say what the committed tables say."""

import csv
import gzip
import math
import shutil
from pathlib import Path

import pytest

from MedInpaintLib.errors import InputError, ParameterError
from Research.pages import PAGES, main, pages
from Research.shared.statistics import CHANCE_OF_TRAINING, CONFIDENCE, LEAST_PEOPLE

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_equals_its_tables(name):
    ((path, text),) = pages(DOCS, [name])
    assert path.read_text(encoding="utf-8") == text


@pytest.fixture
def docs(tmp_path):
    """A copy of the tables and facts of two pages."""
    for name in ("seeds", "networks"):
        folder = tmp_path / "experiments" / name
        shutil.copytree(DOCS / "experiments" / name, folder, ignore=shutil.ignore_patterns("*.webp", "cases"))
    return tmp_path


def test_a_page_that_differs_is_named_and_written_again(docs, capsys):
    chosen = ["seeds", "networks", "--docs", str(docs)]
    main([*chosen, "--check"])
    assert capsys.readouterr().out == "Pages that are what their tables say: 2.\n"
    page = docs / "experiments" / "seeds" / "README.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("cannot be told apart", "is better"), encoding="utf-8")
    with pytest.raises(InputError, match=r"seeds.README\.md\.$"):
        main([*chosen, "--check"])
    assert page.read_text(encoding="utf-8") != text
    main(chosen)
    assert page.read_text(encoding="utf-8") == text
    assert capsys.readouterr().out == f"{page}\n"


def test_a_change_of_the_table_changes_the_page(docs):
    """One PSNR among them, so that nothing on the page is a copy."""
    path = docs / "experiments" / "networks" / "scores.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.reader(file))
    rows[-1][rows[0].index("psnr")] = "1"
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(InputError, match="networks"):
        main(["networks", "--docs", str(docs), "--check"])


def test_the_rule_of_verdicts_has_the_numbers_of_the_code():
    rule = (DOCS / "experiments.md").read_text(encoding="utf-8").partition("## How a page says")[2]
    chance = f"more than {CHANCE_OF_TRAINING['psnr']:g} dB ({CHANCE_OF_TRAINING['ssim']:g} in SSIM)"
    texture = f"must differ by more than {CHANCE_OF_TRAINING['texture']:g}"
    for words in (f"{CONFIDENCE * 100:g} % t-interval", f"fewer than {LEAST_PEOPLE} people", chance, texture):
        assert words in rule


def test_a_study_without_a_page_is_refused():
    with pytest.raises(ParameterError, match="no page of 'given'"):
        main(["given", "--check"])


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.csv.gz")), ids=lambda path: str(path.relative_to(DOCS)))
def test_tables_hold_finite_numbers(path):
    """Where a metric is undefined, a cell is empty."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert not [name for name, cell in row.items() if not is_finite(cell)], row


def is_finite(cell):
    """Return False for infinity and NaN, True for other numbers and words."""
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return True
