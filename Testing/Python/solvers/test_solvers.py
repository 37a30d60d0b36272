"""Solvers against dense linear algebra, closed forms and scikit-image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from MedInpaintLib.errors import ConvergenceError, MaskError
from MedInpaintLib.solvers import direct, laplacian, solve_biharmonic, solve_laplace, solve_poisson
from MedInpaintLib.solvers import fill as module
from MedInpaintLib.solvers.laplacian import HoleLaplacian, axis_weights
from MedInpaintLib.solvers.multigrid import VCycle


def literal_laplacian(shape, spacing) -> np.ndarray:
    """The Neumann Laplacian in mm^-2 as a dense matrix, entry by entry."""
    matrix = np.zeros((np.prod(shape),) * 2)
    for index in np.ndindex(*shape):
        row = np.ravel_multi_index(index, shape)
        for axis, mm in enumerate(spacing):
            for step in (-1, 1):
                other = list(index)
                other[axis] += step
                if 0 <= other[axis] < shape[axis]:
                    matrix[row, np.ravel_multi_index(other, shape)] += 1 / mm**2
                    matrix[row, row] -= 1 / mm**2
    return matrix


def literal_solution(values, hole, spacing, order, source=None) -> np.ndarray:
    matrix = np.linalg.matrix_power(literal_laplacian(values.shape, spacing), order)
    unknown = hole.ravel()
    known = np.where(hole, 0, values).ravel()
    right = (0 if source is None else source.ravel()[unknown]) - (matrix @ known)[unknown]
    known[unknown] = np.linalg.solve(matrix[np.ix_(unknown, unknown)], right)
    return known.reshape(values.shape)


@st.composite
def problems(draw):
    shape = draw(st.sampled_from([(9, 13), (14, 6), (5, 7, 8), (6, 6, 9)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(["scattered", "inner box", "corner box", "slab", "everything but one"]))
    hole = np.zeros(shape, bool)
    if kind == "scattered":
        hole = rng.random(shape) < draw(st.sampled_from([0.1, 0.5]))
    elif kind == "inner box":
        hole[tuple(slice(1, size - 1) for size in shape)] = True
    elif kind == "corner box":
        hole[tuple(slice(0, size // 2) for size in shape)] = True
    elif kind == "slab":
        hole[:, 2:5] = True
    else:
        hole[...] = True
    hole.flat[-1] = False
    spacing = tuple(draw(st.sampled_from([0.7, 1.0, 2.5])) for _ in shape)
    return rng.standard_normal(shape), hole, spacing


@pytest.mark.parametrize("small", [0, 4096], ids=["one by one, boxes directly", "in batches"])
@given(problem=problems())
@settings(max_examples=40, deadline=None)
def test_every_equation_matches_dense_algebra(small, problem):
    values, hole, spacing = problem
    if not hole.any():
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", small)
        source = np.random.default_rng(0).standard_normal(values.shape)
        for order, solution in (
            (1, solve_laplace(values, hole, spacing, accuracy=1e-9)),
            (2, solve_biharmonic(values, hole, spacing, accuracy=1e-9)),
        ):
            np.testing.assert_allclose(
                solution.values, literal_solution(values, hole, spacing, order), rtol=0, atol=1e-7
            )
        poisson = solve_poisson(values, hole, source, spacing, accuracy=1e-9)
        np.testing.assert_allclose(
            poisson.values, literal_solution(values, hole, spacing, 1, source), rtol=0, atol=1e-7
        )


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_the_operators_match_dense_algebra_in_blocks_of_any_size(block, monkeypatch):
    monkeypatch.setattr(laplacian, "BLOCK", block)
    shape, spacing = (5, 6, 7), (2.5, 1.0, 0.8)
    rng = np.random.default_rng(0)
    hole, pad = np.zeros(shape, bool), [(0, 1)] * 3
    hole[1:4, 2:, 1:5] = rng.random((3, 4, 4)) < 0.7
    operator = HoleLaplacian(np.pad(hole, pad)[None], np.pad(np.ones(shape, bool), pad)[None], axis_weights(spacing))
    matrix = -literal_laplacian(shape, spacing) * min(spacing) ** 2
    x = np.where(hole, rng.standard_normal(shape), 0.0)
    flat = np.pad(x, pad).ravel()
    once, twice = (np.where(hole.ravel(), power @ x.ravel(), 0) for power in (matrix, matrix @ matrix))
    for applied, expected in (
        (operator.apply(flat, np.empty_like(flat)), once),
        (operator.apply_squared(flat, np.empty_like(flat)), twice),
        (operator.residual(flat, 2 * flat), 2 * x.ravel() - once),
    ):
        np.testing.assert_allclose(applied.reshape(operator.shape)[0, :-1, :-1, :-1].ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2.5, 0.8, 1.1)])
def test_quadratic_harmonics_are_reproduced(spacing):
    z, y, x = (axis * mm for axis, mm in zip(np.indices((20, 24, 22)), spacing, strict=True))
    harmonic = x**2 - y**2 + 3 * z - x * y
    hole = (z - z.mean()) ** 2 + (y - y.mean()) ** 2 + (x - x.mean()) ** 2 < 36
    filled = solve_laplace(np.where(hole, 1e6, harmonic), hole, spacing, accuracy=1e-8).values
    np.testing.assert_allclose(filled, harmonic, atol=1e-5 * np.ptp(harmonic))


def test_cubics_are_biharmonic_and_are_reproduced():
    z, y, x = np.indices((24, 26, 25)) / 10.0
    cubic = x**3 - 2 * x * y**2 + z**2 * y + z * x - 4
    hole = (x - 1.2) ** 2 + (y - 1.2) ** 2 + (z - 1.2) ** 2 < 0.6
    filled = solve_biharmonic(np.where(hole, 0, cubic), hole, (1, 1, 1), accuracy=1e-8).values
    np.testing.assert_allclose(filled, cubic, atol=1e-5 * np.ptp(cubic))


def test_poisson_gives_back_a_field_from_its_laplacian():
    y, x = np.indices((40, 50)) * 0.5
    field = np.sin(x / 3) * np.cos(y / 4)
    source = (literal_laplacian(field.shape, (0.5, 0.5)) @ field.ravel()).reshape(field.shape)
    hole = np.zeros(field.shape, bool)
    hole[5:35, 8:44] = True
    filled = solve_poisson(np.where(hole, 0, field), hole, source, (0.5, 0.5), accuracy=1e-9).values
    np.testing.assert_allclose(filled, field, atol=1e-7)


def test_a_large_box_is_solved_directly_and_the_same_as_iteratively(monkeypatch):
    rng = np.random.default_rng(2)
    values = rng.standard_normal((100, 120)).cumsum(axis=0)
    hole = np.zeros(values.shape, bool)
    hole[10:95, :70] = True
    direct = solve_laplace(values, hole, (1, 1))
    assert direct.iterations == 0
    hole[95, 69] = True  # one voxel more and it is no box
    monkeypatch.setattr(module, "SMALL", 0)
    iterative = solve_laplace(direct.values, hole, (1, 1), accuracy=1e-9)
    assert iterative.iterations > 0
    rest = hole.copy()
    rest[95, 69] = False
    refilled = np.where(hole & ~rest, iterative.values, values)
    np.testing.assert_allclose(iterative.values, solve_laplace(refilled, rest, (1, 1)).values, atol=1e-6)


def test_biharmonic_agrees_with_scikit_image():
    skimage = pytest.importorskip("skimage.restoration")
    rng = np.random.default_rng(3)
    image = rng.standard_normal((26, 27, 28)).cumsum(axis=0).cumsum(axis=1)
    image = (image - image.min()) / np.ptp(image)
    z, y, x = np.indices(image.shape)
    hole = (z - 13) ** 2 + (y - 13) ** 2 + (x - 14) ** 2 <= 49
    ours = solve_biharmonic(image, hole, (1, 1, 1)).values
    theirs = skimage.inpaint_biharmonic(image, hole)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def disc(shape, radius, axes=(-2, -1)):
    grid = np.indices(shape)
    return sum((grid[axis] - (shape[axis] - 1) / 2) ** 2 for axis in axes) <= radius**2


HARD = {
    "a ball": ((46, 46, 46), (1, 1, 1), disc((46, 46, 46), 20, (0, 1, 2))),
    "a disc": ((240, 240), (1, 1), disc((240, 240), 100)),
    "a hole through a slab of 2 slices": ((2, 160, 160), (0.7, 0.7, 0.7), disc((2, 160, 160), 60)),
    "a hole through a slab of 6 slices": ((6, 160, 160), (1, 1, 1), disc((6, 160, 160), 60)),
    "slices 20 times closer than pixels": ((8, 120, 120), (0.05, 1, 1), disc((8, 120, 120), 40)),
    "slices 20 times thicker than pixels": ((12, 100, 100), (20, 1, 1), disc((12, 100, 100), 40)),
    "all but a disc": ((160, 160), (1, 1), ~disc((160, 160), 10)),
    "all but one face": ((40, 40, 40), (1, 1, 1), np.indices((40, 40, 40))[0] > 0),
    "a checkerboard": ((30, 30, 30), (1, 1, 1), np.indices((30, 30, 30)).sum(axis=0) % 2 == 1),
    "95 % of all voxels": ((40, 40, 40), (1, 1, 1), np.random.default_rng(0).random((40, 40, 40)) < 0.95),
}


@pytest.mark.parametrize(("shape", "spacing", "hole"), HARD.values(), ids=HARD.keys())
def test_hard_shapes_are_solved_to_the_default_accuracy(shape, spacing, hole):
    values = np.random.default_rng(1).random(shape)
    for solve, most in ((solve_laplace, 30), (solve_biharmonic, 450)):
        solution = solve(values, hole, spacing)
        exact = solve(values, hole, spacing, accuracy=1e-9)
        assert np.abs(solution.values - exact.values).max() <= 1e-5
        assert solution.iterations <= most


def test_the_number_of_iterations_hardly_grows_with_the_hole():
    needed = []
    for radius in (5, 10, 20):
        size = 2 * radius + 7
        hole = disc((size,) * 3, radius, (0, 1, 2))
        values = np.random.default_rng(0).standard_normal(hole.shape)
        needed.append(solve_laplace(values, hole, (1, 1, 1)).iterations)
    assert max(needed) <= 8


@pytest.mark.parametrize("scale", [1e-200, 1e-40, 1e39])
def test_no_scale_of_the_values_is_too_small_or_too_large(scale):
    values, hole = np.random.default_rng(0).random((20, 20)), disc((20, 20), 6)
    expected = solve_biharmonic(values, hole, (1, 1)).values
    np.testing.assert_allclose(solve_biharmonic(scale * values, hole, (1, 1)).values / scale, expected, atol=1e-5)


def test_a_hole_of_everything_is_refused():
    with pytest.raises(MaskError, match="no known voxel"):
        solve_laplace(np.zeros((5, 5)), np.ones((5, 5), bool), (1, 1))


def test_values_that_are_not_finite_are_refused():
    values, hole = np.random.default_rng(0).random((20, 20)), disc((20, 20), 6)
    values[0, 0] = np.nan
    with pytest.raises(ConvergenceError):
        solve_laplace(values, hole, (1, 1))


@pytest.mark.parametrize("through_the_border", [False, True])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1)])
def test_a_v_cycle_is_symmetric_and_positive(spacing, through_the_border):
    shape = (18, 17, 20)
    hole = disc(shape, 7, (1, 2)) if through_the_border else disc(shape, 7, (0, 1, 2))
    pad = [(0, 1)] * 3
    operator = HoleLaplacian(np.pad(hole, pad)[None], np.pad(np.ones_like(hole), pad)[None], axis_weights(spacing))
    cycle = VCycle(operator)
    assert len(cycle.levels) > 2
    rng = np.random.default_rng(0)
    mask = operator.unknown.ravel()
    a, b = rng.standard_normal((2, mask.size)) * mask
    assert cycle.apply(a) @ b == pytest.approx(a @ cycle.apply(b), rel=1e-4)
    assert cycle.apply(a) @ a > 0


@pytest.mark.parametrize("solve", [solve_laplace, solve_biharmonic])
def test_a_solver_that_does_not_converge_says_so(solve):
    grid = np.indices((30, 30, 30)) - 15
    hole = (grid**2).sum(axis=0) <= 144
    values = np.random.default_rng(0).standard_normal(hole.shape)
    with pytest.raises(ConvergenceError, match=r"an error of .* in 1 iterations"):
        solve(values, hole, (1, 1, 1), max_iterations=1)


def lumps(shape, seed):
    """A hole of some unconnected lumps, one at the border of the array."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape).reshape(len(shape), -1).T
    middles = [np.zeros(len(shape)), *(rng.integers(0, shape, (3, len(shape))))]
    near = [((grid - middle) ** 2).sum(axis=1) <= rng.integers(3, 11) for middle in middles]
    return np.any(near, axis=0).reshape(shape)


