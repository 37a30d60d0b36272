"""Small symmetric positive systems, solved by factors instead of iterations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: Up to so many unknowns a dense factor is quicker than a sparse one: in 3-D biharmonic systems 0.2 instead of 1.2 ms
#: for 171 unknowns, 1.4 instead of 5.3 for 389; in 2-D ones the two are alike at 317 (0.8 and 1.0 ms).
DENSE = 300


#: What solves with a matrix: from a right-hand side to the solution.
Solver = Callable[[np.ndarray], np.ndarray]


def solve_block(block: Any, b: np.ndarray, solve: Solver | None) -> tuple[np.ndarray, float]:
    """Solve ``A x = b``, and once more for what rounding left of b.

    Args:
        block: A, a ``scipy.sparse.csc_array``, symmetric and positive.
        b: flat right-hand side.
        solve: what :func:`factorized` returns for A.

    Returns:
        the solution and its estimated largest error: the size of the second solution. NaN where A has no factor.
    """
    if solve is None:
        return np.full_like(b, np.nan), np.nan
    x = solve(b)
    correction = solve(b - block @ x)
    return x + correction, float(np.abs(correction).max())


def factorized(block: Any) -> Solver | None:
    """Return what solves with A: a dense Cholesky factor of a small matrix, a sparse one of a larger; None without."""
    try:
        return _factorized(block)
    except (np.linalg.LinAlgError, RuntimeError):  # RuntimeError: a sparse factor is singular
        return None


def _factorized(block: Any) -> Solver:
    if block.shape[0] <= DENSE:
        from scipy.linalg import cho_factor, cho_solve

        factor = cho_factor(block.toarray(order="F"), lower=True, overwrite_a=True, check_finite=False)
        return lambda b: cho_solve(factor, b, check_finite=False)
    from scipy.sparse.linalg import splu

    # The diagonal of a positive matrix is always a good pivot, so the order may follow its pattern alone.
    return splu(block, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve
