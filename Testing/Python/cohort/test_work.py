"""A case is done once, and again when its inputs, options or outputs are not what they were."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.cohort import networks
from MedInpaintLib.cohort.case import CONTROL, DONE, FAILED
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.fingerprint import fingerprint
from MedInpaintLib.cohort.plan import Plan
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.cohort.work import record_of, work_on


def case_of(study, number=0, **changes):
    case = plan_of_table(study.table, Fill(), options={"method": "shell-mean"}).cases[number]
    return dataclasses.replace(case, job=dataclasses.replace(case.job, **changes))


def key(case):
    return fingerprint(Fill(), case.job)[0]


def do(study, case):
    records = Plan((), Fill(), study.folder / "cohort").records
    records.mkdir(parents=True, exist_ok=True)
    return work_on(case, records, lambda fraction, stage: None)


def test_a_case_is_filled_as_by_the_engine_and_known_from_then_on(study):
    case = case_of(study)
    first, second = do(study, case), do(study, case)
    assert (first.status, first.skipped, second.status, second.skipped) == (DONE, False, DONE, True)
    assert dataclasses.replace(second, skipped=False) == first
    assert first.facts["voxels"] == 3 * 4 * 3
    direct = mi.inpaint(study.image("sub-0"), study.folder / "sub-0" / "lesion.nii.gz", method="shell-mean")
    np.testing.assert_array_equal(mi.Volume.read(study.output("sub-0")).array, direct.volume.array)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "harmonic"},
        {"seed": 1},
        {"dilate_mm": 2.0},
        {"parameters": {"thickness": 3.0}},
        {"labels": [1]},
        {"uncertainty": "u.nii.gz"},
        {"compress": False},
        {"guides": ["sub-1/t1.nii.gz"]},
    ],
)
def test_another_option_is_another_case(study, monkeypatch, change):
    monkeypatch.chdir(study.folder)
    assert key(case_of(study, **change)) != key(case_of(study))


def test_workers_and_folders_do_not_matter(study):
    before = key(case_of(study))
    assert key(case_of(study, workers=7)) == before
    moved = type(study).__new__(type(study))
    moved.folder = study.folder.parent / (study.folder.name + "-moved")
    shutil.copytree(study.folder, moved.folder)  # the times of the files change
    moved.table = moved.folder / "study.csv"
    assert key(case_of(moved)) == before


@pytest.mark.parametrize("name", ["t1.nii.gz", "lesion.nii.gz"])
def test_one_bit_of_an_input_matters_even_if_size_and_time_are_the_same(study, name):
    file, before = study.folder / "sub-0" / name, key(case_of(study))
    status, content = file.stat(), bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size
    assert key(case_of(study)) != before


def test_voxels_beside_a_header_and_scans_in_folders_are_inputs(study):
    volume = mi.Volume.read(study.image("sub-0"))
    volume.write(study.folder / "a.mhd", compress=False)
    (study.folder / "others" / "series").mkdir(parents=True)
    (study.folder / "others" / "series" / "b.nrrd").write_bytes(b"1")
    case = case_of(study, image=str(study.folder / "a.mhd"), exemplars=str(study.folder / "others"))
    before = key(case)
    (voxels,) = study.folder.glob("a-*.raw")
    content = bytearray(voxels.read_bytes())
    content[0] ^= 1
    voxels.write_bytes(content)
    after = key(case)
    assert after != before
    (study.folder / "others" / "series" / "b.nrrd").write_bytes(b"2")
    assert key(case) != after


def test_names_of_labels_are_inputs_where_labels_are_chosen(study):
    chosen, all_of_it = case_of(study, labels=["hippocampus"]), case_of(study)
    before = key(chosen), key(all_of_it)
    (study.folder / "sub-0" / "lesion.ctab").write_text("1 hippocampus 0 0 0 0\n")
    assert key(chosen) != before[0]
    assert key(all_of_it) == before[1]


def test_a_users_model_is_an_input_of_fills_that_may_use_it_alone(study, tiny_models):
    pytest.importorskip("torch")
    facts = tiny_models / "a-tiny-pconv" / "bundle.json"
    text = facts.read_text(encoding="utf-8")

    def keys():
        networks.networks.cache_clear()
        return [
            key(case_of(study, method=method, parameters=parameters))
            for method, parameters in (
                ("pconv", {}),
                ("auto", {}),
                ("rfr", {}),
                ("harmonic", {}),
                ("pconv", {"model": "a-tiny-pconv"}),
            )
        ]

    before = keys()
    try:
        digest = json.loads(text)["weights"]["sha256"]
        facts.write_text(text.replace(digest, "0" * 64), encoding="utf-8")
        changed = [one != other for one, other in zip(before, keys(), strict=True)]
    finally:
        facts.write_text(text, encoding="utf-8")
        networks.networks.cache_clear()
    assert changed == [True, True, False, False, True]


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(file.read_bytes()[:-9])])
def test_an_output_that_is_gone_or_cut_off_is_made_again(study, spoil):
    case = case_of(study)
    do(study, case)
    whole = study.output("sub-0").read_bytes()
    spoil(study.output("sub-0"))
    assert not do(study, case).skipped
    assert study.output("sub-0").read_bytes() == whole


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fingerprint": 3}', None])
def test_a_record_that_is_damaged_is_none(study, text):
    case = case_of(study)
    do(study, case)
    file = record_of(case, study.folder / "cohort" / "records")
    record = json.loads(file.read_text())
    del record["status"]
    file.write_text(json.dumps(record) if text is None else text)
    assert not do(study, case).skipped
    assert do(study, case).skipped


def test_an_image_with_an_empty_mask_is_copied_with_all_that_was_asked_for(study):
    folder = study.folder
    paths = {name: str(folder / f"{name}.nii.gz") for name in ("uncertainty", "filled_mask")}
    case = case_of(study, 2, **paths, report=str(folder / "r.json"))
    outcome = do(study, case)
    assert (outcome.status, outcome.facts["voxels"], outcome.facts["method"]) == (CONTROL, 0, "none")
    image, copy = mi.Volume.read(study.image("sub-2")), mi.Volume.read(study.output("sub-2"))
    np.testing.assert_array_equal(copy.array, image.array)
    assert (copy.array.dtype, copy.spacing) == (image.array.dtype, image.spacing)
    for path in paths.values():
        assert mi.Volume.read(path).array.shape == image.array.shape
        assert not mi.Volume.read(path).array.any()
    report = json.loads((folder / "r.json").read_text())
    assert report["hole"]["voxels"] == 0
    assert set(report) == set(_report_of_a_fill(study))
    assert do(study, case).skipped


def _report_of_a_fill(study):
    case = case_of(study, 1, report=str(study.folder / "other.json"))
    do(study, case)
    return json.loads((study.folder / "other.json").read_text())


@pytest.fixture
def series(study):
    """A case whose image and output are DICOM series."""
    pytest.importorskip("pydicom")
    from Testing.Python.dicom_files import write_series

    folder = study.folder
    stored = write_series(folder / "series")
    mask = np.zeros(stored.shape, np.uint8)
    mask[3:5, 5:9, 4:8] = 1
    mi.Volume.read(folder / "series").of_another_quantity(mask).write(folder / "mask.nrrd")
    study.write([["image", "mask", "output"], ["series", "mask.nrrd", "filled/"]])
    return case_of(study)


def test_a_series_that_was_written_when_the_run_was_killed_is_written_again(study, series, monkeypatch):
    import MedInpaintLib.cohort.work as module

    kept = []

    def killed(file, record):
        kept.append(record)
        if "fingerprint" in record:
            raise KeyboardInterrupt  # as if the process ended here, before the record
        write_json(file, record)

    write_json = module.write_json
    monkeypatch.setattr(module, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        do(study, series)
    assert len(kept) == 2
    assert any((study.folder / "filled").iterdir())
    monkeypatch.undo()
    assert do(study, series).status == DONE
    assert do(study, series).skipped
    changed = dataclasses.replace(series, job=dataclasses.replace(series.job, dilate_mm=2.0))
    assert (do(study, changed).status, do(study, changed).skipped) == (DONE, True)


def test_a_folder_that_someone_else_has_filled_is_left_alone(study, series):
    (study.folder / "filled").mkdir()
    (study.folder / "filled" / "own.txt").write_text("mine")
    for _ in range(2):
        outcome = do(study, series)
        assert (outcome.status, outcome.kind) == (FAILED, "OutputPathError")
    assert os.listdir(study.folder / "filled") == ["own.txt"]


def test_a_mask_without_the_chosen_label_is_no_control(study):
    outcome = do(study, case_of(study, labels=[7]))
    assert (outcome.status, outcome.kind) == (FAILED, "MaskError")
    assert not study.output("sub-0").exists()


def test_an_input_that_is_replaced_during_the_work_fails_the_case(study, monkeypatch):
    case = case_of(study)
    run = Fill.run

    def replaced(self, job, progress):
        result = run(self, job, progress)
        shutil.copy(study.image("sub-1"), study.image("sub-0"))
        return result

    monkeypatch.setattr(Fill, "run", replaced)
    outcome = do(study, case)
    assert outcome.status == FAILED
    assert "changed while it was worked on" in outcome.message
    monkeypatch.undo()
    assert not do(study, case).skipped


def test_a_fault_of_the_program_is_a_failure_with_its_traceback(study, monkeypatch):
    def fault(self, job, progress):
        raise RuntimeError("by mistake")

    monkeypatch.setattr(Fill, "run", fault)
    outcome = do(study, case_of(study))
    assert (outcome.status, outcome.kind) == (FAILED, "RuntimeError")
    assert "please report it" in outcome.message
    assert "in fault" in outcome.trace


def test_names_of_records_are_safe_and_differ():
    names = [
        "sub-1",
        "SUB-1",
        "sub 1",
        "sub/1",
        "sub\\1",
        "CON",
        "con.",
        "ö" * 300,
        "a" * 300,
        "a" * 299 + "b",
        "..",
        "*?",
    ]
    case = dataclasses.make_dataclass("Case", ["id"])
    files = [record_of(case(name), Path()).name for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    for file in files:
        assert len(file) < 100
        assert set(file) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