@pytest.mark.parametrize("dense", [0, 10**6], ids=["sparse factors", "dense factors"])
@pytest.mark.parametrize("with_gaps", [False, True])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((14, 15, 16), (1, 1, 1)), ((9, 16, 12), (5.0, 0.7, 0.9)), ((22, 31), (1, 1)), ((30, 24), (0.4, 2.0))],
)
def test_factors_and_iterations_give_the_same_fill(shape, spacing, with_gaps, dense, monkeypatch):
    monkeypatch.setattr(direct, "DENSE", dense)
    rng = np.random.default_rng(5)
    values, hole = rng.standard_normal(shape), lumps(shape, 3)
    no_data = ~hole & (rng.random(shape) < 0.2) if with_gaps else None
    for solve in (solve_laplace,) if with_gaps else (solve_laplace, solve_biharmonic):
        by_factors = solve(values, hole, spacing, no_data=no_data)
        assert by_factors.iterations == 0
        with monkeypatch.context() as patch:
            patch.setattr(module, "SMALL", 0)
            by_iterations = solve(values, hole, spacing, no_data=no_data, accuracy=1e-9)
        assert by_iterations.iterations > 0
        np.testing.assert_allclose(by_factors.values, by_iterations.values, rtol=0, atol=1e-7)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.6, 1.1)])
