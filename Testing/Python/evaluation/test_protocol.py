"""What evaluate does: holes in, truth hidden, every method scored in every hole."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib
from MedInpaintLib.errors import Cancelled, GeometryError, InputError, MaskError, MethodError, ParameterError
from MedInpaintLib.evaluation import evaluate
from MedInpaintLib.holes import HINT
from MedInpaintLib.metrics import CONVENTIONS, score
from MedInpaintLib.progress import Progress
from MedInpaintLib.volume import Volume

HOLES = "spheres:9mm:3"


@pytest.fixture(scope="module")
def table(head):
    return evaluate(head, HOLES, ("harmonic", "biharmonic"), seed=3, keep_fills=True)


def test_the_package_offers_it_by_name_and_takes_what_a_user_has(samples):
    assert "evaluate" in dir(MedInpaintLib)
    files = str(samples / "chest-film.png"), samples / "chest-film-hole.png"
    table = MedInpaintLib.evaluate(*files, methods=["harmonic"])
    assert table.about["data"].startswith("chest-film.png, film, ")
    assert table.methods == ("shell-mean", "harmonic")
    assert all(0 < value < 255 for value in table.scores("harmonic", "mae"))


def test_every_method_is_scored_in_every_hole_and_the_trivial_fill_always(table):
    assert table.methods == ("shell-mean", "harmonic", "biharmonic")
    assert [(row.method, row.hole) for row in table.rows] == [(m, h) for m in table.methods for h in (1, 2, 3)]


def test_asking_for_the_trivial_fill_does_not_double_it(head):
    assert evaluate(head, HOLES, ["harmonic", "shell-mean"]).methods == ("harmonic", "shell-mean")


def test_one_method_may_be_given_as_text(head):
    assert evaluate(head, HOLES, "harmonic").methods == ("shell-mean", "harmonic")


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
def test_the_scores_are_those_of_the_convention_on_the_whole_image(head, convention):
    table = evaluate(head, HOLES, "harmonic", convention=convention, seed=3, data_range=1000, keep_fills=True)
    for row in table.rows:
        own = table.labels == row.hole
        expected = score(
            table.fills[row.method], head, own, convention=convention, data_range=1000, spacing=(1.0, 1.0, 1.0)
        )
        assert row.scores == pytest.approx(expected, nan_ok=True)
        assert row.voxels == own.sum()
        assert row.centre == pytest.approx([index.mean() for index in np.nonzero(own)])


def test_the_same_seed_gives_the_same_table(head, table):
    again = evaluate(head, HOLES, ("harmonic", "biharmonic"), seed=3)
    for row, other in zip(table.rows, again.rows, strict=True):
        assert other.scores == pytest.approx(row.scores, rel=0, abs=0, nan_ok=True)


def test_no_method_gets_to_see_the_truth(head):
    seen = []

    def spy(voided, hole, spacing):
        seen.append((voided[hole], voided[~hole], spacing))
        return voided

    table = evaluate(head, HOLES, [("spy", spy)], spacing=(2.0, 1.0, 1.0), seed=3)
    hidden, known, spacing = seen[0]
    assert not hidden.any()
    assert (known == head[table.labels == 0]).all()
    assert spacing == (2.0, 1.0, 1.0)


def test_a_peer_that_scribbles_on_its_input_harms_nobody(head):
    def scribble(voided, hole, spacing):
        voided[:] = 7
        hole[:] = False
        return voided

    table = evaluate(head, HOLES, [("scribble", scribble), "harmonic"], seed=3)
    clean = evaluate(head, HOLES, ["harmonic"], seed=3)
    assert table.scores("harmonic", "psnr") == clean.scores("harmonic", "psnr")


def test_a_perfect_peer_has_an_infinite_psnr_and_wins_everywhere(head):
    table = evaluate(head, HOLES, [("truth", lambda voided, hole, spacing: head)])
    assert table.scores("truth", "psnr") == [math.inf] * 3
    assert table.wins("truth") == 3
    assert "inf" in table.to_text()


def test_a_peer_that_returns_another_shape_is_named(head):
    with pytest.raises(MethodError, match="'cut' returned an image of shape"):
        evaluate(head, HOLES, [("cut", lambda voided, hole, spacing: voided[1:])])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_peer_that_leaves_nan_or_infinity_in_the_hole_is_named_with_how_many(head, bad):
    def spoil(voided, hole, spacing):
        filled = voided.astype(np.float32)
        filled[tuple(np.argwhere(hole)[:5].T)] = bad
        return filled

    with pytest.raises(MethodError, match=r"'spoil' left NaN or infinity in 5 of the \d+ voxels"):
        evaluate(head, HOLES, [("spoil", spoil)])


def test_a_peer_that_returns_no_intensities_is_named(head):
    with pytest.raises(MethodError, match="'words' returned voxels of dtype <U"):
        evaluate(head, HOLES, [("words", lambda voided, hole, spacing: voided.astype(str))])


def test_better_methods_win_on_a_real_brain(samples):
    table = evaluate(samples / "brain-t1.nii.gz", samples / "brain-t1-hole.nii.gz")
    assert table.wins("harmonic") == table.wins("biharmonic") == 2
    assert table.gain("biharmonic", over="harmonic").mean > 0.5
    assert table.gain("biharmonic", "ssim").mean > 0.2


# the holes


def test_holes_lie_in_the_body(table, head):
    assert (head[table.labels > 0] > 0).all()


def test_holes_keep_off_what_is_to_be_avoided(head):
    lesion = np.zeros(head.shape, dtype=np.uint8)
    lesion[:, :30] = 1
    assert not evaluate(head, HOLES, "harmonic", avoid=lesion).labels[lesion > 0].any()


def test_a_foreground_can_be_given(head):
    lobe = np.zeros(head.shape, dtype=bool)
    lobe[8:24, 10:46, 24:44] = True
    assert not evaluate(head, "spheres:7mm:2", "harmonic", foreground=lobe).labels[~lobe].any()


def test_the_labels_of_a_mask_are_its_holes(head):
    mask = np.zeros(head.shape, dtype=np.uint8)
    mask[14:17, 20:23, 20:23], mask[14:17, 20:23, 23:26] = 3, 5
    table = evaluate(head, mask, "harmonic")
    assert [row.voxels for row in table.rows[:2]] == [27, 27]
    assert (table.labels == np.where(mask == 3, 1, np.where(mask == 5, 2, 0))).all()


def test_the_connected_parts_of_a_mask_with_one_label_are_its_holes(head):
    mask = np.zeros(head.shape, dtype=bool)
    mask[14:17, 20:23, 20:23] = mask[14:17, 30:34, 20:23] = True
    assert [row.voxels for row in evaluate(head, mask, "harmonic").rows[:2]] == [27, 36]


def test_a_mask_may_be_a_file(head, tmp_path):
    mask = np.zeros(head.shape, dtype=np.uint8)
    mask[14:17, 20:23, 20:23] = 1
    Volume.of(mask).write(tmp_path / "hole.nrrd")
    table = evaluate(head, str(tmp_path / "hole.nrrd"), "harmonic")
    assert "hole.nrrd" in table.about["holes"]


def test_an_empty_mask_is_refused(head):
    with pytest.raises(MaskError, match="empty"):
        evaluate(head, np.zeros(head.shape, dtype=bool))


def test_a_mask_on_another_grid_is_refused(head):
    other = Volume.of(np.ones(head.shape, dtype=np.uint8), spacing=2.0)
    with pytest.raises(GeometryError, match="another grid"):
        evaluate(head, other)


@pytest.mark.parametrize("kind", [str, Path])
def test_what_is_neither_holes_nor_a_file_is_refused_in_one_line(head, kind):
    with pytest.raises(ParameterError, match="neither a file nor") as refused:
        evaluate(head, kind("sphere:20mm"))
    assert str(refused.value).endswith(HINT)


# what is asked for wrongly


def test_unknown_methods_and_conventions_are_refused_before_any_work(head):
    def never(voided, hole, spacing):
        raise AssertionError

    with pytest.raises(ParameterError, match="no method 'magic'"):
        evaluate(head, HOLES, [("never", never), "magic"])
    with pytest.raises(ParameterError, match="no convention 'best'"):
        evaluate(head, HOLES, convention="best")


def test_holes_that_do_not_fit_are_refused(head):
    with pytest.raises(MaskError, match="fewer or smaller"):
        evaluate(head, "spheres:60mm:2")


@pytest.mark.parametrize("wrong", [0, -3, math.nan, (5, 5), (1, 2, 3)])
def test_senseless_ranges_are_refused(head, wrong):
    with pytest.raises(InputError, match="data range"):
        evaluate(head, HOLES, data_range=wrong)


@pytest.mark.parametrize("wrong", [-1, 0.5, True, "3"])
def test_senseless_seeds_are_refused(head, wrong):
    with pytest.raises(ParameterError, match="seed must be a whole number, 0 or more"):
        evaluate(head, HOLES, seed=wrong)


def test_a_seed_may_come_from_numpy(head):
    assert evaluate(head, HOLES, "harmonic", seed=np.int64(3)).constants["seed"] == 3


# images of all kinds


def test_a_film_is_scored_with_the_range_of_eight_bits(samples):
    table = evaluate(samples / "chest-film.png", "squares:24px:2", "harmonic")
    assert table.constants["modality"] == "film"
    assert table.constants["R"] == 255


def test_ct_is_scored_in_hounsfield_units_with_the_soft_tissue_range(samples):
    table = evaluate(samples / "ct-slab.nii.gz", samples / "ct-slab-hole.nii.gz", "harmonic")
    assert table.constants["modality"] == "CT"
    assert (table.constants["R"], table.constants["black"]) == (400, -160)
    expected = np.abs(table.image.array[table.labels == 1] - 0.0)
    assert table.scores("shell-mean", "mae")[0] < expected.mean()


def test_a_volume_keeps_its_spacing(head):
    volume = Volume.of(head, spacing=(2.0, 1.0, 1.0))
    table = evaluate(volume, HOLES, "harmonic")
    assert table.image is volume
    assert (table.labels == 1).any(axis=(1, 2)).sum() < (table.labels == 1).any(axis=(0, 2)).sum()


# progress


def test_progress_rises_to_one_and_names_the_methods(head, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.progress.INTERVAL", 0.0)  # else quick methods may go unreported
    seen = []
    evaluate(head, HOLES, "harmonic", progress=Progress(report=lambda fraction, stage: seen.append((fraction, stage))))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {"shell-mean", "harmonic"} <= {stage for _, stage in seen}


def test_it_can_be_cancelled(head):
    with pytest.raises(Cancelled):
        evaluate(head, HOLES, progress=Progress(cancelled=lambda: True))


def test_labels_that_a_scaling_has_rounded_are_one_hole_and_nan_is_none(head):
    mask = np.zeros(head.shape, np.float32)
    inside = tuple(size // 2 for size in mask.shape)
    mask[inside[0], inside[1] : inside[1] + 4, inside[2] : inside[2] + 6] = 1
    mask[inside[0], inside[1], inside[2]] = 1.0000001
    mask[inside[0] + 3, inside[1] : inside[1] + 4, inside[2] : inside[2] + 6] = 2
    mask[0, 0] = np.nan
    assert {row.hole for row in evaluate(head, mask, "harmonic").rows} == {1, 2}
