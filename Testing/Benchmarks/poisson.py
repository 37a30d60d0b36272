"""Poisson blending on a box against fpie (numba), scipy's sparse direct solver, and the exact answer."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from measure import timed

from MedInpaintLib.blending import poisson

SIDES = (64, 128, 240)
FPIE_ITERATIONS = 5000


def scene(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image, a prediction with another brightness and slope, both 8-bit grey levels, and the box."""
    size = side + 32
    y, x = np.indices((size, size)) / size
    image = np.rint(110 + 60 * np.sin(7 * x) * np.cos(5 * y))
    prediction = np.rint(90 + 50 * np.sin(9 * x + 1) * np.cos(4 * y) + 25 * x)
    hole = np.zeros((size, size), dtype=bool)
    hole[16 : 16 + side, 16 : 16 + side] = True
    return image, prediction, hole


def sparse_direct(image: np.ndarray, prediction: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The same equations, assembled and factorized: the yardstick for the error, and a peer."""
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    rows, columns, right = [], [], np.zeros(int(hole.sum()))
    inner = np.argwhere(hole)
    for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = tuple((inner + step).T)
        unknown = number[neighbour] >= 0
        rows.append(np.flatnonzero(unknown))
        columns.append(number[neighbour][unknown])
        right += prediction[hole] - prediction[neighbour] + np.where(unknown, 0, image[neighbour])
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = scipy.sparse.csc_array((np.full(len(row), -1.0), (row, column)), shape=(len(right),) * 2)
    matrix += scipy.sparse.diags_array(np.full(len(right), 4.0))
    out = image.copy()
    out[hole] = scipy.sparse.linalg.spsolve(matrix.tocsc(), right)
    return out


def fpie_numba(image: np.ndarray, prediction: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """fpie wants three channels: the same one three times, as floats, so that nothing is lost by rounding."""
    from fpie.process import EquProcessor

    def three(grey: np.ndarray) -> np.ndarray:
        return np.repeat(grey[..., None], 3, axis=2).astype(np.float32)

    processor = EquProcessor(gradient="src", backend="numba")
    processor.reset(three(prediction), three(255.0 * hole), three(image), (0, 0), (0, 0))
    filled, _ = processor.step(FPIE_ITERATIONS)
    return filled[..., 0].astype(np.float64)


def main() -> None:
    print("Poisson blending of a square box; error = largest difference from the exact solution, range 1")
    print(f"fpie: {FPIE_ITERATIONS} iterations")
    print(f"{'box':>9}  {'':22} {'ms':>9} {'error':>9} {'ratio':>8}")
    poisson(*scene(64))
    fpie_numba(*scene(16))
    for side in SIDES:
        arguments = scene(side)
        seconds, ours = timed(poisson, arguments[1], arguments[0], arguments[2], repeats=9)
        peers = {
            "scipy spsolve": timed(sparse_direct, *arguments, repeats=3),
            "fpie numba": timed(fpie_numba, *arguments, repeats=1),
        }
        exact = peers["scipy spsolve"][1]
        error = np.abs(ours - exact).max() / 255
        print(f"{f'{side} x {side}':>9}  {'MedInpaint (DST)':22} {1e3 * seconds:9.2f} {error:9.1e}")
        for name, (peer, filled) in peers.items():
            error = np.abs(filled - exact).max() / 255
            print(f"{'':>9}  {name:22} {1e3 * peer:9.2f} {error:9.1e} {peer / seconds:7.0f}x")


if __name__ == "__main__":
    main()
