"""Preconditioned conjugate gradients for symmetric positive systems that are given as functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import ConvergenceError

#: The estimate of the error was up to 2.3 times too small on the shapes of the tests.
SAFETY = 3.0


def conjugate_gradients(
    apply: Callable[[np.ndarray, np.ndarray], np.ndarray],
    b: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    *,
    accuracy: float,
    max_iterations: int,
    each: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, float, int]:
    """Solve ``A x = b`` from a zero start (Hestenes and Stiefel 1952).

    It stops by the error of x, not by the residual: where the preconditioner M is near ``A^-1``, ``M (b - A x)`` is
    near the error itself, and bounds it where ``M A`` has no eigenvalue below 1. The residual of a biharmonic system,
    in contrast, can be 10^-6 while x is off by 10^-3.

    Args:
        apply: ``apply(x, out)`` writes ``A x`` into ``out`` and returns it.
        b: flat right-hand side.
        precondition: approximates ``A^-1``; symmetric and positive.
        accuracy: stop when the estimated error of every unknown is at most this.
        max_iterations: give up after so many.
        each: called after each iteration with the share of the digits that are won, 0..1 (progress, cancel).

    Returns:
        the solution, its relative residual ``|b - A x| / |b|``, and the number of iterations.

    Raises:
        ConvergenceError: ``max_iterations`` were not enough; the message tells how far it came.
    """
    x = np.zeros_like(b)
    residual = b.copy()
    z = precondition(residual)
    direction = z.copy()
    rz = _dot(residual, z)
    image = np.empty_like(b)
    first = error = float(np.abs(z).max(initial=0.0))
    goal = accuracy / SAFETY
    iteration = 0
    while not error <= goal:  # written so that NaN does not pass
        if iteration == max_iterations or not np.isfinite(error):
            raise ConvergenceError(
                f"The solver came to an error of {error:.1e} in {iteration} iterations, not {accuracy:.1e}. "
                "Raise the method's tolerance, or use the method nearest."
            )
        iteration += 1
        apply(direction, image)
        step = rz / _dot(direction, image)
        x += step * direction
        residual -= step * image
        z = precondition(residual)
        error = float(np.abs(z).max())
        each(_share_won(first, error, goal))
        rz, previous = _dot(residual, z), rz
        direction *= rz / previous
        direction += z
    size = _norm(b)
    # The recursion drifts from the truth by rounding: report the residual that was really reached.
    return x, _norm(b - apply(x, image)) / size if size > 0 else 0.0, iteration


def _share_won(first: float, now: float, goal: float) -> float:
    """Return the share of the digits that are won: conjugate gradients win them at about a constant rate."""
    if not goal < now < first:
        return float(now <= goal)
    return math.log(first / now) / math.log(first / goal)


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    # einsum, not BLAS: BLAS wakes its threads for vectors of this size, which costs up to 10x on a busy machine.
    return float(np.einsum("i,i->", a, b))


def _norm(a: np.ndarray) -> float:
    return float(np.sqrt(_dot(a, a)))
