"""The app as its users meet it: the command, and the dataset that it leaves."""

import dataclasses
import json
import os
import re
import threading
import urllib.parse

import nibabel
import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.bids import derivative
from MedInpaintLib.bids.layout import Dataset
from MedInpaintLib.cli.bids import repeated

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
MASK = "sub-01/anat/sub-01_T1w_label-lesion_roi.nii.gz"
LESIONS = "derivatives/lesions/sub-02/ses-1/anat/sub-02_ses-1_space-T1w_label-lesion_mask.nii.gz"
FILLED = "sub-01/anat/sub-01_desc-lesionfilled_T1w"
BOX = (slice(6, 9), slice(5, 8), slice(6, 9))


@pytest.fixture
def study(patients, in_this_process):
    return patients


@pytest.fixture
def patients(tree):
    """A participant with a mask in the raw dataset, one with a session and a mask in a derivative, one without."""
    tree.image(T1W)
    tree.mask(MASK)
    tree.image("sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz")
    tree.mask(LESIONS)
    tree.image("sub-03/anat/sub-03_T1w.nii.gz")
    return tree


def statuses(tree, name="summary.tsv"):
    return {row["id"]: row["status"] for row in tree.table(name)}


def test_a_study_is_filled_and_what_has_no_mask_is_told_once(study):
    result = study.run()
    assert result.exit_code == 0, result.output
    assert statuses(study) == {"sub-01_T1w": "done", "sub-02_ses-1_T1w": "done", "sub-03_T1w": "no mask"}
    assert result.output.count("sub-03") == 1
    assert "1 image has no lesion mask, and nothing is done for it: sub-03_T1w." in result.output
    assert not (study.out / "sub-03").exists()
    before, after = (mi.Volume.read(path).array for path in (study.folder / T1W, study.out / f"{FILLED}.nii.gz"))
    changed = before != after
    assert changed[BOX].any()
    changed[BOX] = False
    assert not changed.any()


def test_worker_processes_know_the_jobs(patients):
    result = patients.run("--progress", "json", "--jobs", 2)
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.output.splitlines()]
    assert sum(event["event"] == "case" and event["status"] == "done" for event in events) == 2
    assert statuses(patients)["sub-02_ses-1_T1w"] == "done"