@pytest.mark.parametrize("middle", [(8, 8, 8), (8, 8, 1)], ids=["inside", "at the border"])
def test_small_holes_in_linear_and_cubic_fields_are_filled_to_rounding(middle, spacing):
    indices = np.indices((17, 17, 17))
    z, y, x = (axis * mm for axis, mm in zip(indices, spacing, strict=True))
    hole = sum((axis - at) ** 2 for axis, at in zip(indices, middle, strict=True)) <= 11
    at_border = bool(hole[..., 0].any())
    harmonic = 3 * z - 2 * y if at_border else x * y - 2 * y * z + z  # no slope across the border
    np.testing.assert_allclose(solve_laplace(np.where(hole, 99, harmonic), hole, spacing).values, harmonic, atol=1e-10)
    cubic = z**3 - 2 * z * y**2 + y**3 + (0 if at_border else x**3 - x * z**2)
    filled = solve_biharmonic(np.where(hole, 99, cubic), hole, spacing).values
    np.testing.assert_allclose(filled, cubic, atol=1e-9 * np.ptp(cubic))


def test_a_matrix_without_a_factor_has_no_solution():
    matrix = csc_array(np.ones((3, 3)))
    x, error = direct.solve_block(matrix, np.arange(3.0), direct.factorized(matrix))
    assert np.isnan(x).all()
    assert np.isnan(error)


