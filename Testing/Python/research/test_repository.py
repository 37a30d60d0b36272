"""Studies stay out of what users install, and their pages out of each other."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from Research import STUDIES

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def texts():
    """Path -> text of every tracked text file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not in a git repository")
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # a picture; deleted, and not committed yet
            continue
    return found


def test_the_old_command_is_named_in_the_changelog_alone(texts):
    old = re.compile("medinpaint" + r" experiment\b|evaluation[./]" + "experiments")
    names = [name for name, text in texts.items() if old.search(text) and not name.startswith("Testing/Data/")]
    assert names == ["CHANGELOG.md"]


def test_what_users_install_does_not_know_the_studies(texts):
    imports = re.compile(r"^\s*(from|import) Research\b", re.M)
    shipped = ("MedInpaint/", "MedInpaintLib/", "SegmentEditorMedInpaint/")
    assert [name for name, text in texts.items() if name.startswith(shipped) and imports.search(text)] == []
    assert [name for name, text in texts.items() if name.endswith("CMakeLists.txt") and "Research" in text] == []


def test_the_index_has_a_line_for_each_study_and_each_page_is_there():
    index = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8").splitlines()
    rows = [f"| [{question}]({page}) | `python -m Research {name}` |" for name, (question, page) in STUDIES.items()]
    assert [line for line in index if line.startswith("| [")] == rows
    for _, page in STUDIES.values():
        path, _, heading = page.partition("#")
        headings = re.findall(r"^#+ (.+)", (ROOT / "docs" / path).read_text(encoding="utf-8"), flags=re.M)
        assert not heading or heading in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


def test_every_picture_of_a_page_is_there_and_shown_and_none_is_png():
    """WebP takes a quarter of the bytes of PNG, and the repository must stay small."""
    docs = ROOT / "docs"
    shown = {
        (page.parent / picture).resolve()
        for page in docs.rglob("*.md")
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    there = {path.resolve() for ending in ("webp", "png", "svg") for path in docs.rglob(f"*.{ending}")}
    # Screenshots and icons of pages lie in the repository's Resources.
    assert {path for path in shown if path.is_relative_to(docs.resolve())} == there
    assert not [path for path in there if path.suffix == ".png"]


def test_no_page_repeats_the_result_of_another(texts):
    """A result is a table or a paragraph with a decimal number; all but when and on what machine it was made."""
    pages = Counter(
        block
        for name, text in texts.items()
        if name.startswith("docs/") and name.endswith(".md")
        for block in set(text.split("\n\n"))
        if re.search(r"\d\.\d", block) and not re.match(r"on \d{4}-", block)
    )
    assert [block for block, count in pages.items() if count > 1] == []