def test_an_image_without_its_sidecar_is_not_done(study, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("MedInpaintLib.bids.case.write_json", full)
        assert study.run("--participant-label", "01").exit_code == 1
    assert (study.out / f"{FILLED}.nii.gz").exists()
    assert "0 of them were done before" in study.run("--participant-label", "01").output
    assert study.read(f"{FILLED}.json")["MedInpaint"]["status"] == "done"


def test_outputs_have_the_names_of_derivatives(study):
    assert study.run("--uncertainty", options=("--method", "patch")).exit_code == 0
    written = {
        path.relative_to(study.out).as_posix()
        for path in study.out.rglob("*")
        if path.is_file() and path.parent.name != "records"
    }
    names = [
        f"desc-{what}{ending}" for what in ("lesionfilled_T1w", "uncertainty_T1w") for ending in (".nii.gz", ".json")
    ]
    names += [f"space-T1w_desc-filled_mask{ending}" for ending in (".nii.gz", ".json")]
    assert written == {
        *(f"sub-01/anat/sub-01_{name}" for name in names),
        *(f"sub-02/ses-1/anat/sub-02_ses-1_{name}" for name in names),
        *("sub-01_T1w.html", "sub-02_ses-1_T1w.html", "sub-01.html", "sub-02.html", "index.html"),
        *("dataset_description.json", "README.md", ".bidsignore", "summary.tsv", "failures.tsv"),
        *("lock", "lock-dataset"),
    }
    mask = mi.Volume.read(study.out / "sub-01/anat/sub-01_space-T1w_desc-filled_mask.nii.gz").array
    assert mask.sum() == mask[BOX].sum() == 27
    spread = mi.Volume.read(study.out / "sub-01/anat/sub-01_desc-uncertainty_T1w.nii.gz").array
    assert (spread > 0).sum() > 0
    assert not spread[mask == 0].any()


def test_regions_are_named_unless_they_are_turned_off(study):
    study.run()
    notes = study.read(f"{FILLED}.json")["MedInpaint"]["notes"]
    assert notes["no regions are named"] == "the image cannot show a head"
    study.run("--no-regions")
    assert "no regions are named" not in study.read(f"{FILLED}.json")["MedInpaint"]["notes"]


def test_the_dataset_says_what_made_it_of_what(study):
    study.json("dataset_description.json", {"Name": "Tree", "DatasetDOI": "doi:10.0/x", "License": "CC0"})
    study.run()
    description = study.read("dataset_description.json")
    assert description["DatasetType"] == "derivative"
    assert description["Name"] == "Tree, lesions filled"
    assert description["License"] == "CC0"
    (program,) = description["GeneratedBy"]
    assert (program["Name"], program["Version"]) == ("MedInpaint", mi.__version__)
    assert description["SourceDatasets"] == [{"DOI": "doi:10.0/x"}]
    assert description["DatasetLinks"] == {"raw": "../..", "lesions": "../lesions"}
    assert "synthetic" in (study.out / "README.md").read_text()


def test_links_of_earlier_runs_are_kept(study):
    study.run()
    study.run("--masks", study.folder)
    assert study.read("dataset_description.json")["DatasetLinks"] == {"raw": "../..", "lesions": "../lesions"}


def test_links_of_runs_at_the_same_time_are_kept(study, tmp_path, monkeypatch):
    """The second run begins to write the description while the first has read it and not yet written its own."""
    raw = Dataset(study.folder, "raw")
    second = threading.Thread(
        target=derivative.write_dataset, args=(study.out, raw, [Dataset(tmp_path / "b", "second")])
    )
    write_json = derivative.write_json

    def write_slowly(path, document):
        if threading.current_thread() is not second:
            second.start()
            second.join(0.5)
        write_json(path, document)

    monkeypatch.setattr(derivative, "write_json", write_slowly)
    derivative.write_dataset(study.out, raw, [Dataset(tmp_path / "a", "first")])
    second.join()
    assert study.read("dataset_description.json")["DatasetLinks"].keys() == {"raw", "first", "second"}


def test_a_sidecar_has_sources_method_trust_and_the_metadata_that_still_holds(study):
    study.json("T1w.json", {"EchoTime": 0.003, "RepetitionTime": 2.3, "Sources": ["old"], "Description": "old"})
    study.json(T1W.replace(".nii.gz", ".json"), {"EchoTime": 0.004, "SkullStripped": True})
    study.run("--dilate", "0", "--seed", "7")
    sidecar = study.read(f"{FILLED}.json")
    assert sidecar["Sources"] == [f"bids:raw:{T1W}", f"bids:raw:{MASK}"]
    assert sidecar["SpatialReference"] == f"bids:raw:{T1W}"
    assert (sidecar["EchoTime"], sidecar["RepetitionTime"], sidecar["SkullStripped"]) == (0.004, 2.3, True)
    assert "synthetic" in sidecar["Description"]
    facts = sidecar["MedInpaint"]
    assert (facts["status"], facts["method"], facts["seed"]) == ("done", "shell-mean", 7)
    assert facts["hole"]["voxels"] == 27
    assert {"trust", "warnings", "parameters", "parts"} <= set(facts)
    mask = study.read("sub-01/anat/sub-01_space-T1w_desc-filled_mask.json")
    assert (mask["Type"], mask["SpatialReference"]) == ("Lesion", f"bids:raw:{T1W}")
    assert "EchoTime" not in mask
    other = study.read("sub-02/ses-1/anat/sub-02_ses-1_desc-lesionfilled_T1w.json")
    assert (other["SkullStripped"], other["EchoTime"]) == (False, 0.003)
    assert other["Sources"][1] == f"bids:lesions:{LESIONS.removeprefix('derivatives/lesions/')}"


def test_the_same_study_gives_the_same_bytes_elsewhere(study, tmp_path):
    study.run()
    files = [path for path in (study.out / "sub-01").rglob("*") if path.is_file()]
    first = {path: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    study.run()
    assert {path: path.read_bytes() for path in files} == first
    assert str(tmp_path) not in (study.out / f"{FILLED}.json").read_text()


def test_what_is_done_is_skipped_and_what_has_changed_is_done_again(study):
    study.run()
    filled = study.out / f"{FILLED}.nii.gz"
    other = study.out / "sub-02/ses-1/anat/sub-02_ses-1_desc-lesionfilled_T1w.nii.gz"
    times = [path.stat().st_mtime_ns for path in (filled, other)]
    assert "2 of them were done before" in study.run().output
    assert [path.stat().st_mtime_ns for path in (filled, other)] == times
    study.json("sub-01/anat/sub-01_T1w.json", {"EchoTime": 0.1})
    assert "1 of them were done before" in study.run().output
    assert study.read(f"{FILLED}.json")["EchoTime"] == 0.1
    (study.out / f"{FILLED}.json").unlink()
    assert "1 of them were done before" in study.run().output
    assert study.read(f"{FILLED}.json")["EchoTime"] == 0.1


def test_an_empty_mask_is_a_control_whose_image_is_copied(study):
    study.mask(MASK, box=None)
    study.image("sub-01/anat/sub-01_T2w.nii.gz", seed=1)
    assert study.run("--uncertainty").exit_code == 0
    assert statuses(study)["sub-01_T1w"] == "control"
    before, after = (mi.Volume.read(path).array for path in (study.folder / T1W, study.out / f"{FILLED}.nii.gz"))
    assert (before == after).all()
    sidecar = study.read(f"{FILLED}.json")
    assert sidecar["MedInpaint"]["status"] == "control"
    assert "nothing was filled" in sidecar["Description"]


@pytest.mark.parametrize("with_guide", [False, True])
def test_a_4d_image_is_filled_and_its_page_shows_one_volume(study, with_guide):
    if with_guide:  # which is compared with the first volume that has a hole
        study.image("sub-01/anat/sub-01_T2w.nii.gz", seed=1)
    volumes = [nibabel.load(study.folder / T1W).get_fdata() * share for share in (1.0, 0.8)]
    mask = nibabel.load(study.folder / MASK)
    nibabel.save(nibabel.Nifti1Image(np.stack(volumes, -1).astype(np.int16), mask.affine), study.folder / T1W)
    masks = np.stack([0 * mask.get_fdata(), mask.get_fdata()], -1).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(masks, mask.affine), study.folder / MASK)
    result = study.run("--participant-label", "01")
    assert result.exit_code == 0, result.output
    after = nibabel.load(study.out / f"{FILLED}.nii.gz")
    changed = np.asarray(after.dataobj) != np.asarray(nibabel.load(study.folder / T1W).dataobj)
    assert changed[..., 1].any()
    assert not changed[masks == 0].any()
    assert "This page shows volume 1, the first that was filled." in (study.out / "sub-01_T1w.html").read_text()
    assert study.read(f"{FILLED}.json")["MedInpaint"]["guides"] == ["sub-01_T2w.nii.gz"] * with_guide


def test_an_image_whose_mask_is_refused_fails_alone_and_says_why(study):
    (study.folder / LESIONS).rename(study.folder / LESIONS.replace("space-T1w", "space-MNI152Lin"))
    result = study.run()
    assert result.exit_code == 1
    assert statuses(study) == {"sub-01_T1w": "done", "sub-02_ses-1_T1w": "failed", "sub-03_T1w": "no mask"}
    (failure,) = study.table("failures.tsv")
    assert failure["id"] == "sub-02_ses-1_T1w"
    assert "space 'MNI152Lin'" in failure["message"]
    assert failure["message"] in result.output


def test_runs_for_single_participants_leave_their_own_tables_and_group_joins_them(study):
    (study.folder / LESIONS).rename(study.folder / LESIONS.replace("space-T1w", "space-MNI152Lin"))
    study.image("sub-04/anat/sub-04_T1w.nii.gz")
    study.mask("sub-04/anat/sub-04_label-lesion_mask.nii.gz")
    (study.folder / "sub-04/anat/sub-04_T1w.nii.gz").write_bytes(b"no image")
    assert study.run("--participant-label", "01", "03").exit_code == 0
    assert statuses(study, "summary-sub-01_sub-03.tsv") == {"sub-01_T1w": "done", "sub-03_T1w": "no mask"}
    assert study.run("--participant_label", "sub-04").exit_code == 1
    study.image("sub-05/anat/sub-05_T1w.nii.gz")
    study.mask("sub-05/anat/sub-05_label-lesion_mask.nii.gz")
    for _ in range(2):  # it reads its own failures, too
        group = study.run(level="group", options=())
        assert group.exit_code == 1
        assert "the level participant fills them" in group.output
        assert statuses(study)["sub-01_T1w"] == "done"
        failures = {row["id"]: row for row in study.table("failures.tsv")}
        assert list(failures) == ["sub-02_ses-1_T1w", "sub-04_T1w", "sub-05_T1w"]
        assert "MNI152Lin" in failures["sub-02_ses-1_T1w"]["message"]
        assert failures["sub-04_T1w"]["error"] == "ImageReadError"
        assert failures["sub-05_T1w"]["message"] == "It was not filled yet."
    assert not (study.out / "sub-05").exists()


def test_group_tells_what_is_done_whatever_the_options_were(study):
    study.run("--dilate", "2")
    group = study.run(level="group", options=())
    assert group.exit_code == 0, group.output
    rows = {row["id"]: row for row in study.table()}
    assert int(rows["sub-01_T1w"]["voxels"]) > 27
    assert rows["sub-03_T1w"]["status"] == "no mask"


def test_group_does_not_count_what_has_no_output_any_more(study):
    study.run()
    (study.out / f"{FILLED}.nii.gz").unlink()
    assert study.run(level="group", options=()).exit_code == 1
    assert statuses(study) == {"sub-01_T1w": "failed", "sub-02_ses-1_T1w": "done", "sub-03_T1w": "no mask"}
    assert "leave out --part" in study.run("--part", "1/2", level="group", options=()).output


def test_group_does_not_count_an_older_fill_of_an_image_that_has_failed_since(study):
    study.run()
    mask = mi.Volume.read(study.folder / MASK)
    dataclasses.replace(mask, origin=(500.0, 0.0, 0.0), header=None).write(study.folder / MASK)
    assert study.run().exit_code == 1
    assert study.run(level="group", options=()).exit_code == 1
    assert statuses(study)["sub-01_T1w"] == "failed"
    assert "does not overlap the image" in study.table("failures.tsv")[0]["message"]


def test_group_tells_the_newest_reason_of_a_failure(study):
    (study.folder / T1W).write_bytes(b"no image")
    assert study.run().exit_code == 1
    os.utime(study.out / "failures.tsv", (1, 1))  # clocks of file systems may be coarse
    study.image(T1W)
    mask = mi.Volume.read(study.folder / MASK)
    dataclasses.replace(mask, origin=(500.0, 0.0, 0.0), header=None).write(study.folder / MASK)
    assert study.run("--participant-label", "01").exit_code == 1
    study.run(level="group", options=())
    assert "does not overlap the image" in study.table("failures.tsv")[0]["message"]


def test_group_does_not_count_an_image_whose_masks_are_refused_by_now(study):
    study.run()
    study.mask("sub-01/anat/sub-01_label-lesion_mask.nii.gz")
    assert study.run(level="group", options=()).exit_code == 1
    assert statuses(study)["sub-01_T1w"] == "failed"
    assert "2 lesion masks fit it" in study.table("failures.tsv")[0]["message"]


def test_the_index_of_group_leads_to_no_page_that_was_not_written(study):
    study.run("--no-page")
    assert "Pages" not in study.run(level="group", options=()).output
    assert not (study.out / "index.html").exists()
    study.run("--participant-label", "01")
    study.run(level="group", options=())
    index = (study.out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]*)"', index) == ["sub-01.html#sub-01_T1w"]
    assert "<title>Tree, lesions filled</title>" in index


