"""Lesions that are put back as cases of a cohort."""

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort.case import CONTROL, DONE, FAILED, Case
from MedInpaintLib.cohort.fingerprint import fingerprint
from MedInpaintLib.cohort.kinds import kind_of
from MedInpaintLib.cohort.lesion_back import LesionBack
from MedInpaintLib.cohort.work import work_on
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.jobs.lesion_back import LesionBackJob

LABELS = np.zeros((6, 8, 8), np.uint8)
LABELS[1:5, 1:7, 1:4], LABELS[1:5, 1:7, 4:7] = 1, 2


@pytest.fixture
def job(tmp_path):
    volume = mi.Volume(LABELS, 1.0)
    volume.write(tmp_path / "seg.nii.gz")
    mask = np.zeros_like(LABELS)
    mask[2, 2:4, 2] = 1
    volume.with_array(mask).write(tmp_path / "lesion.nii.gz")
    volume.with_array(mask * 0).write(tmp_path / "empty.nii.gz")
    fields = {"segmentation": "seg.nii.gz", "mask": "lesion.nii.gz", "output": "out.nii.gz", "job": "lesion-back"}
    return lambda **changes: LesionBackJob.of({**fields, **changes}, tmp_path)


def do(job, folder):
    return work_on(Case("a", job, "Row 2"), folder, lambda fraction, stage: None)


def test_a_case_is_done_once_and_a_control_is_copied(job, tmp_path):
    (tmp_path / "records").mkdir()
    first, second = do(job(), tmp_path / "records"), do(job(), tmp_path / "records")
    assert (first.status, first.skipped, second.skipped) == (DONE, False, True)
    assert (first.facts["lesion_ml"], first.facts["hit"], first.facts["most_hit"]) == (0.002, 1, "1")
    assert (mi.Volume.read(tmp_path / "out.nii.gz").array == 3).sum() == 2
    control = do(job(mask="empty.nii.gz"), tmp_path / "records")
    assert control.status == CONTROL
    np.testing.assert_array_equal(mi.Volume.read(tmp_path / "out.nii.gz").array, LABELS)
    assert set(first.facts) == set(control.facts) == set(LesionBack.columns)
    failed = do(job(number=2), tmp_path / "records")
    assert (failed.status, failed.kind) == (FAILED, "ParameterError")


def test_names_beside_the_segmentation_are_inputs(job, tmp_path):
    kind = kind_of(job())
    before = fingerprint(kind, job())[0]
    assert fingerprint(kind, job(cut=True))[0] != before
    (tmp_path / "seg.tsv").write_text("index\tname\n1\tleft\n")
    assert fingerprint(kind, job())[0] != before


@pytest.mark.parametrize("change", [{"number": "x"}, {"numbering": "spm"}, {"cut": True, "number": 4}])
def test_options_are_checked_before_the_work(job, change):
    with pytest.raises(ParameterError):
        LesionBack().check(job(**change))


@pytest.mark.usefixtures("job")
def test_the_command_puts_lesions_back_in_a_table(tmp_path):
    (tmp_path / "study.csv").write_text(
        "segmentation,mask,output,number\nseg.nii.gz,lesion.nii.gz,a.nii.gz,7\nseg.nii.gz,empty.nii.gz,b.nii.gz,\n"
    )
    told = CliRunner().invoke(app, ["cohort", str(tmp_path / "study.csv"), "--job", "lesion-back", "--jobs", "1"])
    assert told.exit_code == 0, told.output
    assert "a.nii.gz: lesion of 0.00 ml put back, 1 region(s) hit, " in told.output
    assert "2 cases: 1 put back, 1 copied with an empty mask, 0 failed" in told.output
    assert (mi.Volume.read(tmp_path / "a.nii.gz").array == 7).sum() == 2
