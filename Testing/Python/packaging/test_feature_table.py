"""The table that compares the extension with others: each "yes" is shown by a test that exists."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "explanation" / "extension.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| ")]
HEAD, FEATURES = ROWS[0], ROWS[1:]


def test_every_feature_is_there_and_shown_by_a_test_that_exists():
    assert len(FEATURES) >= 21
    files = {path.name: path.read_text(encoding="utf-8") for path in (REPOSITORY / "Testing").rglob("test_*.py")}
    for row in FEATURES:
        assert len(row) == len(HEAD), row
        assert re.match("yes(:|$)", row[HEAD.index("MedInpaint")]), row
        file, name = re.fullmatch(r"`(test_\w+\.py)::(test_\w+)`", row[HEAD.index("Shown by")]).groups()
        assert f"def {name}(" in files[file], f"{file} has no {name}"


def test_ci_runs_all_tests():
    workflows = (REPOSITORY / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert "bash .ci/run" in workflows
    assert "make test-all" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