@pytest.mark.parametrize("solve", [solve_laplace, solve_biharmonic])
def test_parts_of_one_shape_are_filled_as_if_each_were_the_first(solve):
    rng = np.random.default_rng(0)
    places = [(8, 8), (3, 8), (0, 8), (0, 0), (8, 0), (13, 13)]  # in the middle, near the border, at it
    cases = [(spacing, place) for spacing in ((1, 1), (1, 2)) for place in places]
    images = [rng.random((18, 18)) for _ in cases]

    def fill(image, spacing, place):
        hole = np.zeros(image.shape, dtype=bool)
        hole[place[0] : place[0] + 5, place[1] + 1 : place[1] + 4] = True
        hole[place[0] + 2, place[1] : place[1] + 5] = True  # no full box, which sine transforms would solve
        return solve(image, hole, spacing).values

    one_after_the_other = [fill(image, *case) for image, case in zip(images, cases, strict=True)]
    for image, case, filled in zip(images, cases, one_after_the_other, strict=True):
        module._factored.cache_clear()
        np.testing.assert_array_equal(fill(image, *case), filled)


def test_where_rounding_spoils_the_factors_iterations_solve(monkeypatch):
    values, hole = np.random.default_rng(0).random((20, 20)), disc((20, 20), 6)
    expected = solve_biharmonic(values, hole, (1, 1))
    monkeypatch.setattr(module, "solve_block", lambda block, b, solve: (np.zeros_like(b), 1e-3))
    solution = solve_biharmonic(values, hole, (1, 1))
    assert solution.iterations > 0
    np.testing.assert_allclose(solution.values, expected.values, atol=1e-5)
