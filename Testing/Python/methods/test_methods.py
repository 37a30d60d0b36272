"""Each method against what it is defined to be."""

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.errors import MissingDependencyError, ModelError, ParameterError
from MedInpaintLib.methods import registry
from MedInpaintLib.models import store
from MedInpaintLib.parameters import describe, parse


def fill(image, hole, method, spacing=1.0, **parameters):
    return mi.inpaint(image, hole, method=method, spacing=spacing, parameters=parameters).volume.array


def scene(shape=(14, 16, 18), seed=0):
    rng = np.random.default_rng(seed)
    hole = np.zeros(shape, bool)
    hole[tuple(slice(5, 10) for _ in shape)] = True
    return rng.normal(500, 100, shape).astype(np.float64), hole


def test_nearest_copies_the_nearest_voxel_in_millimetres():
    image, hole = scene()
    spacing = (3.0, 1.0, 0.5)
    filled = fill(image, hole, "nearest", spacing)
    known = np.argwhere(~hole)
    for voxel in np.argwhere(hole):
        squared = (((known - voxel) * spacing) ** 2).sum(axis=1)
        candidates = image[tuple(known[np.isclose(squared, squared.min())].T)]
        assert np.isclose(filled[tuple(voxel)], candidates, rtol=1e-5).any()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.7)])
@pytest.mark.parametrize("thickness", [1.0, 2.5])
def test_shell_mean_is_the_mean_of_the_voxels_within_the_thickness_and_of_those_that_touch_the_hole(thickness, spacing):
    image, hole = scene()
    filled = fill(image, hole, "shell-mean", spacing, thickness=thickness)
    inside, shell = np.argwhere(hole), []
    for voxel in np.argwhere(~hole):
        apart = inside - voxel
        distance = np.sqrt(((apart * spacing) ** 2).sum(axis=1).min())
        if distance <= thickness or np.abs(apart).sum(axis=1).min() == 1:
            shell.append(image[tuple(voxel)])
    np.testing.assert_allclose(filled[hole], np.mean(shell), rtol=1e-5)


def test_what_lies_under_a_hole_close_by_is_not_in_the_shell():
    image, hole = np.random.default_rng(0).normal(500, 100, (12, 30)), np.zeros((12, 30), bool)
    parts = [(slice(5, 8), slice(5, 9)), (slice(5, 8), slice(10, 14))]
    for part in parts:
        hole[part] = True
    filled = fill(image, hole, "shell-mean", thickness=1.0)
    for rows, columns in parts:
        beside = [image[rows, column] for column in (columns.start - 1, columns.stop)]
        above = [image[row, columns] for row in (rows.start - 1, rows.stop)]
        np.testing.assert_allclose(filled[rows, columns], np.concatenate([*beside, *above]).mean(), rtol=1e-5)
    image[:, 20:], image[:, :20] = 1000.0, 600.0  # a shell of one intensity, and another one far away
    np.testing.assert_allclose(fill(image, hole, "shell-mean", thickness=3.0)[hole], 600, rtol=1e-5)


def test_each_part_gets_its_own_shell_mean():
    image = np.zeros((10, 40))
    image[:, 20:] = 100
    hole = np.zeros(image.shape, bool)
    hole[4:6, 5:8] = hole[4:6, 30:33] = True
    filled = fill(np.where(hole, -5, image), hole, "shell-mean")
    np.testing.assert_allclose(filled, image, atol=1e-4)


def test_linear_z_interpolates_each_column_between_its_known_voxels():
    image, hole = scene()
    filled = fill(image, hole, "linear-z", spacing=(4.0, 1.0, 1.0))
    slices = np.arange(len(image))
    for row, column in np.argwhere(hole.any(axis=0)):
        known = ~hole[:, row, column]
        expected = np.interp(slices, slices[known], image[known, row, column])
        np.testing.assert_allclose(filled[:, row, column], expected, rtol=1e-4)


@pytest.mark.parametrize(("axis", "number"), [("slice", 0), ("row", 1), ("column", 2)])
def test_linear_z_works_along_the_axis_that_is_asked_for(axis, number):
    image = np.indices((12, 12, 12))[number] ** 2.0
    hole = np.zeros(image.shape, bool)
    hole[4:7, 4:7, 4:7] = True
    filled = fill(image, hole, "linear-z", axis=axis)
    at = np.indices(image.shape)[number]
    np.testing.assert_allclose(filled[hole], np.interp(at[hole], [3, 7], [9, 49]), rtol=1e-5)


def test_linear_z_has_a_value_for_lines_without_any_known_voxel():
    image = np.tile(np.arange(10.0), (6, 1))
    hole = np.zeros(image.shape, bool)
    hole[:, 4:6] = True
    filled = fill(image, hole, "linear-z", spacing=(3.0, 1.0))
    np.testing.assert_allclose(filled[:, 4:6], [[3.0, 6.0]] * 6, atol=1e-5)


