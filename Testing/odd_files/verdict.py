"""Run a trial and judge its outcome: exit code, what was printed, what was written, and that no input was changed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .formats import header, intensities, stored
from .kinds import Kind, Right, Trial

FILLED, REFUSED, WRONG = "filled", "refused", "WRONG"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a trial."""

    outcome: str
    code: int
    detail: str


@dataclasses.dataclass(frozen=True)
class Run:
    """What a command did.

    Attributes:
        code: its exit code.
        output, errors: what it printed.
        foreign: what was written past Python, by libraries.
        crash: an exception that came through.
    """

    code: int
    output: str
    errors: str
    foreign: str
    crash: str


def tried(kind: Kind, form: str) -> Verdict:
    """Make the files of a kind in a format, fill, and judge."""
    with tempfile.TemporaryDirectory(prefix="odd-") as place:
        folder = Path(place).resolve() / "trial"
        folder.mkdir()
        trial, right = kind.trial(form, folder)
        before = _fingerprints(folder)
        run = fill(trial.arguments)
        problem = _problem(trial, right, run, before)
        line = next((line for line in run.errors.splitlines() if line.startswith("Error:")), "")
        shown = (line or " ".join(run.errors.split()) or "no warning").replace(f"{folder}{os.sep}", "")
        outcome = WRONG if problem else FILLED if run.code == 0 else REFUSED
        return Verdict(outcome, run.code, f"{problem}; {shown}" if problem else shown)


def fill(arguments: list[str]) -> Run:
    """Run the command in this process."""
    from typer.testing import CliRunner

    from MedInpaintLib.cli.app import app

    with _past_python() as foreign:
        result = CliRunner().invoke(app, arguments)
    crash = result.exception
    shown = "" if crash is None or isinstance(crash, SystemExit) else f"{type(crash).__name__}: {crash}"
    return Run(result.exit_code, result.stdout, result.stderr, foreign[0], shown)


@contextlib.contextmanager
def _past_python() -> Iterator[list[str]]:
    """Catch what libraries write to the descriptors of standard output and error; the list holds it afterwards."""
    caught: list[str] = []
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            yield caught
        finally:
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
            file.seek(0)
            caught.append(file.read().decode("utf-8", "replace"))


def _problem(trial: Trial, right: Right, run: Run, before: dict[Path, str]) -> str:
    """Return what is wrong; empty when all is right."""
    if run.crash or "Traceback" in run.errors + run.output + run.foreign:
        return f"a traceback ({run.crash or run.errors.strip().splitlines()[-1]})"
    if run.foreign.strip():
        return f"a library's own words: {' '.join(run.foreign.split())[:120]}"
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", run.output + run.errors):
        return "control characters are printed"
    # The voxels of the old header have the output's name, too; those of the new one, another.
    stem = trial.output.name.split(".")[0]
    replaced = {path for path in before if path.name.startswith(f"{stem}.")} if right.replaced else set()
    changed = [path.name for path in before.keys() - replaced if _fingerprint(path) != before[path]]
    if changed:
        return f"inputs were changed: {', '.join(changed)}"
    if run.code != 0:
        return _problem_of_refusal(trial, right, run, before)
    if right.truth is None:
        return "SILENTLY FILLED"
    if right.warned and not re.search(right.warned, "\n".join(_lines(run, "Warning:"))):
        return f"no warning like '{right.warned}'"
    if right.said and not re.search(right.said, run.output + run.errors):
        return f"nothing is said like '{right.said}'"
    left = [path.name for path in _fingerprints(trial.folder) if path not in before and not _is_output(path, trial)]
    if left:
        return f"files were left behind: {', '.join(left)}"
    try:
        return _problem_of_fill(trial, right)
    except Exception as error:  # readers have many kinds of errors for files that they cannot read
        return f"the output cannot be read ({type(error).__name__}: {error})"


def _problem_of_refusal(trial: Trial, right: Right, run: Run, before: dict[Path, str]) -> str:
    errors = _lines(run, "Error:")
    if len(errors) != 1 or len(_lines(run, "Warning:")) + 1 != len(run.errors.splitlines()):
        return f"{len(run.errors.splitlines())} lines instead of one"
    if not right.refused:
        return "refused, though it can be filled"
    if run.code != right.code:
        return f"exit code {run.code} instead of {right.code}"
    if re.search(r"sitk|itk::|ITK ERROR|ImageIO|\.cxx|numpy\.|unexpected error", errors[0]):
        return "refused in foreign words"
    if not re.search(right.refused, errors[0], re.IGNORECASE):
        return f"the message is not like '{right.refused}'"
    new = [path.name for path in _fingerprints(trial.folder) if path not in before]
    return f"refused, but files were written: {', '.join(new)}" if new else ""


def _problem_of_fill(trial: Trial, right: Right) -> str:
    assert right.truth is not None
    hole = np.squeeze(trial.hole if right.hole is None else right.hole)
    may = hole if right.may is None else np.squeeze(right.may)
    truth, found = np.squeeze(right.truth), intensities(trial.output)
    if found.shape != truth.shape:
        return f"SILENTLY WRONG: shape {found.shape} instead of {truth.shape}"
    source = trial.image if right.source is None else right.source
    if right.same and source.is_file():
        old, new = stored(source), stored(trial.output)
        if old.dtype.newbyteorder("=") != new.dtype.newbyteorder("="):
            return f"SILENTLY WRONG: {new.dtype} instead of {old.dtype}"
        # Bytes, not numbers: NaN is no number, and 0 has two signs.
        differ = (_bytes(old) != _bytes(new)) & ~may
        other = [name for name, value in header(source).items() if header(trial.output).get(name) != value]
        if other:
            return f"SILENTLY WRONG: header fields differ: {', '.join(other)}"
    else:
        differ = (found != truth) & ~(np.isnan(found) & np.isnan(truth)) & ~may
    if differ.any():
        return f"SILENTLY WRONG: {int(differ.sum())} known voxels changed"
    step = 0.5 if stored(trial.output).dtype.kind in "iu" else 0.0
    off = np.abs(found[hole] - truth[hole])
    if hole.any() and not off.max() <= right.tolerance + step:
        return f"SILENTLY WRONG: the hole is off by up to {off.max():.3g}"
    return ""


def _bytes(array: np.ndarray) -> np.ndarray:
    native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
    return native.view(f"u{native.itemsize}") if native.itemsize <= 8 else native


def _lines(run: Run, start: str) -> list[str]:
    return [line for line in run.errors.splitlines() if line.startswith(start)]


def _is_output(path: Path, trial: Trial) -> bool:
    """Return whether a file is the output, or the voxels that its header names."""
    if path == trial.output:
        return True
    detached = trial.output.suffix in (".mhd", ".nhdr") and trial.output.is_file()
    return detached and path.name.encode("utf-8", "surrogateescape") in trial.output.read_bytes()


def _fingerprints(folder: Path) -> dict[Path, str]:
    """Return a hash of every file in a folder, and of what links point to."""
    paths = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return {path: _fingerprint(path) for path in paths}


def _fingerprint(path: Path) -> str:
    """Return a hash of a file and its permissions; of what is no regular file, its kind."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "gone" if not path.is_symlink() else "a broken link"
    if not stat.S_ISREG(mode):
        return f"no file {mode}"
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {mode} {path.is_symlink()}"
