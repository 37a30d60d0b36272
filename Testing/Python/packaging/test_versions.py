"""Versions and dates that stand in several files agree."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def _find(file, pattern):
    return re.search(pattern, (REPOSITORY / file).read_text(encoding="utf-8"), re.MULTILINE).groups()


def test_the_citation_is_that_of_the_last_release_in_the_changelog():
    version, date = _find("CHANGELOG.md", r"^## \[(\d.*?)\] - (.+)$")
    assert _find("CITATION.cff", r"^version: (.+)$") == (version,)
    assert _find("CITATION.cff", r"^date-released: (.+)$") == (date,)


def test_pre_commit_runs_the_ruff_of_the_constraints():
    assert _find(".pre-commit-config.yaml", r"rev: v(.+)$") == _find("constraints.txt", r"^ruff==(.+)$")