def test_biharmonic_stays_within_the_known_range_unless_told_not_to():
    y, x = np.indices((24, 24)) - 11.5
    image = 100.0 - 5 * np.hypot(x, y)  # a cone: its slopes lead the plate beyond the known range
    hole = np.hypot(x, y) < 6
    free = fill(image, hole, "biharmonic", clip=False)
    kept = fill(image, hole, "biharmonic", clip=True)
    assert np.ptp(free[hole]) > np.ptp(kept[hole])
    assert image[~hole].min() - 1e-3 <= kept[hole].min()
    assert kept[hole].max() <= image[~hole].max() + 1e-3


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_opencv_methods_equal_opencv_on_a_film(method):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    film = (rng.random((40, 50)).cumsum(axis=1) * 1000).astype(np.uint16)
    film.flat[:2] = 0, 65535
    hole = np.zeros(film.shape, bool)
    hole[15:25, 20:30] = True
    flag = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}[method]
    # Inside the road the crop's known range is stretched to 16 bits; OpenCV itself gets the whole film here.
    expected = cv2.inpaint(np.where(hole, 0, film), hole.astype(np.uint8), 3.0, flag)
    filled = fill(film, hole, method)
    assert np.abs(filled[hole].astype(int) - expected[hole]).mean() < 0.002 * 65535


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_slicewise_methods_fill_a_constant_volume_also_where_whole_slices_are_missing(method):
    pytest.importorskip("cv2")
    image = np.full((6, 20, 20), 300, np.int16)
    hole = np.zeros(image.shape, bool)
    hole[2:4] = True
    hole[4, 5:9, 5:9] = True
    np.testing.assert_array_equal(fill(np.where(hole, 0, image), hole, method, (4, 1, 1)), image)


def test_without_opencv_its_methods_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    image, hole = scene()
    with pytest.raises(MissingDependencyError, match="pip install opencv-python-headless"):
        fill(image, hole, "telea")


@pytest.mark.parametrize("info", registry.methods().values(), ids=lambda info: info.name)
def test_every_method_says_all_that_the_panel_and_the_reports_need(info):
    for text in (info.title, info.family, info.summary, info.trust, info.reference):
        assert text
    assert info.summary.endswith(".")
    assert info.trust.endswith(".")
    assert info.dimensions in ("2-D", "3-D", "2-D and 3-D")
    assert info.context_mm > 0
    defaults = info.parameters()
    for parameter in info.describe():
        assert parameter.help.endswith(".")
        assert getattr(defaults, parameter.name) == parameter.default
        assert parse(info.parameters, {parameter.name: str(parameter.default)}, method=info.name) == defaults


@pytest.mark.parametrize("info", registry.methods().values(), ids=lambda info: info.name)
def test_a_method_takes_models_of_the_architecture_that_it_names_and_of_no_other(info, monkeypatch):
    assert (info.architecture is not None) == info.needs_model
    if not info.needs_model:
        return
    monkeypatch.setattr(store, "models", dict)  # none at all
    assert store.fitting(info.architecture) is None
    image, hole = scene()
    given = {"guides": [image], "parameters": {"target": "T1", "guides": "T2"}} if info.needs_guides else {}
    with pytest.raises(ModelError, match=f"There is no model of the architecture '{info.architecture}'"):
        mi.inpaint(image, hole, method=info.name, modality="MR", **given)


def test_parameters_are_read_from_text_and_checked():
    from MedInpaintLib.methods import linear_z, shell_mean

    assert parse(shell_mean.Parameters, {"thickness": "4"}, method="shell-mean").thickness == 4.0
    assert parse(linear_z.Parameters, {"axis": "row"}, method="linear-z").axis == "row"
    with pytest.raises(ParameterError, match=r"between 0.1 and 6 mm; found 'nan'"):
        parse(shell_mean.Parameters, {"thickness": "nan"}, method="shell-mean")
    with pytest.raises(ParameterError, match="one of auto, slice, row, column; found 'up'"):
        parse(linear_z.Parameters, {"axis": "up"}, method="linear-z")
    steps = registry.get("vae-latent").parameters
    for endless in ("inf", "nan"):
        with pytest.raises(ParameterError, match=f"'steps' must be a whole number between .*; found '{endless}'"):
            parse(steps, {"steps": endless}, method="vae-latent")
    assert [info.kind for info in describe(linear_z.Parameters)] == ["choice"]


def test_a_method_names_the_packages_that_are_not_installed():
    info = prediction.MethodInfo("m", "M", "f", "S.", "T.", "R", requires=("numpy", "no-such-package"))
    assert info.missing() == ("no-such-package",)
