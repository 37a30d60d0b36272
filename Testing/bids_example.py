"""Make a small BIDS dataset from the sample data: ``python Testing/bids_example.py FOLDER``.

Four participants: one with its real lesions marked in a derivative, one with two sessions and masks named as in the
documentation of fMRIPrep, one whose mask is empty, and one without a mask. Half the resolution keeps it quick. It needs
only numpy and nibabel.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel
import numpy as np

SAMPLES = Path(__file__).parents[1] / "Resources" / "SampleData"
LESIONS, MASK = "derivatives/lesions", "space-T1w_label-lesion_mask"
#: Of the sample image: :file:`Resources/SampleData/README.md`.
METADATA = {"Modality": "MR", "MagneticFieldStrength": 3, "SkullStripped": True}
README = """# An example for MedInpaint

Made from the sample data of MedInpaint (brain MR of the Laboratory of Imaging Technologies, University of Ljubljana,
CC BY; see its README for the citation) at half the resolution. All participants are the same head.
"""


def main(folder: Path) -> None:
    """Write the dataset into a folder."""
    image, lesions, balls = (_half(f"brain-t1{rest}.nii.gz") for rest in ("", "-lesion", "-hole"))
    balls = _like(balls, (np.asarray(balls.dataobj) > 0).astype(np.uint8))
    empty = _like(lesions, np.zeros(lesions.shape, np.uint8))
    _describe(folder, {"Name": "MedInpaint example", "DatasetType": "raw", "License": "CC-BY-4.0"})
    for visit in ("sub-01", "sub-02/ses-1", "sub-02/ses-2", "sub-03", "sub-04"):
        _write(image, folder, visit, "T1w")
    _write_json(folder / "T1w.json", METADATA)
    for visit, mask in (("sub-02/ses-1", lesions), ("sub-02/ses-2", balls)):
        _write(mask, folder, visit, "T1w_label-lesion_roi")
    (folder / ".bidsignore").write_text("# Masks in raw data have no name in BIDS.\n*_roi.nii.gz\n", encoding="utf-8")
    rows = ["participant_id\tgroup", "sub-01\tpatient", "sub-02\tpatient", "sub-03\tcontrol", "sub-04\tcontrol"]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    _write_json(folder / "participants.json", {"group": {"Description": "patient or control"}})

    manual = [{"Name": "Manual", "Description": "Consensus of several raters"}]
    links = {"raw": "../.."}
    description = {"Name": "Lesion masks", "DatasetType": "derivative", "GeneratedBy": manual, "DatasetLinks": links}
    _describe(folder / LESIONS, description)
    for visit, mask in (("sub-01", lesions), ("sub-03", empty)):
        _write(mask, folder / LESIONS, visit, MASK)
        reference = f"bids:raw:{visit}/anat/{visit}_T1w.nii.gz"
        sidecar = {"Description": "Lesions", "Type": "Lesion", "SpatialReference": reference, "Sources": [reference]}
        _write_json(_path(folder / LESIONS, visit, MASK, ".json"), sidecar)


def _half(name: str) -> nibabel.Nifti1Image:
    return nibabel.load(SAMPLES / name).slicer[::2, ::2, ::2]


def _like(image: nibabel.Nifti1Image, array: np.ndarray) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image(array, image.affine)


def _describe(folder: Path, description: dict[str, object]) -> None:
    _write_json(folder / "dataset_description.json", {"BIDSVersion": "1.11.1", **description})
    (folder / "README.md").write_text(README, encoding="utf-8")


def _path(folder: Path, visit: str, rest: str, ending: str) -> Path:
    return folder / visit / "anat" / f"{visit.replace('/', '_')}_{rest}{ending}"


def _write(image: nibabel.Nifti1Image, folder: Path, visit: str, rest: str) -> None:
    path = _path(folder, visit, rest, ".nii.gz")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