@pytest.fixture
def contrasts(study):
    """Two contrasts of the first two participants with a mask each; the second person's FLAIR is damaged."""
    study.image("sub-01/anat/sub-01_FLAIR.nii.gz", seed=1)
    study.mask("sub-01/anat/sub-01_FLAIR_label-lesion_roi.nii.gz")
    flair = "sub-02/ses-1/anat/sub-02_ses-1_FLAIR.nii.gz"
    study.image(flair)
    (study.folder / flair).write_bytes(b"no image")
    study.mask("derivatives/lesions/sub-02/ses-1/anat/sub-02_ses-1_space-FLAIR_label-lesion_mask.nii.gz")
    study.image("sub-03/anat/sub-03_FLAIR.nii.gz")
    return study


OF_T1W = {"sub-01_T1w": "done", "sub-02_ses-1_T1w": "done", "sub-03_T1w": "no mask"}
OF_FLAIR = {"sub-01_FLAIR": "done", "sub-02_ses-1_FLAIR": "failed", "sub-03_FLAIR": "no mask"}


def test_the_tables_hold_the_rows_of_runs_with_other_contrasts(contrasts):
    assert contrasts.run("--contrast", "FLAIR").exit_code == 1
    failure = contrasts.table("failures.tsv")
    result = contrasts.run()
    assert result.exit_code == 0, result.output
    assert "2 cases: 2 filled" in result.output  # it counts its own
    assert statuses(contrasts) == OF_T1W | OF_FLAIR
    assert contrasts.table("failures.tsv") == failure
    before = {row["id"]: row for row in contrasts.table() if row["status"] == "done"}
    assert contrasts.run("--contrast", "FLAIR").exit_code == 1
    after = {row["id"]: row for row in contrasts.table() if row["status"] == "done"}
    assert after == before
    assert statuses(contrasts) == OF_T1W | OF_FLAIR
    assert after["sub-01_T1w"]["output"] == f"{FILLED}.nii.gz"
    assert set(_targets(contrasts.out / "index.html")) == {
        *("sub-01.html#sub-01_T1w", "sub-01.html#sub-01_FLAIR", "sub-02.html#sub-02_ses-1_T1w"),
    }


