"""No text of the project uses the phrases of ``Testing/phrases.txt``."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PHRASES = REPOSITORY / "Testing" / "phrases.txt"
#: Texts of others, history, and the two files that name the phrases.
NOT_OURS = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Testing/")
KINDS = (".py", ".md", ".toml", ".ui", ".txt", ".yml")


def read_phrases() -> list[tuple[re.Pattern[str], str]]:
    lines = [line for line in PHRASES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = [line.split(" = ") for line in lines]
    return [(re.compile(rf"(?i)\b(?:{pattern})\b"), instead) for pattern, instead in pairs]


def list_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0")
    return [REPOSITORY / name for name in names if name.endswith(KINDS) and not name.startswith(NOT_OURS)]


def find_phrases(text: str) -> list[str]:
    """Return the phrases in a text; one may go on in the next line, behind its indent and the sign of a comment."""
    joined = re.sub(r"\s*\n[ \t]*(?:#:? ?)?", " ", text)
    return [
        f"'{use.group()}', write: {instead}" for pattern, instead in read_phrases() for use in pattern.finditer(joined)
    ]


def test_no_text_uses_a_phrase_of_the_list():
    texts = list_texts()
    if not texts:
        pytest.skip("not a git checkout")
    uses = [f"{path.relative_to(REPOSITORY)}: {use}" for path in texts for use in find_phrases(path.read_text("utf-8"))]
    assert uses == []


@pytest.mark.parametrize("text", ["It is made anew.", "one that\n    #: is said\n    #: of all", "UNSETTLED voxels"])
def test_phrases_are_found_in_any_case_and_over_the_end_of_a_line(text):
    assert len(find_phrases(text)) == 1


def test_words_that_only_contain_a_phrase_are_left_alone():
    assert find_phrases("A renewed, settled plan; manewed and sheeds are no words of the list.") == []
