"""What fills start from."""

import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.errors import ConvergenceError
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.region import crop
from MedInpaintLib.scan import Scan
from MedInpaintLib.solvers import solve_biharmonic, solve_laplace, start


def test_a_start_is_a_membrane_where_a_plate_cannot_be_solved(monkeypatch):
    rng = np.random.default_rng(0)
    image, hole = rng.random((10, 12, 14)).astype(np.float32), np.zeros((10, 12, 14), bool)
    hole[3:6, 4:8, 5:9] = True
    box = bounding_box(hole)
    region = crop(
        Scan(mi.Volume(image, 1.0), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0)),
        tuple(slice(0, size) for size in hole.shape),
    )
    plate = start.thin_plate(region)
    known = image[~hole]
    expected = np.clip(solve_biharmonic(region.values, hole, region.spacing).values, known.min(), known.max())
    np.testing.assert_allclose(plate, expected, atol=1e-6)

    def stiff(*arguments, **options):
        raise ConvergenceError("It does not converge.")

    monkeypatch.setattr(start, "solve_biharmonic", stiff)
    membrane = solve_laplace(region.values, hole, region.spacing).values
    np.testing.assert_allclose(start.thin_plate(region), membrane, atol=1e-6)
