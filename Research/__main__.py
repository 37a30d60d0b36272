"""The command ``python -m Research [NAME [OPTION...]]``."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from typing import Any

from MedInpaintLib.errors import MissingDependencyError, ParameterError
from MedInpaintLib.job import EXIT_DONE, guarded
from MedInpaintLib.threads import one_for_blas

from . import STUDIES

#: What does not run a study -> what it does.
COMMANDS = {
    "atlas-average": "Make the average head of the atlas from train people.",
    "atlas-regions": "Make the map of regions of the atlas from label maps of train people.",
    "consensus-weights": "Learn the weights of the method consensus from train people.",
    "uncertainty-constants": "Learn from train and val people how large the errors of each method are.",
    "error-correlation": "Print how the errors of fills correlate with distance, for samples of a fill.",
    "pages": "Write the pages of all or some studies again from their tables.",
}

USAGE = """usage: python -m Research NAME --data DATA [OPTION...]
       python -m Research pages [NAME...] [--check]

Runs a study and writes its page: tables, plots, pictures, and what was found. DATA is a folder with MANIFEST.csv;
python -m Research NAME --help explains the other options. The same command resumes a study that was stopped.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a study or a command or, without a name, list all; return the exit code, as of ``medinpaint``."""
    one_for_blas()
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        about = {name: question for name, (question, _) in STUDIES.items()} | COMMANDS
        width = max(map(len, about))
        print(USAGE, *(f"{name:{width}}  {words}" for name, words in about.items()), sep="\n")
        return EXIT_DONE
    return guarded(lambda: run(arguments[0], arguments[1:]), _report)


def run(name: str, arguments: Sequence[str]) -> None:
    """Run a study or a command.

    Args:
        name: of :data:`STUDIES` or :data:`COMMANDS`.
        arguments: as on a command line.

    Raises:
        ParameterError: there is no such study.
        MissingDependencyError: a package that studies need is not installed.
    """
    if name not in STUDIES and name not in COMMANDS:
        known = f"the studies are: {', '.join(STUDIES)}; the commands: {', '.join(COMMANDS)}"
        raise ParameterError(f"There is no study '{name}'; {known}.")
    try:
        module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
        study = importlib.import_module(".shared.study_command", __package__) if hasattr(module, "STUDY") else None
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"Studies need the package '{error.name}', which is not installed; in the repository's folder, run: "
            'pip install ".[cli,research]"'
        ) from None
    if study:
        study.main(module.STUDY, arguments)
    else:
        module.main(arguments)


def _report(event: dict[str, Any]) -> None:
    """Print an error or a cancellation in one line."""
    print(f"Error: {event['message']}" if event["event"] == "error" else event["message"], file=sys.stderr)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal can show signs such as ±
    sys.exit(main())
