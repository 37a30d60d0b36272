"""Samples of a fill: they vary as its uncertainty says, with the texture of errors, and nothing else changes."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import ndimage
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import draws as engine
from MedInpaintLib import pipeline
from MedInpaintLib.cli.app import app
from MedInpaintLib.draws import DEEP, SHARES, SHARES_FILM, WIDTHS, WIDTHS_FILM, Draws, draws_of, gaussian_field
from MedInpaintLib.errors import Cancelled, OutputPathError, ParameterError
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.modality import CT, FILM, MR
from MedInpaintLib.options import FillOptions
from MedInpaintLib.result import draw_from
from Research.shared.subjects import damaged_subject
from Testing.Python import dicom_files

SHAPE = (30, 32, 34)
MANY = 1000


def scan(dtype=np.float32, noise=6.0, seed=0):
    """Return tissue with structure of some voxels and white noise, far from 0."""
    rng = np.random.default_rng(seed)
    tissue = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 2.0)
    image = 1000 + 60 * tissue / tissue.std() + noise * rng.standard_normal(SHAPE)
    return image.astype(dtype)


def box_hole(start=10, size=10):
    hole = np.zeros(SHAPE, bool)
    hole[start : start + size, 9 : 9 + size, 11 : 11 + size] = True
    return hole


def fill(image=None, hole=None, **options):
    chosen = {"method": "biharmonic", "modality": "MR", "samples": 3, "workers": 1, **options}
    return mi.inpaint(scan() if image is None else image, box_hole() if hole is None else hole, **chosen)


def directly(image, hole, modality=MR):
    """Return the samples of a flat fill with a deviation of 10, from the image around it."""
    subject = damaged_subject(mi.Volume(image, 1.0), hole, modality)
    whole = tuple(slice(0, size) for size in hole.shape)
    count = np.count_nonzero(hole)
    return draws_of(subject, whole, hole, np.full(count, 1000, image.dtype), np.full(count, 10.0), 0)


def draws(deviation, *, hole=None, noise=None, width=1.0, limits=(-np.inf, np.inf), dtype=np.float64):
    """Return the samples of a fill of 100 in a box, with the same widths along all axes."""
    hole = np.ones((6, 7, 8), bool) if hole is None else hole
    count = np.count_nonzero(hole)
    widths = tuple((width * each,) * 3 for each in WIDTHS)
    place = tuple(slice(3, 3 + size) for size in hole.shape)
    mean = np.full(count, 100, dtype)
    return Draws(place, hole, mean, np.broadcast_to(deviation, count), noise, (0, 1, 2), SHARES, widths, limits, seed=5)


def correlations(fields, lags):
    """Return the correlation of fields of mean 0 and variance 1 with themselves, so many voxels along the last axis."""
    return [float(np.mean(fields[..., lag:] * fields[..., : fields.shape[-1] - lag])) for lag in lags]


# the random field


@pytest.mark.parametrize("width", [0.01, 0.7, 2.5])
def test_a_gaussian_field_has_variance_1_and_the_correlation_of_its_width(width):
    rng = np.random.default_rng(1)
    fields = np.array([gaussian_field((200, 500), (0.01, width), rng) for _ in range(8)])
    assert fields.shape == (8, 200, 500)
    lags = [0, 1, 2, 4, 7]
    expected = [np.exp(-((lag / (2 * width)) ** 2)) for lag in lags]
    assert correlations(fields, lags) == pytest.approx(expected, abs=0.025)  # of voxels, not of points


def test_a_field_has_the_correlation_of_errors_at_all_voxels_its_edge_included():
    hole = np.ones((12, 12, 40), bool)
    each = draws(1.0, hole=hole)
    fields = np.array([each.field(number).reshape(hole.shape) for number in range(60)])
    lags = [0, 1, 2, 3, 5, 8]
    expected = [
        sum(share * np.exp(-((lag / (2 * width)) ** 2)) for share, width in zip(SHARES, WIDTHS, strict=True))
        for lag in lags
    ]
    assert correlations(fields, lags) == pytest.approx(expected, abs=0.04)
    for corner in (fields[:, :3, :3, :3], fields[:, -3:, -3:, -3:]):
        assert np.var(corner) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("shares", "widths"), [(SHARES, WIDTHS), (SHARES_FILM, WIDTHS_FILM)])
def test_the_shares_are_those_of_a_whole(shares, widths):
    assert sum(shares) == pytest.approx(1.0)
    assert len(shares) == len(widths)


def test_the_correlation_of_errors_is_the_measured_one():
    # At 1 to 6 mm in 20 mm balls of people of the split val: the mean of biharmonic and consensus, with 14 % of noise.
    measured = [0.77, 0.525, 0.325, 0.19, 0.095, 0.055]
    lags = range(1, 7)
    drawn = [
        0.86 * sum(share * np.exp(-((lag / (2 * width)) ** 2)) for share, width in zip(SHARES, WIDTHS, strict=True))
        for lag in lags
    ]
    assert drawn == pytest.approx(measured, abs=0.03)


def test_noise_takes_its_own_variance_and_the_smooth_field_the_rest():
    # A kernel of one voxel is white noise. Deviations of 10 hold 36 % of it, those of 3 hold nothing else.
    noise = np.zeros((16, 16, 16))
    noise[0, 0, 0] = 6.0
    hole = np.ones((10, 10, 30), bool)
    smooth = draws(10.0, hole=hole)
    rough = dataclasses.replace(smooth, noise=noise)
    white = dataclasses.replace(rough, deviation=np.full(hole.sum(), 3.0))
    pure, mixed, only = (
        correlations(np.array([each.field(k).reshape(hole.shape) for k in range(40)]), [0, 1, 2])
        for each in (smooth, rough, white)
    )
    assert mixed == pytest.approx([1.0, 0.64 * pure[1], 0.64 * pure[2]], abs=0.04)
    assert only == pytest.approx([1.0, 0.0, 0.0], abs=0.03)


# spread = uncertainty


@pytest.mark.parametrize("with_noise", [False, True])
def test_many_samples_have_the_fill_as_mean_and_the_uncertainty_as_standard_deviation(with_noise):
    deviation = np.linspace(0.0, 20.0, 6 * 7 * 8)
    noise = np.zeros((16, 16, 16))
    noise[0, 0, :2] = 4.0, 3.0
    each = draws(deviation, noise=noise if with_noise else None)
    samples = np.array([each.sample(number) for number in range(MANY)])
    assert (samples[:, 0] == 100).all()  # where the fill is certain
    sure = deviation[1:]
    assert np.abs((samples.mean(0)[1:] - 100) / sure).max() < 5 / np.sqrt(MANY)
    assert np.abs(samples.std(0)[1:] / sure - 1).max() < 5 / np.sqrt(2 * MANY)
    assert np.mean(samples.var(0)[1:] / sure**2) == pytest.approx(1.0, abs=0.05)


def test_samples_of_a_fill_spread_as_its_uncertainty_says():
    result = fill(samples=100)
    hole, mean, deviation = box_hole(), result.volume.array, result.uncertainty.array
    samples = np.array([sample.array[hole] for sample in result.samples])
    assert samples.shape == (100, 1000)
    certain = deviation[hole] < 1e-6
    away = np.abs(samples.mean(0) - mean[hole])[~certain] / deviation[hole][~certain]
    assert away.max() < 5 / np.sqrt(100)
    assert np.mean((samples.var(0) / deviation[hole] ** 2)[~certain]) == pytest.approx(1.0, abs=0.1)


def test_the_noise_in_samples_is_that_of_the_scan():
    ramp = 1000 + 3.0 * np.indices(SHAPE)[2] + 12 * np.random.default_rng(0).standard_normal(SHAPE)
    (each,) = fill(image=ramp).draws
    assert np.sqrt(np.square(each.noise).sum()) == pytest.approx(12.0, rel=0.15)


def test_widths_are_mm_and_shrink_with_the_depth_of_small_holes():
    (wide,) = fill(spacing=(4.0, 2.0, 1.0)).draws
    assert np.multiply(wide.widths[0], (4.0, 2.0, 1.0)) == pytest.approx([wide.widths[0][2]] * 3)
    (large,), (small,) = fill(spacing=4.0).draws, fill(hole=box_hole(size=4)).draws
    assert large.widths[1] == pytest.approx((WIDTHS[1] / 4,) * 3)
    assert small.widths[1] == pytest.approx((WIDTHS[1] * 2 / DEEP,) * 3)  # two voxels deep


# what stays as it is


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_known_voxels_are_bit_identical_in_every_sample(dtype):
    image = (scan() / 8).astype(dtype)
    result = fill(image=image)
    assert len(result.samples) == 3
    for sample in result.samples:
        assert sample.array.dtype == dtype
        np.testing.assert_array_equal(sample.array[~box_hole()], image[~box_hole()])
        assert (sample.array != result.volume.array)[box_hole()].mean() > 0.2


def test_voxels_without_data_and_the_grid_are_kept():
    image = scan()
    image[:3] = np.nan
    volume = mi.Volume(image, (2.0, 1.0, 1.5), (5.0, 6.0, 7.0))
    for sample in fill(image=volume).samples:
        np.testing.assert_array_equal(sample.array[~box_hole()], image[~box_hole()])
        assert sample.same_grid(volume)
        assert np.isfinite(sample.array[box_hole()]).all()


def test_samples_stay_within_the_known_intensities():
    image = np.clip(scan(np.int16), 990, 1010)
    for sample in fill(image=image).samples:
        assert (sample.array[box_hole()].min(), sample.array[box_hole()].max()) >= (990, 990)
        assert sample.array.max() <= 1010


def test_a_background_of_exactly_0_stays_0():
    image = np.where(np.indices(SHAPE)[1] < 14, 0, scan(np.int16))
    result = fill(image=image)
    zero = box_hole() & (result.volume.array == 0)
    assert zero.sum() > 50
    for sample in result.samples:
        assert not sample.array[zero].any()


def test_what_lies_under_the_hole_never_matters():
    image = scan()
    changed = np.where(box_hole(), -7777.0, image).astype(np.float32)
    for one, other in zip(fill(image=image).samples, fill(image=changed).samples, strict=True):
        np.testing.assert_array_equal(one.array, other.array)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_images_of_one_slice_and_holes_of_one_layer_vary_with_variance_1(axis):
    layer = np.indices(SHAPE)[axis] == 12
    thin, slab = box_hole() & layer, tuple(slice(12, 13) if each == axis else slice(None) for each in range(3))
    for image, hole in ((scan(), thin), (scan()[slab], box_hole()[slab]), (scan()[12], box_hole()[12])):
        each = directly(image, hole)
        fields = np.array([each.field(number) for number in range(200)])
        assert fields.shape == (200, hole.sum())
        assert np.var(fields) == pytest.approx(1.0, abs=0.1)


def test_films_vary_over_longer_distances():
    film, slice_ = (directly(scan()[12], box_hole()[12], kind) for kind in (FILM, CT))
    assert film.widths[1][0] / slice_.widths[1][0] == pytest.approx(WIDTHS_FILM[1] / WIDTHS[1])
    assert film.shares == SHARES_FILM


# chance


def test_the_same_seed_gives_the_same_samples_whatever_else():
    hole = box_hole(2, 6) | box_hole(18, 6)
    first, other = (fill(hole=hole, samples=count, workers=workers, seed=4) for count, workers in ((3, 1), (2, 2)))
    for one, same in zip(first.samples, other.samples, strict=False):
        np.testing.assert_array_equal(one.array, same.array)
    assert (first.samples[0].array != first.samples[1].array).any()
    np.testing.assert_array_equal(first.samples[-1].array, first.samples[2].array)
    assert [len(first.samples[1:]), len(other.samples)] == [2, 2]
    with pytest.raises(IndexError):
        first.samples[3]


def test_other_seeds_give_other_samples_of_the_same_fill():
    one, other = fill(seed=1), fill(seed=2)
    np.testing.assert_array_equal(one.volume.array, other.volume.array)
    assert (one.samples[0].array != other.samples[0].array).any()


# none


def test_no_samples_are_drawn_unless_asked_for():
    result = fill(samples=0)
    assert (len(result.samples), result.report["samples"], result.draws) == (0, 0, ())


def test_without_an_uncertainty_there_are_no_samples_and_one_line_says_so(tmp_path, monkeypatch):
    def without(subject, patches, seed):
        return draw_from(subject, [dataclasses.replace(patch, spread=None) for patch in patches], seed)

    monkeypatch.setattr(pipeline, "draw_from", without)
    result = fill()
    assert (len(result.samples), result.report["samples"]) == (0, 0)
    assert result.report["warnings"].count(pipeline.NO_SAMPLES) == 1
    result.save(tmp_path / "filled.nrrd", samples=True)
    assert [file.name for file in tmp_path.iterdir()] == ["filled.nrrd"]


@pytest.mark.parametrize("number", [-1, 101, 2.5, "many"])
def test_a_bad_number_is_refused(number):
    with pytest.raises(ParameterError, match=f"The number of samples is a whole number, 0 to 100; found {number}"):
        FillOptions(samples=number).check()


def test_images_that_are_filled_together_have_no_samples():
    with pytest.raises(ParameterError, match="'samples' cannot be used for several images"):
        mi.inpaint_together([scan(), scan(seed=1)], box_hole(), method="harmonic", modality="MR", samples=2)


# files


@pytest.fixture
def files(tmp_path):
    image = mi.Volume(scan(np.int16), (1.0,) * 3)
    image.write(tmp_path / "image.nii.gz")
    image.with_array(box_hole().astype(np.uint8)).write(tmp_path / "mask.nii.gz")
    return tmp_path


def job(folder, **changes):
    chosen = {"method": "biharmonic", "modality": "MR", "samples": 2, "workers": 1, **changes}
    fields = {"job": "fill", "image": "image.nii.gz", "mask": "mask.nii.gz", "output": "out.nii.gz", **chosen}
    return FillJob.of(fields, folder)


def test_a_job_writes_the_samples_beside_the_output_and_names_them_in_the_report(files):
    report = job(files, report="report.json").run()
    names = ["out.nii.gz", "out_sample-01.nii.gz", "out_sample-02.nii.gz"]
    assert sorted(file.name for file in files.glob("out*")) == names
    assert sorted(report["files"]) == names
    assert json.loads((files / "report.json").read_text(encoding="utf-8"))["samples"] == 2
    direct = fill(image=mi.Volume.read(files / "image.nii.gz"), samples=2)
    for number, sample in enumerate(direct.samples, start=1):
        written = mi.Volume.read(files / f"out_sample-{number:02}.nii.gz")
        np.testing.assert_array_equal(written.array, sample.array)
        assert written.same_grid(mi.Volume.read(files / "out.nii.gz"))


def test_the_command_writes_samples_and_refuses_bad_numbers(files):
    def run(samples):
        fixed = ["fill", files / "image.nii.gz", files / "mask.nii.gz", "-o", files / "out.nii", "--modality", "MR"]
        return CliRunner().invoke(app, [*map(str, fixed), "--method", "biharmonic", "--samples", samples])

    done = run("101")
    assert (done.exit_code, "a whole number, 0 to 100; found 101" in " ".join(done.output.split())) == (2, True)
    assert not list(files.glob("out*"))
    done = run("1")
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in files.glob("out*")) == ["out.nii", "out_sample-01.nii"]


def test_samples_of_a_dicom_series_are_nrrd_files_beside_its_folder(files):
    dicom_files.write_series(files / "series", sop_class=dicom_files.MR)
    image = mi.Volume.read(files / "series")
    hole = np.zeros(image.array.shape, np.uint8)
    hole[3:5, 5:9, 4:8] = 1
    image.of_another_quantity(hole).write(files / "mask.nrrd")
    job(files, image="series", mask="mask.nrrd", output="filled/").run()
    names = ["filled_sample-01.nrrd", "filled_sample-02.nrrd"]
    assert sorted(file.name for file in files.glob("filled_*")) == names
    written = mi.Volume.read(files / names[0])
    np.testing.assert_array_equal(written.array[hole == 0], image.array[hole == 0])
    assert written.same_grid(image)


@pytest.mark.parametrize("name", ["image", "mask"])
def test_samples_never_overwrite_an_input(files, name):
    sample = files / "out_sample-02.nii.gz"
    (files / f"{name}.nii.gz").rename(sample)
    before = sample.read_bytes()
    with pytest.raises(OutputPathError, match=f"The sample 2 '.*' would overwrite an input, the {name}"):
        job(files, **{name: sample.name}).run()
    assert sample.read_bytes() == before


def test_a_sample_is_no_other_output(files):
    with pytest.raises(OutputPathError, match="uncertainty and the sample 1 would both be written"):
        job(files, uncertainty="out_sample-01.nii.gz").run()


def test_cancelling_while_samples_are_written_keeps_the_old_files(files):
    (files / "out_sample-01.nii.gz").write_bytes(b"old")
    result = fill(image=mi.Volume.read(files / "image.nii.gz"))
    progress = mi.Progress(cancelled=lambda: True)
    with pytest.raises(Cancelled):
        result.save(files / "out.nii.gz", samples=True, progress=progress)
    assert (files / "out_sample-01.nii.gz").read_bytes() == b"old"
    assert not (files / "out.nii.gz").exists()


def test_many_samples_are_made_one_at_a_time(files, monkeypatch):
    made = []
    sample = engine.Draws.sample
    monkeypatch.setattr(engine.Draws, "sample", lambda self, number: made.append(number) or sample(self, number))
    result = fill()
    assert made == []
    result.save(files / "out.nii.gz", samples=True)
    assert made == [0, 1, 2]


def test_samples_of_a_4d_image_need_a_volume(files):
    import nibabel

    image = np.stack([scan(np.int16).T, scan(np.int16, seed=1).T], axis=-1)
    nibabel.save(nibabel.Nifti1Image(image, np.diag([-1.0, -1.0, 1.0, 1.0])), files / "image.nii.gz")
    with pytest.raises(ParameterError, match="Samples are of one volume"):
        job(files).run()
    assert job(files, volume=1).run()["samples"] == 2


def test_a_cohort_knows_the_samples_as_outputs(files):
    from MedInpaintLib.cohort.fill import Fill

    assert list(Fill().outputs(job(files, report="r.json"))) == ["output", "report", "sample 1", "sample 2"]


def test_bids_has_no_names_for_samples(tmp_path):
    from MedInpaintLib.bids import filters
    from MedInpaintLib.bids.plan import Study, plan_of_bids

    (tmp_path / "raw" / "sub-01").mkdir(parents=True)
    study = Study.of(tmp_path / "raw", tmp_path / "out", ())
    with pytest.raises(ParameterError, match="Samples have no names in BIDS"):
        plan_of_bids(study, tmp_path / "out", filters.Selection(), options={"samples": 2})
