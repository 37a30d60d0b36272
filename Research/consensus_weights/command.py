"""The command ``consensus-weights``: learns the weights of the method `consensus` from fills of balls in train people.

It prints them as constants for ``MedInpaintLib/consensus.py``, and how good the method is in people who were
left out. What was measured before is read from its files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.consensus import WITHOUT_PATCHES
from MedInpaintLib.errors import InputError

from ..shared.cases import whole
from .fit import Variance, Weights, fit_variance, fit_weights
from .judge import table
from .measure import list_jobs, measure, samples_of


def main(arguments: Sequence[str]) -> None:
    """Run the command; see :data:`Research.__main__.USAGE`."""
    parser = argparse.ArgumentParser(prog="python -m Research consensus-weights", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument("--workers", type=whole, default=2, help="scans at a time")
    parser.add_argument("--as-measured", action="store_true", help="measure nothing: learn from what there is")
    chosen = parser.parse_args(arguments)
    jobs = list_jobs(chosen.data, chosen.runs)
    if not chosen.as_measured:
        measure(jobs, chosen.workers)
    samples = list(samples_of(jobs))
    people = {each.subject for each in samples}
    if len(people) < 2:
        raise InputError(
            f"Weights are learned from two people or more; measured were {len(people)} (files in '{chosen.runs}')."
        )
    weights, fewer = fit_weights(samples), fit_weights(samples, tuple(WITHOUT_PATCHES))
    balls = sum(len(list(each.balls())) for each in samples)
    print(f"# {balls} balls in {len(samples)} fills of {len(people)} people")
    print(constants(weights, fewer, fit_variance(samples, weights)))
    print(f"\nPSNR in dB of people whom the weights have not seen:\n\n{table(samples)}")


def constants(weights: Weights, fewer: Weights, variance: Variance) -> str:
    """Return the weights as Python.

    >>> print(constants({"mirror": (0.7, -0.2)}, {"atlas": (0.24, 0.381)}, Variance(0.00358, 0.78, 0.0023)))
    WEIGHTS = {"mirror": (0.70, -0.20)}
    WITHOUT_PATCHES = {"atlas": (0.24, 0.38)}
    CONSTANT, DISAGREEMENT, DEPTH = 0.0036, 0.78, 0.0023
    """
    spread = ", ".join(f"{each:.2g}" for each in (variance.constant, variance.disagreement, variance.depth))
    lines = [f"WEIGHTS = {_python(weights)}", f"WITHOUT_PATCHES = {_python(fewer)}"]
    return "\n".join([*lines, f"CONSTANT, DISAGREEMENT, DEPTH = {spread}"])


def _python(weights: Weights) -> str:
    entries = (f'"{name}": ({", ".join(f"{each:.2f}" for each in own)})' for name, own in weights.items())
    return f"{{{', '.join(entries)}}}"
