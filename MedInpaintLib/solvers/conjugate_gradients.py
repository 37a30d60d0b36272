"""Preconditioned conjugate gradients for symmetric positive systems that are given as functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import ConvergenceError


def conjugate_gradients(
    apply: Callable[[np.ndarray, np.ndarray], np.ndarray],
    b: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    *,
    rtol: float,
    max_iterations: int,
    each: Callable[[float], None] = lambda residual: None,
) -> tuple[np.ndarray, float, int]:
    """Solve ``A x = b`` from a zero start (Hestenes and Stiefel 1952).

    Args:
        apply: ``apply(x, out)`` writes ``A x`` into ``out`` and returns it.
        b: flat right-hand side.
        precondition: approximates ``A^-1``; symmetric and positive.
        rtol: stop when ``|b - A x| <= rtol |b|``.
        max_iterations: give up after so many.
        each: called with the relative residual after each iteration (progress, cancel).

    Returns:
        the solution, its true relative residual, and the number of iterations.

    Raises:
        ConvergenceError: ``max_iterations`` were not enough; the message tells the residual.
    """
    size = _norm(b)
    x = np.zeros_like(b)
    if size == 0.0:
        return x, 0.0, 0
    residual = b.copy()
    z = precondition(residual)
    direction = z.copy()
    rz = _dot(residual, z)
    image = np.empty_like(b)
    for iteration in range(1, max_iterations + 1):
        apply(direction, image)
        step = rz / _dot(direction, image)
        x += step * direction
        residual -= step * image
        relative = _norm(residual) / size
        each(relative)
        if relative <= rtol:
            # The recursion drifts from the truth by rounding: report what was really reached.
            true = _norm(b - apply(x, image)) / size
            return x, true, iteration
        z = precondition(residual)
        rz, previous = _dot(residual, z), rz
        direction *= rz / previous
        direction += z
    raise ConvergenceError(
        f"The solver reached a relative residual of {relative:.1e} in {max_iterations} iterations, not {rtol:.1e}. "
        "Split the hole, or choose another method."
    )


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    # einsum, not BLAS: BLAS wakes its threads for vectors of this size, which costs up to 10x on a busy machine.
    return float(np.einsum("i,i->", a, b))


def _norm(a: np.ndarray) -> float:
    return float(np.sqrt(_dot(a, a)))
