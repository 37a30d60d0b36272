"""Damaged and odd files: a sample of what `make odd-files` tries, and that its verdicts notice each kind of fault."""

import itertools

import nibabel
import numpy as np
import pytest

from Testing.odd_files import KINDS, verdict
from Testing.odd_files.formats import FORMATS, write_nifti
from Testing.odd_files.kinds import Kind, Right
from Testing.odd_files.verdict import FILLED, REFUSED, WRONG, Run, tried

#: Every n-th kind is tried in one format, each time in the next one; the others are slow only because they are many.
STEP = 4
TURNS = itertools.count()
SAMPLE = [(kind, kind.formats[next(TURNS) % len(kind.formats)]) for kind in KINDS[::STEP] if kind.formats]
REST = [(kind, form) for kind in KINDS for form in kind.formats if (kind, form) not in SAMPLE]


def identifier(value):
    return value if isinstance(value, str) else ascii(value.name)


def check(kind, form):
    found = tried(kind, form)
    assert found.outcome != WRONG, found.detail


@pytest.mark.parametrize(("kind", "form"), SAMPLE, ids=identifier)
def test_an_odd_file_is_filled_right_or_refused_in_one_line(kind, form):
    check(kind, form)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "form"), REST, ids=identifier)
def test_every_odd_file_is_filled_right_or_refused_in_one_line(kind, form):
    check(kind, form)


def test_there_are_many_kinds_with_names_of_their_own():
    assert len(KINDS) >= 40
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {form for kind in KINDS for form in kind.formats} == set(FORMATS)


# The verdicts


def judged(monkeypatch, right, run=None, change=None, before=None):
    """Judge a command that writes the right result, changed by ``change``, and ends with ``run``."""

    def make(trial):
        truth = trial.write()

        def command(arguments):
            if change is not None:
                image = nibabel.load(trial.image)
                array = np.asarray(image.dataobj).copy()
                array[trial.hole.T] = truth.T[trial.hole.T]
                change(trial, array, image.header)
                if array.any():
                    nibabel.save(nibabel.Nifti1Image(array, image.affine, image.header), trial.output)
            return run or Run(0, "done\n", "", "", "")

        monkeypatch.setattr(verdict, "fill", command)
        return Right(truth, **right) if right is not None else Right(refused="damaged")

    return tried(Kind("a kind", ("nii",), make), "nii")


def nothing(trial, array, header):
    pass


def test_a_right_fill_is_told_as_one(monkeypatch):
    assert judged(monkeypatch, {}, change=nothing).outcome == FILLED


def a_known_voxel(trial, array, header):
    array[0, 0, 0] += 1


def the_hole(trial, array, header):
    array[8, 9, 6] += 2


def a_field(trial, array, header):
    header["cal_max"] = 7


def the_position(trial, array, header):
    header["srow_x"][3] += 1
    header.set_sform(header.get_sform(), 1)
    header["qform_code"] = 0


def the_input(trial, array, header):
    write_nifti(trial.image, np.zeros_like(array.T))


def another_file(trial, array, header):
    (trial.folder / "left.tmp").touch()


def no_output(trial, array, header):
    array[:] = 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (a_known_voxel, "1 known voxels changed"),
        (the_hole, "the hole is off by up to 2"),
        (a_field, "header fields differ: cal_max"),
        (the_input, "inputs were changed: image.nii"),
        (another_file, "left behind: left.tmp"),
        (no_output, "the output cannot be read"),
    ],
)
def test_a_wrong_fill_is_noticed(monkeypatch, change, words):
    found = judged(monkeypatch, {}, change=change)
    assert found.outcome == WRONG
    assert words in found.detail


def test_a_refusal_in_one_line_is_told_as_one(monkeypatch):
    run = Run(2, "", "Error: 'image.nii' is damaged.\n", "", "")
    assert judged(monkeypatch, None, run).outcome == REFUSED


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (Run(0, "done\n", "", "", ""), "SILENTLY FILLED"),
        (Run(1, "", "Error: it is damaged\n", "", ""), "exit code 1 instead of 2"),
        (Run(2, "", "Error: it is damaged\nmore\n", "", ""), "2 lines instead of one"),
        (Run(2, "", "Error: it is too long\n", "", ""), "the message is not like 'damaged'"),
        (Run(2, "", "Error: damaged, sitk::ERROR in a.cxx\n", "", ""), "foreign words"),
        (Run(2, "", "Error: it is damaged\n", "WARNING: In itkImage.hxx\n", ""), "a library's own words"),
        (Run(2, "", "Error: \x1b[31mdamaged\n", "", ""), "control characters"),
        (Run(1, "", "", "", "ValueError: no"), "a traceback (ValueError: no)"),
        (Run(1, "", "Traceback (most recent call last):\n", "", ""), "a traceback"),
    ],
)
def test_a_wrong_refusal_is_noticed(monkeypatch, run, words):
    found = judged(monkeypatch, None, run)
    assert found.outcome == WRONG
    assert words in found.detail


def test_a_refusal_of_what_can_be_filled_is_noticed(monkeypatch):
    found = judged(monkeypatch, {}, Run(2, "", "Error: it is damaged\n", "", ""))
    assert "refused, though it can be filled" in found.detail


def test_a_warning_that_is_missing_is_noticed(monkeypatch):
    assert "no warning like 'behind'" in judged(monkeypatch, {"warned": "behind"}, change=nothing).detail
