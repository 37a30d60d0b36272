"""Linear systems on holes: Laplace, Poisson and biharmonic, matrix-free, any shape, 2-D and 3-D, spacing-aware."""

from .fill import Solution, solve_biharmonic, solve_laplace, solve_poisson

__all__ = ["Solution", "solve_biharmonic", "solve_laplace", "solve_poisson"]