def test_parts_and_labels_keep_the_rows_of_other_contrasts_in_their_own_tables(contrasts):
    for contrast in ("FLAIR", "T1w"):
        for number in (1, 2):
            contrasts.run("--part", f"{number}/2", "--contrast", contrast)
        contrasts.run("--participant-label", "01", "--contrast", contrast)
    parts = [statuses(contrasts, f"summary-{number}-of-2.tsv") for number in (1, 2)]
    assert parts[0] | parts[1] == OF_T1W | OF_FLAIR
    assert not parts[0].keys() & parts[1].keys()
    assert statuses(contrasts, "summary-sub-01.tsv") == {"sub-01_T1w": "done", "sub-01_FLAIR": "done"}
    assert contrasts.run(level="group", options=()).exit_code == 1
    assert statuses(contrasts) == OF_T1W | OF_FLAIR
    (failure,) = contrasts.table("failures.tsv")
    assert (failure["id"], failure["error"]) == ("sub-02_ses-1_FLAIR", "ImageReadError")
    assert failure["origin"] == "'sub-02/ses-1/anat/sub-02_ses-1_FLAIR.nii.gz'"


def test_group_rebuilds_the_tables_from_what_lies_there(contrasts):
    contrasts.run("--contrast", "FLAIR")
    contrasts.run()
    whole = contrasts.table()
    for table in contrasts.out.glob("*.tsv"):
        table.unlink()
    assert contrasts.run(level="group", options=()).exit_code == 0  # only a table could tell of the failure
    rebuilt = {row["id"]: row for row in contrasts.table()}
    assert rebuilt == {row["id"]: row for row in whole if row["status"] == "done" or row["id"] == "sub-03_T1w"}
    (contrasts.out / "sub-01/anat/sub-01_desc-lesionfilled_FLAIR.nii.gz").unlink()
    assert contrasts.run(level="group", options=()).exit_code == 1
    assert statuses(contrasts)["sub-01_FLAIR"] == "failed"
    (contrasts.folder / "sub-01/anat/sub-01_FLAIR.nii.gz").unlink()  # neither image nor fill is there
    assert contrasts.run(level="group", options=()).exit_code == 0
    assert statuses(contrasts) == OF_T1W
    contrasts.run(level="group", options=("--participant-label", "02"))
    assert statuses(contrasts, "summary-sub-02.tsv") == {"sub-02_ses-1_T1w": "done"}


