"""The command ``consensus-weights``: learns the weights of the method `consensus` from fills of balls in train people.

It prints them as constants for ``MedInpaintLib/consensus.py``, and how good the method is in people who were
left out. What was measured before is read from its files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

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
    weights = fit_weights(samples)
    balls = sum(len(list(each.balls())) for each in samples)
    print(f"# {balls} balls in {len(samples)} fills of {len(people)} people")
    print(constants(weights, fit_variance(samples, weights)))
    print(f"\nPSNR in dB of people whom the weights have not seen:\n\n{table(samples)}")


def constants(weights: Weights, variance: Variance) -> str:
    """Return the weights as Python.

    >>> print(constants(Weights((0.7, -0.2), (0.24, 0.381)), Variance(0.00358, 0.78, 0.0023)))
    MIRROR = (0.70, -0.20)
    ATLAS = (0.24, 0.38)
    CONSTANT, DISAGREEMENT, DEPTH = 0.0036, 0.78, 0.0023
    """
    mirror, atlas = (", ".join(f"{each:.2f}" for each in own) for own in (weights.mirror, weights.atlas))
    spread = ", ".join(f"{each:.2g}" for each in (variance.constant, variance.disagreement, variance.depth))
    return f"MIRROR = ({mirror})\nATLAS = ({atlas})\nCONSTANT, DISAGREEMENT, DEPTH = {spread}"
