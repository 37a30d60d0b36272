"""Files that are whole, cut off, changed, longer than they should be, or something else than their name says."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from .formats import EVERY, FILMS, FORMATS, PACKED, SINGLE_NIFTI, SOME, VOLUMES, replace, write_by_sitk, write_nifti
from .kinds import Right, Trial, kind

DAMAGED = "cut off|damaged|cannot be read|no image|cannot be inflated|is no [A-Z]+ file"
#: Formats of files, each with all of it in one or two.
FILES = tuple(name for name in EVERY if name != "dicom")


@kind("whole", EVERY)
def whole(trial: Trial) -> Right:
    return Right(trial.write())


@kind("cut to {}", EVERY, {"nothing": 0, "50 %": 0.5, "95 %": 0.95, "99.9 %": 0.999})
def cut(trial: Trial, share: float) -> Right:
    truth = trial.write()
    shorten(trial.data, share)
    # The last bytes of some formats are remarks behind the voxels.
    spare = share > 0.99 and trial.format.name in ("png", "tif", "mgh")
    return Right(truth if spare else None, refused=DAMAGED)


@kind("mask cut to {}", SOME, {"nothing": 0, "50 %": 0.5, "95 %": 0.95, "99.9 %": 0.999})
def mask_cut(trial: Trial, share: float) -> Right:
    trial.mask = trial.folder / "mask.nii"
    trial.mask_writer = write_nifti
    trial.write()
    shorten(trial.mask, share)
    return Right(refused=DAMAGED)


@kind("mask as {}, cut to 90 %", ("nii",), [name for name in FILES if name not in FILMS])
def mask_cut_in(trial: Trial, form: str) -> Right:
    folder = trial.folder / "mask"
    folder.mkdir()
    trial.mask = folder / FORMATS[form].image
    trial.mask_writer = FORMATS[form].write
    trial.write()
    shorten(folder / FORMATS[form].data, 0.9)
    return Right(refused=DAMAGED)


@kind("a flipped bit at {} of the voxels", [name for name in PACKED if name != "png"], [0.2, 0.5, 0.8])
def flipped(trial: Trial, share: float) -> Right:
    truth = trial.write()
    content = bytearray(trial.data.read_bytes())
    start = content.find(b"\n\n") if trial.format.name == "nrrd gzip" else content.rfind(b"ElementDataFile")
    start = max(start, 0) + 20
    content[start + int(share * (len(content) - start))] ^= 16
    trial.data.write_bytes(content)
    return Right(truth, refused=DAMAGED)


@kind("a wrong checksum", ("nii.gz", "mgz"))
def wrong_checksum(trial: Trial) -> Right:
    trial.write()
    content = trial.data.read_bytes()
    trial.data.write_bytes(content[:-8] + bytes([content[-8] ^ 1]) + content[-7:])
    return Right(refused=DAMAGED)


@kind("two gzip members", ("nii.gz",))
def two_members(trial: Trial) -> Right:
    truth = trial.write()
    content = gzip.decompress(trial.image.read_bytes())
    trial.image.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]))
    return Right(truth)


@kind("bytes behind the end", FILES)
def longer(trial: Trial) -> Right:
    truth = trial.write()
    content = trial.data.read_bytes()
    trial.data.write_bytes(content + b"and so on" * 9)
    return Right(truth, refused=DAMAGED, warned="behind" if trial.format.name == "nii" else "")


@kind("voxels behind the last one", SINGLE_NIFTI)
def more_voxels(trial: Trial) -> Right:
    truth = trial.write()
    replace_end(trial, bytes(720))
    return Right(truth, warned="behind")


@kind("a first byte that is another", FILES)
def other_magic(trial: Trial) -> Right:
    truth = trial.write()
    content = bytearray(trial.image.read_bytes())
    content[:4] = b"What"
    trial.image.write_bytes(content)
    # The first field of a MetaImage says nothing that is needed.
    return Right(truth if trial.image.suffix in (".mha", ".mhd") else None, refused=DAMAGED + "|no MGH|version")


@kind("text called {}", ("nii",), sorted({one.image for one in FORMATS.values() if "." in one.image} | {"image.dcm"}))
def text(trial: Trial, name: str) -> Right:
    trial.write()
    trial.image = trial.folder / "text" / name
    trial.image.parent.mkdir()
    trial.image.write_text("These are no voxels, whatever the name says.\n" * 30)
    return Right(refused=DAMAGED + "|missing|no MGH|version")


@kind("a PNG called {}", ("nii",), ["image.nii", "image.nii.gz", "image.mgz", "image.nrrd", "image.mha", "image.tif"])
def png_called(trial: Trial, name: str) -> Right:
    trial.write()
    trial.image = trial.folder / name
    write_by_sitk(trial.folder / "a.png", np.ones((20, 18), np.uint8))
    (trial.folder / "a.png").rename(trial.image)
    return Right(refused=DAMAGED + "|2-D|no MGH|version|empty|axes|is no [A-Z]+ file")


@kind("NIfTI called {}", ("nii",), ["image.nrrd", "image.mha", "image.mgz", "image.hdr", "image.NII", "image"])
def nifti_called(trial: Trial, name: str) -> Right:
    truth = trial.write()
    trial.image = trial.image.rename(trial.folder / name)
    return Right(truth, refused=DAMAGED + "|missing|no MGH|version", same=False)


@kind("{} compressed otherwise than its name says", ("nii", "nii.gz"), ["image"])
def other_compression(trial: Trial, _: str) -> Right:
    truth = trial.write()
    content = trial.image.read_bytes()
    packed = content[:2] == b"\x1f\x8b"
    trial.image.write_bytes(gzip.decompress(content) if packed else gzip.compress(content))
    source = trial.folder / "source.nii"
    source.write_bytes(gzip.decompress(content) if packed else content)
    return Right(truth, source=source)


@kind("compressed twice", ("nii.gz", "mgz"))
def twice(trial: Trial) -> Right:
    trial.write()
    trial.image.write_bytes(gzip.compress(trial.image.read_bytes()))
    return Right(refused=DAMAGED + "|no MGH|version")


@kind("an empty folder", VOLUMES)
def empty_folder(trial: Trial) -> Right:
    trial.write()
    trial.image = trial.folder / "nothing"
    trial.image.mkdir()
    return Right(refused="holds no")


@kind("a folder called like a file", ("nii.gz", "nrrd", "png"))
def folder_like_a_file(trial: Trial) -> Right:
    trial.write()
    trial.image.unlink()
    trial.image.mkdir()
    return Right(refused="holds no")


@kind("a folder of text", ("dicom",))
def folder_of_text(trial: Trial) -> Right:
    trial.write()
    trial.image = trial.folder / "texts"
    trial.image.mkdir()
    (trial.image / "notes.txt").write_text("nothing")
    return Right(refused="holds no")


@kind("no file", EVERY)
def no_file(trial: Trial) -> Right:
    trial.write()
    trial.image = trial.folder / f"not-there-{trial.format.image}"
    return Right(refused="no file or folder")


@kind("no mask", SOME)
def no_mask(trial: Trial) -> Right:
    trial.write()
    trial.mask.unlink()
    return Right(refused="no file or folder")


def shorten(path: Path, share: float) -> None:
    """Cut a file to a share of its bytes, and by at least one."""
    content = path.read_bytes()
    path.write_bytes(content[: min(int(share * len(content)), len(content) - 1)])


def replace_end(trial: Trial, more: bytes) -> None:
    """Put bytes behind the voxels, within the compressed stream."""
    content = trial.image.read_bytes()
    replace(trial.image, (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content) + more)
