"""Preconditioned conjugate gradients for symmetric positive systems that are given as functions."""

from __future__ import annotations

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
    each: Callable[[float], None] = lambda error: None,
) -> tuple[np.ndarray, float, int]:
    """Solve ``A x = b`` from a zero start (Hestenes and Stiefel 1952).

    It stops by the error of x, not by the residual: where the preconditioner M is near ``A^-1``, ``M (b - A x)``
        is near
    the error itself, and it bounds it where ``M A`` has no eigenvalue below 1. The residual of a biharmonic system, in
    contrast, can be 10^-6 while x is off by 10^-3.

    Args:
        apply: ``apply(x, out)`` writes ``A x`` into ``out`` and returns it.
        b: flat right-hand side.
        precondition: approximates ``A^-1``; symmetric and positive.
        accuracy: stop when the estimated error of every unknown is at most this.
        max_iterations: give up after so many.
        each: called with the estimated error after each iteration (progress, cancel).

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
    error = float(np.abs(z).max(initial=0.0))
    iteration = 0
    while not error <= accuracy / SAFETY:  # written so that NaN does not pass
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
        each(error)
        rz, previous = _dot(residual, z), rz
        direction *= rz / previous
        direction += z
    size = _norm(b)
    # The recursion drifts from the truth by rounding: report the residual that was really reached.
    return x, _norm(b - apply(x, image)) / size if size > 0 else 0.0, iteration


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    # einsum, not BLAS: BLAS wakes its threads for vectors of this size, which costs up to 10x on a busy machine.
    return float(np.einsum("i,i->", a, b))


def _norm(a: np.ndarray) -> float:
    return float(np.sqrt(_dot(a, a)))
