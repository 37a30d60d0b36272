"""The dataset that is written: names of its files, and what it says about itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..cohort.lock import one_at_a_time
from ..documents import read_json
from ..errors import InputError, OutputPathError
from ..files import make_folder, write_json, write_text
from .layout import ANATOMY, Dataset
from .names import Name

#: The name of this program in datasets, and the version of BIDS that they follow.
PROGRAM, BIDS_VERSION = "MedInpaint", "1.11.1"
DESCRIPTION = "dataset_description.json"
FILLED, UNCERTAINTY, MASK = "lesionfilled", "uncertainty", "filled"
README = f"""# Images with filled lesions

{PROGRAM} has replaced the lesions in these images by plausible tissue, so that programs that expect healthy anatomy can
work on them. **Filled voxels are synthetic**: nothing can be measured in them. Not for clinical use.

- `*_desc-{FILLED}_*`: the image, with the same voxels as the source outside the filled ones;
- `*_desc-{MASK}_mask`: the voxels that were filled;
- `*_desc-{UNCERTAINTY}_*`: the standard deviation of the error, in the units of the image;
- the JSON file beside each image: its sources, method, options, warnings, and how far to trust the fill;
- `summary.tsv`: a row for each image; `failures.tsv`: why images could not be filled.
"""
IGNORED = """# Tables, pages, locks and records of what is done, for which BIDS has no names.
/summary*.tsv
/failures*.tsv
/tracebacks*.txt
/lock*
/records
*.html
"""


def folder_of(image: Name) -> list[str]:
    """Return the folders in which an image of this name lies, from the top of its dataset."""
    return [*(f"{key}-{image.entities[key]}" for key in ("sub", "ses") if key in image.entities), ANATOMY]


def outputs_for(name: Name, folder: Path, *, uncertainty: bool, page: bool) -> dict[str, str]:
    """Return the paths of all outputs of an image, by the field of its job; its page lies at the top of the folder."""
    suffix = name.suffix
    images = {
        "output": name.having(suffix, ".nii.gz", desc=FILLED),
        # The contrast is in the mask's name, too: several of one visit may be filled.
        "filled_mask": name.having("mask", ".nii.gz", space=suffix, desc=MASK),
        **({"uncertainty": name.having(suffix, ".nii.gz", desc=UNCERTAINTY)} if uncertainty else {}),
    }
    sidecars = {_sidecar_of(field): each.having(each.suffix, ".json") for field, each in images.items()}
    paths = {field: os.path.join(folder, *folder_of(name), str(each)) for field, each in {**images, **sidecars}.items()}
    return {**paths, **({"page": os.path.join(folder, str(name.having(suffix, ".html")))} if page else {})}


def _sidecar_of(field: str) -> str:
    return "sidecar" if field == "output" else f"{field}_sidecar"


def check_folder_of(folder: Path, raw: Path) -> None:
    """Check that a dataset can be written there.

    Raises:
        OutputPathError: it is the raw dataset, or holds a dataset of another program.
    """
    if os.path.realpath(folder) == os.path.realpath(raw):
        raise OutputPathError(
            f"The output '{folder}' is the dataset itself; name a folder of its own, such as "
            f"'{Path(raw) / 'derivatives' / 'medinpaint'}'."
        )
    if (folder / DESCRIPTION).exists() and not is_ours(read_description(folder) or {}):
        raise OutputPathError(f"The folder '{folder}' holds another dataset; name a new one.")


def write_dataset(folder: Path, raw: Dataset, sources: Sequence[Dataset]) -> None:
    """Write what a dataset says about itself; runs for single participants may do so at the same time.

    Args:
        folder: of the dataset.
        raw: with the images.
        sources: further datasets with masks and guides.
    """
    make_folder(folder)
    with one_at_a_time(folder / "lock-dataset"):  # else a run may lose the links that another adds at the same time
        write_json(folder / DESCRIPTION, _description(folder, raw, sources))
    for name, content in (("README.md", README), (".bidsignore", IGNORED)):
        if not (folder / name).exists():  # else it is the user's, or was written before
            write_text(folder / name, content)


def _description(folder: Path, raw: Dataset, sources: Sequence[Dataset]) -> dict[str, Any]:
    """Return the description of a dataset, with the links that it has so far."""
    origin = read_description(raw.folder) or {}
    links = (read_description(folder) or {}).get("DatasetLinks")
    before = links if isinstance(links, dict) else {}
    source = {key: value for key, value in _source(origin).items() if value}
    return {
        "Name": f"{origin.get('Name') or raw.folder.resolve().name}, lesions filled",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **({"License": origin["License"]} if origin.get("License") else {}),
        "GeneratedBy": generated_by(),
        "SourceDatasets": [source or {"URL": _link(raw.folder, folder)}],
        "DatasetLinks": {**before, **{each.name: _link(each.folder, folder) for each in (raw, *sources)}},
    }


def generated_by() -> list[dict[str, str]]:
    """Return the program and its version as BIDS writes them."""
    return [{"Name": PROGRAM, "Version": __version__, "Description": "Lesion filling (inpainting)"}]


def read_description(folder: Path) -> dict[str, Any] | None:
    """Return what a dataset says about itself; None where it says nothing that can be read."""
    try:
        document = read_json(folder / DESCRIPTION, f"'{folder / DESCRIPTION}'", InputError)
    except InputError:
        return None
    return document if isinstance(document, dict) else None


def is_ours(description: dict[str, Any]) -> bool:
    """Return whether a dataset was written by this program."""
    programs = description.get("GeneratedBy")
    first = programs[0] if isinstance(programs, list) and programs else None
    return isinstance(first, dict) and first.get("Name") == PROGRAM


def _source(origin: dict[str, Any]) -> dict[str, Any]:
    return {"DOI": origin.get("DatasetDOI")}


def _link(target: Path, folder: Path) -> str:
    """Return the path from one dataset to another, so that both can be moved together; on another drive its URI."""
    try:
        return os.path.relpath(os.path.realpath(target), os.path.realpath(folder)).replace(os.sep, "/")
    except ValueError:
        return target.resolve().as_uri()