def _targets(page):
    """Return where the links of a page lead to; each of them is there."""
    targets = re.findall(r'href="([^"]*)"', page.read_text(encoding="utf-8"))
    for target in targets:
        file, _, anchor = target.partition("#")
        text = (page.parent / urllib.parse.unquote(file)).read_text(encoding="utf-8")
        assert not anchor or f'id="{anchor}"' in text
    return targets


def test_the_page_of_a_subject_lists_its_images_with_a_picture_and_links_to_their_pages(contrasts):
    contrasts.run("--contrast", "FLAIR", "--participant-label", "01")
    contrasts.run("--part", "1/2")  # of the T1w images of both participants, this is about the first
    page = contrasts.out / "sub-01.html"
    text = page.read_text(encoding="utf-8")
    assert "2 images. Not for clinical use." in text
    assert sorted(set(_targets(page))) == ["sub-01_FLAIR.html", "sub-01_T1w.html"]
    for name in ("sub-01_FLAIR", "sub-01_T1w"):
        own = (contrasts.out / f"{name}.html").read_text(encoding="utf-8")
        picture = re.search(r'class="layer after"><img src="([^"]+)"', own)[1]
        assert f'<img src="{picture}" alt="After the fill: {name}">' in text
    assert "<dt>Method</dt><dd>shell-mean</dd>" in text
    assert "<script" not in text
    assert "http" not in re.sub("<meta[^>]*>", "", text)


