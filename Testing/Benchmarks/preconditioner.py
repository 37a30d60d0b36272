"""Why one solver: plain conjugate gradients, pyamg and this project's multigrid on the same systems."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from measure import timed

from MedInpaintLib.solvers.conjugate_gradients import conjugate_gradients
from MedInpaintLib.solvers.laplacian import HoleLaplacian
from MedInpaintLib.solvers.multigrid import VCycle

ACCURACY, RTOL = 1e-5, 1e-6


def ball(diameter: float, dimensions: int) -> np.ndarray:
    half = int(diameter / 2) + 2
    return ((np.indices((2 * half + 1,) * dimensions) - half) ** 2).sum(axis=0) <= (diameter / 2) ** 2


def assembled(hole: np.ndarray) -> scipy.sparse.csr_array:
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    inner = np.argwhere(hole)
    rows, columns = [], []
    for axis in range(hole.ndim):
        for step in (-1, 1):
            neighbour = inner.copy()
            neighbour[:, axis] += step
            other = number[tuple(neighbour.T)]
            rows.append(np.flatnonzero(other >= 0))
            columns.append(other[other >= 0])
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = scipy.sparse.csr_array((np.full(len(row), -1.0), (row, column)), shape=(len(inner),) * 2)
    return (matrix + scipy.sparse.diags_array(np.full(len(inner), 2.0 * hole.ndim))).tocsr()


def main() -> None:
    import pyamg

    print(
        f"Laplace's equation in a ball; ours to an error of {ACCURACY:g}, the others to a relative residual of {RTOL:g}"
    )
    print("set-up included for all but scipy's matrix; median of 3")
    print(f"{'unknowns':>9}  {'solver':28} {'iterations':>10} {'ms':>9} {'ratio':>7}")
    for diameter, dimensions in ((20, 3), (40, 3), (80, 3), (230, 2)):
        hole = ball(diameter, dimensions)
        b = np.random.default_rng(0).standard_normal(int(hole.sum()))
        matrix = assembled(hole)
        shape = np.pad(hole, [(0, 1)] * hole.ndim)
        flat = np.zeros(shape.size)
        flat[shape.ravel()] = b

        def operator(shape: np.ndarray = shape, inner: np.ndarray = hole) -> HoleLaplacian:
            inside = np.pad(np.ones_like(inner), [(0, 1)] * inner.ndim)
            return HoleLaplacian(shape[None], inside[None], (1.0,) * inner.ndim)

        def ours(flat: np.ndarray = flat, operator=operator) -> int:
            system = operator()
            return conjugate_gradients(system.apply, flat, VCycle(system).apply, accuracy=ACCURACY, max_iterations=999)[
                2
            ]

        def plain(matrix=matrix, b: np.ndarray = b) -> int:
            residuals = []
            system = scipy.sparse.csr_array(matrix)
            scipy.sparse.linalg.cg(system, b, rtol=RTOL, callback=residuals.append)
            return len(residuals)

        def amg(build, matrix=matrix, b: np.ndarray = b) -> int:
            residuals: list[float] = []
            build(scipy.sparse.csr_matrix(matrix)).solve(b, tol=RTOL, accel="cg", residuals=residuals)
            return len(residuals) - 1

        solvers = {
            "V-cycle + CG (ours)": ours,
            "scipy cg, assembled matrix": plain,
            "pyamg Ruge-Stueben + CG": lambda amg=amg: amg(pyamg.ruge_stuben_solver),
            "pyamg smoothed aggr. + CG": lambda amg=amg: amg(pyamg.smoothed_aggregation_solver),
        }
        base = None
        for name, solve in solvers.items():
            median, iterations = timed(solve, repeats=3)
            base = base or median
            print(f"{hole.sum():9}  {name:28} {iterations:10} {1e3 * median:9.1f} {median / base:6.1f}x")


if __name__ == "__main__":
    main()
