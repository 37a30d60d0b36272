"""What tests read of the documentation: pages, their blocks of code, and sentences in them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Runs the steps of a page in one process, as a reader would in one folder: commands, and Python in one session.
RUNNER = """
import json, shlex, subprocess, sys


def main():
    session = {"__name__": "__main__"}
    for language, code in json.load(open(sys.argv[1], encoding="utf-8")):
        if language == "python":
            exec(compile(code, sys.argv[1], "exec"), session)
            continue
        program, *arguments = shlex.split(code)
        start = [sys.executable] if program == "python" else [sys.executable, "-m", "MedInpaintLib.cli"]
        if subprocess.run([*start, *arguments]).returncode:
            sys.exit(f"This command of the page failed: {code}")


if __name__ == "__main__":
    main()
"""


def text(page: str) -> str:
    """Return the text of a page, such as ``docs/how-to/jobs.md``."""
    return (ROOT / page).read_text(encoding="utf-8")


def says(page: str, sentence: str) -> bool:
    """Return whether a page says this, however its lines are broken."""
    return " ".join(sentence.split()) in " ".join(text(page).split())


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code in a language, such as ``json``."""
    return re.findall(rf"```{language}\n(.*?)```", text(page), flags=re.DOTALL)


def commands(block: str) -> list[str]:
    """Return the commands in a block of a shell, without prompts and comments; a backslash continues a line.

    >>> commands("$ medinpaint fill a.nii b.nii -o c.nii  # so\\n$ cat study.csv\\nid,image")
    ['medinpaint fill a.nii b.nii -o c.nii']
    """
    lines = (line.removeprefix("$ ").split("  #")[0].strip() for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if re.match(r"(medinpaint|python) ", line)]


def steps(page: str) -> list[tuple[str, str]]:
    """Return what a reader runs: each command in blocks ``sh``, and each block ``python`` that is not for Slicer."""
    snippets = re.findall(r"^```(sh|python)\n(.*?)^```", text(page), flags=re.DOTALL | re.MULTILINE)
    runs: list[tuple[str, str]] = []
    for language, code in snippets:
        if language == "sh":
            runs += [("sh", command) for command in commands(code)]
        elif "slicer" not in code:
            runs.append(("python", code))
    return runs


def run(page: str, folder: Path) -> None:
    """Run all steps of a page in a folder where the sample data lie as in the repository."""
    shutil.copytree(ROOT / "Resources" / "SampleData", folder / "Resources" / "SampleData")
    (folder / "Testing").mkdir()
    shutil.copy(ROOT / "Testing" / "bids_example.py", folder / "Testing")
    (folder / "steps.json").write_text(json.dumps(steps(page)), encoding="utf-8")
    (folder / "runner.py").write_text(RUNNER, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "runner.py", "steps.json"], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert process.returncode == 0, process.stderr