def test_the_page_of_a_subject_lists_no_image_of_one_whose_name_begins_alike(tree, in_this_process):
    for subject in ("01", "01+a", "011"):
        tree.image(f"sub-{subject}/anat/sub-{subject}_T1w.nii.gz")
        tree.mask(f"sub-{subject}/anat/sub-{subject}_label-lesion_mask.nii.gz")
    for subject in ("01+a", "011", "01"):
        result = tree.run("--participant-label", subject)
        assert result.exit_code == 0, result.output
        assert set(_targets(tree.out / f"sub-{subject}.html")) == {f"sub-{subject}_T1w.html".replace("+", "%2B")}


def test_the_page_of_a_subject_tells_what_failed_and_shows_no_older_fill_of_it(study):
    study.run()
    (study.folder / T1W).write_bytes(b"no <b>image</b>")
    assert study.run().exit_code == 1
    text = (study.out / "sub-01.html").read_text(encoding="utf-8")
    assert 'class="verdict failed"' in text
    assert "There is no result." in text
    assert _targets(study.out / "sub-01.html") == []
    assert "<img" not in text


def test_a_study_that_was_moved_is_still_done(study):
    study.run()
    study.folder = study.folder.rename(study.folder.with_name("moved"))
    study.out = study.folder / "derivatives" / "medinpaint"
    assert "2 of them were done before" in study.run().output


def test_a_participant_without_a_mask_alone_is_no_error(patients):
    result = patients.run("--participant-label", "03")
    assert result.exit_code == 0, result.output
    assert statuses(patients, "summary-sub-03.tsv") == {"sub-03_T1w": "no mask"}


def test_a_file_under_the_wrong_participant_is_told(study):
    study.image("sub-03/anat/sub-02_T1w.nii.gz")
    assert "sub-02_T1w.nii.gz' is not used: its name tells another participant" in study.run().output


def test_an_image_that_is_there_twice_is_told_before_anything_is_done(study):
    study.image("sub-01/anat/sub-01_T1w.nii")
    result = study.run()
    assert result.exit_code == 2
    assert "also fits" not in result.output
    assert not (study.out / "sub-01").exists()


def test_parts_share_the_images_and_those_without_a_mask(study):
    for number in (1, 2):
        assert study.run("--part", f"{number}/2").exit_code == 0
    tables = [statuses(study, f"summary-{number}-of-2.tsv") for number in (1, 2)]
    assert tables[0] | tables[1] == {"sub-01_T1w": "done", "sub-02_ses-1_T1w": "done", "sub-03_T1w": "no mask"}
    assert not tables[0].keys() & tables[1].keys()


def test_sessions_and_runs_and_contrasts_are_chosen(study, tmp_path):
    study.image("sub-02/ses-1/anat/sub-02_ses-1_FLAIR.nii.gz", seed=1)
    study.image("sub-02/ses-2/anat/sub-02_ses-2_run-1_T1w.nii.gz")
    study.image("sub-02/ses-2/anat/sub-02_ses-2_run-2_T1w.nii.gz")
    study.mask("sub-02/ses-2/anat/sub-02_ses-2_run-2_label-lesion_mask.nii.gz")
    study.run("--session-label", "ses-2")
    assert statuses(study, "summary-ses-2.tsv") == {
        "sub-02_ses-2_run-2_T1w": "done",
        "sub-02_ses-2_run-1_T1w": "no mask",
    }
    chosen = tmp_path / "filter.json"
    chosen.write_text(json.dumps({"t1w": {"session": None}}))
    study.run("--bids-filter-file", chosen)
    assert statuses(study) == {"sub-01_T1w": "done", "sub-03_T1w": "no mask"}
    (study.folder / LESIONS).rename(study.folder / LESIONS.replace("space-T1w_", ""))
    study.run("--contrast", "FLAIR", "--contrast", "T1w", "--participant-label", "02", "--session-label", "1")
    done = statuses(study, "summary-ses-1_sub-02.tsv")
    assert done == {"sub-02_ses-1_FLAIR": "done", "sub-02_ses-1_T1w": "done"}
    assert (study.out / "sub-02/ses-1/anat/sub-02_ses-1_space-FLAIR_desc-filled_mask.nii.gz").exists()


