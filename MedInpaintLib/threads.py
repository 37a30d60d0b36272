"""Threads of the libraries underneath."""

from __future__ import annotations

import os


def one_for_blas() -> None:
    """Let OpenBLAS work with one thread, unless the user says otherwise; only before numpy and scipy are imported.

    Both bring an OpenBLAS of their own, whose waiting threads take the cores from each other's: a fill by
    patch-regression that takes 1.9 s with one thread takes 4 to 7 s with two on two cores. PyTorch has threads of its
    own.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
