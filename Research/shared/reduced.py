"""Images at the size at which networks see them, so that holes can be given in pixels and nothing else is measured."""

from __future__ import annotations

from pathlib import Path

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.shrink import reduced_to
from MedInpaintLib.volume import Volume
from .given import write_rows
from .people import COLUMNS


def reduced(data: Path, folder: Path, modality: str, across: int) -> Path:
    """A folder with all images of a modality, those that are twice as large or more reduced, and their manifest.

    Args:
        data: folder with MANIFEST.csv.
        folder: to write to; what is there from before stays.
        modality: of the images, which are 2-D.
        across: pixels along the longer side, at least.

    Returns:
        the folder.

    Raises:
        InputError: there is no such image.
    """
    entries = [entry for entry in read_manifest(data) if entry.modality == modality]
    if not entries:
        raise InputError(f"The data in '{data}' hold no {modality} images.")
    if (folder / "MANIFEST.csv").is_file():
        return folder
    make_folder(folder)
    rows = []
    for entry in entries:
        name = f"{entry.name}.nii.gz"
        make_folder((folder / name).parent)
        reduced_to(Volume.read(entry.path), across).write(folder / name)
        source = [entry.dataset, entry.licence, entry.citation]
        rows.append([name, entry.modality, entry.contrast, entry.subject, entry.split, *source])
    write_rows(folder / "MANIFEST.csv", [COLUMNS, *rows])
    return folder