def test_masks_are_taken_from_the_named_datasets_alone(study, tmp_path):
    study.mask("../other/sub-01/anat/sub-01_label-lesion_mask.nii.gz", box=(slice(7, 9), slice(7, 9), slice(7, 9)))
    study.run("--masks", tmp_path / "other")
    assert statuses(study) == {"sub-01_T1w": "done", "sub-02_ses-1_T1w": "no mask", "sub-03_T1w": "no mask"}
    assert study.table()[0]["voxels"] == "8"


def test_the_output_of_an_earlier_run_is_no_source(study):
    study.run()
    copy = mi.Volume.read(study.out / "sub-01/anat/sub-01_space-T1w_desc-filled_mask.nii.gz")
    copy.write(study.out / "sub-01/anat/sub-01_label-lesion_mask.nii.gz")
    assert "2 of them were done before" in study.run().output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--participant-label", "09"], "There is no participant 09 in .* there are 01, 02, 03"),
        (["--session-label", "9"], "There is no session 9"),
        (["--contrast", "T2w"], "There is no image to fill .* with the suffix T2w"),
        (["--masks", "nowhere"], "The folder 'nowhere' is not there"),
        (["--part", "3/2"], "A part is written as 3/20"),
        (["--method", "magic"], "'magic'"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_anything_is_written(study, arguments, message):
    result = study.run(*arguments, options=())
    assert result.exit_code == 2
    assert re.search(message, " ".join(result.output.split()))
    assert "Traceback" not in result.output
    assert not study.out.exists()


def test_other_datasets_are_not_written_into(study):
    study.out = study.folder
    assert "is the dataset itself" in study.run().output
    study.out = study.folder / "derivatives" / "lesions"
    study.json("derivatives/lesions/dataset_description.json", {"Name": "x", "GeneratedBy": [{"Name": "Manual"}]})
    result = study.run()
    assert (result.exit_code, "holds another dataset" in result.output) == (2, True)


def test_a_dataset_that_cannot_be_read_is_not_written_into(study):
    study.out.mkdir(parents=True)
    (study.out / "dataset_description.json").write_text('{"Name": ')
    result = study.run()
    assert (result.exit_code, "holds another dataset" in result.output) == (2, True)
    assert (study.out / "dataset_description.json").read_text() == '{"Name": '


def test_a_readme_that_is_there_is_kept(study):
    study.out.mkdir(parents=True)
    for name in ("README.md", ".bidsignore"):
        (study.out / name).write_text("mine")
    assert study.run("--participant-label", "03").exit_code == 0
    assert [(study.out / name).read_text() for name in ("README.md", ".bidsignore")] == ["mine", "mine"]


def test_a_folder_without_participants_is_no_dataset(tree):
    result = tree.run()
    assert (result.exit_code, "no folder in it is named like sub-01" in " ".join(result.output.split())) == (2, True)


def test_options_with_several_values_take_the_words_up_to_the_next_option():
    line = ["data", "out", "participant", "--session-label", "1", "2", "--jobs", "2", "--participant-label", "a"]
    expected = [*line[:5], "--session-label", "2", *line[6:]]
    assert repeated(line) == expected
    assert repeated(expected) == expected
    assert repeated(["--participant-label=01", "data"]) == ["--participant-label=01", "data"]


def test_options_of_other_apps_and_the_version_are_understood(study):
    assert study.run("--skip_bids_validation").exit_code == 0
    assert study.run("--version").output == f"medinpaint {mi.__version__}\n"
    assert np.array_equal(mi.Volume.read(study.folder / MASK).array.sum(), 27)
